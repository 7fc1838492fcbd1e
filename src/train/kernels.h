// What LibTorch's plain operations do badly on a CPU, written out: attention over branches,
// RMSNorm, RoPE, SwiGLU, softmax-cross-entropy, AdamW. Each is checked against the plain version
// (tests/train). They work on arrays, row after row; matrices are row-major.
//
// G is the type that matrix products take and give (float, BFloat16, double), A the type that is
// computed in (float for the first two, double for the last).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <c10/util/BFloat16.h>

#include "train/packing.h"

namespace selene::train {

template <typename G>
struct ComputeType {
  using type = float;
};
template <>
struct ComputeType<double> {
  using type = double;
};
template <typename G>
using Compute = typename ComputeType<G>::type;

inline constexpr std::int64_t kMostHeadSize = 512;

// Heads of a row: queries, keys and values stand side by side in a token's line of `qkv`:
// heads * size queries, then kv_heads * size keys, then as many values.
struct AttentionShape {
  std::int64_t tokens = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;  // Each serves heads / kv_heads queries.
  std::int64_t size = 0;      // Of a head; a multiple of 16, at most kMostHeadSize.

  std::int64_t line() const { return (heads + 2 * kv_heads) * size; }
  std::int64_t width() const { return heads * size; }
};

// Segments with what each sees before it.
struct BranchLayout {
  std::vector<Segment> segments;
  std::vector<std::vector<Range>> before;

  explicit BranchLayout(std::span<const Segment> of)
      : segments(of.begin(), of.end()), before(seen_before(of)) {}
};

// out (tokens x width): each token attends to what its segment sees, up to itself. Keeps the
// log-sum-exp of each token's scaled scores (heads x tokens) for the way back; no matrix of
// tokens x tokens is made (Dao et al. 2022, FlashAttention, arXiv 2205.14135).
template <typename G>
void attention(const AttentionShape& shape, const BranchLayout& layout, const G* qkv, G* out,
               Compute<G>* log_sums);
// d_qkv is written whole.
template <typename G>
void attention_backward(const AttentionShape& shape, const BranchLayout& layout, const G* qkv,
                        const G* out, const Compute<G>* log_sums, const G* d_out, G* d_qkv);

// Cosines and sines of position * frequency: `positions` x `frequencies`.
template <typename A>
struct RopeTable {
  std::vector<A> cosines;
  std::vector<A> sines;
  RopeTable(std::span<const float> frequencies, std::int64_t positions);
};
// Turns the queries and keys of `qkv` in place (halves, as Hugging Face has them); `back` turns
// them back, which is also the way of gradients.
template <typename G>
void rope(const AttentionShape& shape, const std::int32_t* positions,
          const RopeTable<Compute<G>>& table, bool back, G* qkv);

// y = x / rms(x) * weight (Zhang and Sennrich 2019, arXiv 1910.07467), width numbers a token. Keeps
// 1 / rms of each token.
template <typename G>
void rms_norm(std::int64_t tokens, std::int64_t width, const Compute<G>* x,
              const Compute<G>* weight, float epsilon, G* y, Compute<G>* inverse_rms);
// Adds to d_x, and to d_weight where it is not null.
template <typename G>
void rms_norm_backward(std::int64_t tokens, std::int64_t width, const Compute<G>* x,
                       const Compute<G>* weight, const Compute<G>* inverse_rms, const G* d_y,
                       Compute<G>* d_x, Compute<G>* d_weight);

// y = silu(gate) * up (Shazeer 2020, arXiv 2002.05202); a token's line of `gate_up` is `width`
// gates, then as many ups.
template <typename G>
void swiglu(std::int64_t tokens, std::int64_t width, const G* gate_up, G* y);
// In place: gate_up becomes its own gradient. y is made again on the way, where it is not null.
template <typename G>
void swiglu_backward(std::int64_t tokens, std::int64_t width, const G* d_y, G* gate_up, G* y);

// x += y
template <typename G>
void add(std::int64_t count, const G* y, Compute<G>* x);

template <typename From, typename To>
void convert(std::int64_t count, const From* from, To* to);

// log p of each row's target; the row of logits becomes the probabilities.
template <typename A>
void log_softmax_at(std::int64_t rows, std::int64_t vocabulary, const std::int64_t* targets,
                    A* logits, double* log_probabilities);
// Probabilities become the gradient of the logits: coefficient * (one at the target - probability).
template <typename A>
void log_softmax_backward(std::int64_t rows, std::int64_t vocabulary, const std::int64_t* targets,
                          const double* coefficients, A* probabilities);

// The sum of squares, the same on any number of threads.
template <typename A>
double sum_of_squares(std::int64_t count, const A* x);

struct AdamStep {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double scale = 1;       // Of the gradient: clipping, accumulation.
  std::int64_t step = 1;  // The first is 1.
};
// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2, with the decay times the
// learning rate as PyTorch has it).
template <typename A>
void adamw(const AdamStep& step, std::int64_t count, const A* gradient, A* weight, A* mean,
           A* square);

}  // namespace selene::train
