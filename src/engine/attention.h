// Attention of a token over the keys and values of its sequence, for llama.cpp's graphs on a CPU.
//
// Against ggml's own kernels:
// - one kernel serves any number of tokens and gives a row the same bits in any company: keys are
//   taken in tiles that begin at multiples of kKeyTile, and each sum has one order. (ggml has three
//   kernels, which round otherwise, and picks one by the number of tokens and threads.)
// - sums are kept in F32 throughout;
// - the heads that share keys and values, and up to kRows of their rows, share a tile's conversion.
// The algorithm is that of FlashAttention-2 (arXiv 2307.08691) without its backward pass.
#pragma once

#include <cstdint>
#include <vector>

namespace selene::engine {

constexpr int kKeyTile = 64;  // Keys taken at once.
constexpr int kRows =
    72;  // Rows (queries times heads of a group) taken at once, if one query allows.

constexpr int kHeadStep = 16;  // Sizes of heads are multiples of it.

// Strides are in bytes; the innermost dimension is contiguous.
struct AttentionInput {
  std::int64_t key_size = 0;    // Of a head, a multiple of kHeadStep.
  std::int64_t value_size = 0;  // The same.
  std::int64_t queries = 0;     // Of a stream.
  std::int64_t keys = 0;        // Of a stream.
  std::int64_t heads = 0;
  std::int64_t key_heads = 0;  // A divisor of heads; neighbours share keys and values.
  std::int64_t streams = 0;

  const char* q = nullptr;  // F32 [streams, heads, queries, key_size]
  std::int64_t q_query = 0, q_head = 0, q_stream = 0;
  const char* k = nullptr;  // F16 [streams, key_heads, keys, key_size]
  std::int64_t k_key = 0, k_head = 0, k_stream = 0;
  const char* v = nullptr;  // F16 [streams, key_heads, keys, value_size]
  std::int64_t v_key = 0, v_head = 0, v_stream = 0;
  const char* mask = nullptr;  // F16 [streams, queries, keys], added to the scores; null: none.
  std::int64_t mask_query = 0, mask_stream = 0;
  const float* sinks = nullptr;  // [heads], a score without a value; null: none.
  float* out = nullptr;          // F32 [streams, queries, heads, value_size], contiguous.

  float scale = 1;      // Of the scores.
  float softcap = 0;    // Scores become softcap * tanh(score / softcap); 0: they stay.
  float max_alibi = 0;  // ALiBi's largest exponent (arXiv 2108.12409); 0: none.
};

// `scratch` is kept from call to call, so that memory is asked for once.
void attend(const AttentionInput& input, int threads, std::vector<std::vector<float>>& scratch);

}  // namespace selene::engine
