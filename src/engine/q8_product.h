// The product of Q8_0 weights (ggml's format: blocks of 32 signed bytes under an F16 scale) with
// activations in F32, which are rounded to 8 bits in blocks of 32 as ggml does.
//
// Against ggml's kernel: 16 rows of weights stand side by side in a register, so that one VPDPBUSD
// with a broadcast of four activations serves them all, and no sum is ever taken across a register.
// Weights are made unsigned (+128) for it; what that adds is taken off at the start of each sum.
// An element of the result is one sum over the blocks in their order, in F32: the same bits for any
// number of columns and threads.
#pragma once

#include <cstdint>
#include <vector>

namespace selene::engine {

// Whether this build has the kernel (x86 with AVX-512 VNNI) and, in a package, this CPU too.
bool has_q8_product();

constexpr std::int64_t kQ8Block = 32;      // Values under one scale.
constexpr std::int64_t kQ8PanelRows = 16;  // Of weights, taken at once: a register of 32-bit sums.

struct Q8ProductInput {
  std::int64_t depth = 0;    // Of both, a multiple of kQ8Block.
  std::int64_t rows = 0;     // Of the weights, a multiple of kQ8PanelRows.
  std::int64_t columns = 0;  // Of the activations: tokens.

  const char* weights = nullptr;  // Q8_0 [rows, depth]
  std::int64_t weights_row = 0;   // Bytes.
  const char* x = nullptr;        // F32 [columns, depth]
  std::int64_t x_column = 0;      // Bytes.
  char* out = nullptr;            // F32 [columns, rows]
  std::int64_t out_column = 0;    // Bytes.
};

// Kept from call to call, so that memory is asked for once.
struct Q8Scratch {
  std::vector<std::int8_t> x;        // [columns, depth]
  std::vector<float> scales;         // [columns, depth / kQ8Block]
  std::vector<std::int32_t> starts;  // [columns, depth / kQ8Block]: -128 times the block's sum.
  std::vector<std::vector<unsigned char>> panels;  // A thread's: 16 rows of weights.
};

void q8_product(const Q8ProductInput& input, int threads, Q8Scratch& scratch);

}  // namespace selene::engine
