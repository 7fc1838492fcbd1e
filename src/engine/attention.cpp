#include "engine/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include <ggml-cpu.h>
#include <ggml.h>
#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "engine/omp_thread.h"

namespace selene::engine {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// A register's worth of floats.
#if defined(__AVX512F__)
constexpr int kWidth = 16;
constexpr int kBlockRows = 6;  // Of a matrix product: 6 x 4 sums fill most of 32 registers,
constexpr int kBlockColumns = 4;
#elif defined(__AVX__)
constexpr int kWidth = 8;
constexpr int kBlockRows = 6;  // 6 x 2 most of 16.
constexpr int kBlockColumns = 2;
#else
constexpr int kWidth = 4;
constexpr int kBlockRows = 4;
constexpr int kBlockColumns = 4;
#endif
using Vec = float __attribute__((vector_size(4 * kWidth)));
using IntVec = std::int32_t __attribute__((vector_size(4 * kWidth)));

inline Vec load(const float* from) {
  Vec value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
inline void store(float* to, Vec value) { std::memcpy(to, &value, sizeof value); }
inline Vec all(float value) { return value - Vec{}; }

// Rounded once wherever the machine can, and never left to the compiler's choice.
inline Vec multiply_add(Vec a, Vec b, Vec sum) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, sum);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, sum);
#elif defined(__aarch64__)
  return vfmaq_f32(sum, a, b);
#else
  return a * b + sum;
#endif
}

void to_f32(const char* from, float* to, std::int64_t count) {
  const auto* half = reinterpret_cast<const ggml_fp16_t*>(from);
#if defined(__AVX512F__)
  for (std::int64_t i = 0; i < count; i += 16) {
    const auto* at = reinterpret_cast<const __m256i*>(half + i);
    _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256(at)));
  }
#else
  ggml_cpu_fp16_to_fp32(half, to, count);
#endif
}

inline void prefetch(const char* halves, std::int64_t count) {
  constexpr std::int64_t kLine = 64;  // Bytes.
  for (std::int64_t at = 0; at < 2 * count; at += kLine) __builtin_prefetch(halves + at);
}

// e^x for x <= 0 within 2 units in the last place, and 0 below -87 (Cephes' expf, by vector).
inline Vec exp_of(Vec x) {
  const Vec shift = all(0x1.8p23F);  // Adding it rounds to a whole number, in the low bits.
  const Vec rounded = multiply_add(x, all(0x1.715476p+0F), shift);
  const Vec n = rounded - shift;
  const Vec high = multiply_add(n, all(-0x1.62e4p-1F), x);
  const Vec r = multiply_add(n, all(-0x1.7f7d1cp-20F), high);
  Vec p = all(1.9875691500e-4F);
  p = multiply_add(p, r, all(1.3981999507e-3F));
  p = multiply_add(p, r, all(8.3334519073e-3F));
  p = multiply_add(p, r, all(4.1665795894e-2F));
  p = multiply_add(p, r, all(1.6666665459e-1F));
  p = multiply_add(p, r, all(5.0000001201e-1F));
  const Vec fraction = multiply_add(p, r * r, r) + all(1.0F);
  const IntVec power = (std::bit_cast<IntVec>(rounded) << 23);
  const IntVec bits = std::bit_cast<IntVec>(fraction) + power;
  return x < all(-87.0F) ? Vec{} : std::bit_cast<Vec>(bits);
}

inline float sum_of(Vec value) {
  float sum = 0;
  for (int i = 0; i < kWidth; ++i) sum += value[i];
  return sum;
}

// C[rows, columns] += A[rows, depth] * B[depth, ...]: `R` rows by `C` registers. Each element is
// one chain of multiply_add in the order of depth, whatever R and C are.
template <int R, int C>
inline void block(float* c, std::int64_t c_row, const float* a, std::int64_t a_row, const float* b,
                  std::int64_t b_row, std::int64_t depth) {
  Vec sum[R][C];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < C; ++j) sum[r][j] = load(c + r * c_row + j * kWidth);
  }
  for (std::int64_t d = 0; d < depth; ++d) {
    Vec right[C];
#pragma GCC unroll 8
    for (int j = 0; j < C; ++j) right[j] = load(b + d * b_row + j * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec left = all(a[r * a_row + d]);
#pragma GCC unroll 8
      for (int j = 0; j < C; ++j) sum[r][j] = multiply_add(left, right[j], sum[r][j]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < C; ++j) store(c + r * c_row + j * kWidth, sum[r][j]);
  }
}

template <int R>
void block_row(float* c, std::int64_t c_row, const float* a, std::int64_t a_row, const float* b,
               std::int64_t b_row, std::int64_t depth, std::int64_t columns) {
  std::int64_t j = 0;
  for (; j + kBlockColumns * kWidth <= columns; j += kBlockColumns * kWidth)
    block<R, kBlockColumns>(c + j, c_row, a, a_row, b + j, b_row, depth);
  for (; j < columns; j += kWidth) block<R, 1>(c + j, c_row, a, a_row, b + j, b_row, depth);
}

// C += A * B; `columns` is a multiple of kWidth.
void multiply(float* c, std::int64_t c_row, const float* a, std::int64_t a_row, const float* b,
              std::int64_t b_row, std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  std::int64_t r = 0;
  const auto at = [&](auto kernel) {
    kernel(c + r * c_row, c_row, a + r * a_row, a_row, b, b_row, depth, columns);
  };
  for (; r + kBlockRows <= rows; r += kBlockRows) at(block_row<kBlockRows>);
  for (; r + 3 <= rows; r += 3) at(block_row<3>);
  for (; r < rows; ++r) at(block_row<1>);
}

// The lanes of two rows that change places when the halves of squares of 2 * Half are exchanged.
template <int Half, int... I>
inline Vec first_of(Vec first, Vec second, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(first, second, ((I & Half) != 0 ? I - Half + kWidth : I)...);
}
template <int Half, int... I>
inline Vec second_of(Vec first, Vec second, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(first, second, ((I & Half) != 0 ? I + kWidth : I + Half)...);
}

template <int Half>
inline void exchange(Vec (&rows)[kWidth]) {
  constexpr std::make_integer_sequence<int, kWidth> kLanes;
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    if ((i & Half) != 0) continue;
    const Vec first = rows[i];
    const Vec second = rows[i + Half];
    rows[i] = first_of<Half>(first, second, kLanes);
    rows[i + Half] = second_of<Half>(first, second, kLanes);
  }
  if constexpr (Half > 1) exchange<Half / 2>(rows);
}

// to[column][row] = from[row][column] for a square of kWidth.
inline void transpose(const float* from, std::int64_t from_row, float* to, std::int64_t to_row) {
  Vec rows[kWidth];
  for (int i = 0; i < kWidth; ++i) rows[i] = load(from + i * from_row);
  exchange<kWidth / 2>(rows);
  for (int i = 0; i < kWidth; ++i) store(to + i * to_row, rows[i]);
}

float alibi_slope(const AttentionInput& in, std::int64_t head) {
  if (in.max_alibi <= 0) return 1;
  const auto heads = static_cast<double>(std::bit_floor(static_cast<std::uint64_t>(in.heads)));
  const float even = std::pow(2.0F, -in.max_alibi / static_cast<float>(heads));
  const float odd = std::pow(2.0F, -in.max_alibi / 2 / static_cast<float>(heads));
  const auto whole = static_cast<std::int64_t>(heads);
  return head < whole ? std::pow(even, static_cast<float>(head + 1))
                      : std::pow(odd, static_cast<float>(2 * (head - whole) + 1));
}

// A piece of the work: some queries of a stream under some groups of heads. Its rows are ordered by
// group, query and head of the group.
struct Piece {
  std::int64_t stream = 0;
  std::int64_t first_group = 0, groups = 0;  // A group of heads shares the keys of a key head.
  std::int64_t first_query = 0, queries = 0;
};

class Worker {
 public:
  static size_t scratch_size(const AttentionInput& in, std::int64_t rows) {
    return static_cast<size_t>(rows * (in.key_size + in.value_size + 2) +
                               kKeyTile * (rows + 2 * in.key_size + in.value_size + 1));
  }

  Worker(const AttentionInput& input, const Piece& piece, float* scratch)
      : in_(input),
        piece_(piece),
        group_heads_(input.heads / input.key_heads),
        group_rows_(piece.queries * group_heads_) {
    const std::int64_t rows = piece_.groups * group_rows_;
    const auto take = [&](std::int64_t count) { return std::exchange(scratch, scratch + count); };
    q_ = take(rows * in_.key_size);
    out_ = take(rows * in_.value_size);
    largest_ = take(rows);
    sum_ = take(rows);
    scores_ = take(group_rows_ * kKeyTile);
    keys_ = take(kKeyTile * in_.key_size);
    turned_ = take(kKeyTile * in_.key_size);
    values_ = take(kKeyTile * in_.value_size);
    mask_ = take(kKeyTile);
    for (std::int64_t row = 0; row < rows; ++row) {
      const char* from =
          in_.q + piece_.stream * in_.q_stream + query(row) * in_.q_query + head(row) * in_.q_head;
      std::memcpy(q_ + row * in_.key_size, from, sizeof(float) * static_cast<size_t>(in_.key_size));
    }
    std::fill_n(out_, rows * in_.value_size, 0.0F);
    std::fill_n(largest_, rows, kMinusInfinity);
    std::fill_n(sum_, rows, 0.0F);
  }

  void run() {
    for (std::int64_t first = 0; first < in_.keys; first += kKeyTile) {
      count_ = std::min<std::int64_t>(kKeyTile, in_.keys - first);
      if (!any_visible(first)) continue;
      for (std::int64_t group = 0; group < piece_.groups; ++group) attend(group, first);
    }
    for (std::int64_t row = 0; row < piece_.groups * group_rows_; ++row) finish(row);
  }

 private:
  std::int64_t query(std::int64_t row) const {
    return piece_.first_query + row % group_rows_ / group_heads_;
  }
  std::int64_t head(std::int64_t row) const {
    return (piece_.first_group + row / group_rows_) * group_heads_ + row % group_heads_;
  }
  const ggml_fp16_t* mask_of(std::int64_t query, std::int64_t first) const {
    return reinterpret_cast<const ggml_fp16_t*>(in_.mask + piece_.stream * in_.mask_stream +
                                                query * in_.mask_query) +
           first;
  }

  // Whether any query sees any of these keys; the last one mostly sees the most.
  bool any_visible(std::int64_t first) const {
    if (in_.mask == nullptr) return true;
    constexpr ggml_fp16_t kHidden = 0xFC00;  // Minus infinity.
    for (std::int64_t i = piece_.queries - 1; i >= 0; --i) {
      const ggml_fp16_t* mask = mask_of(piece_.first_query + i, first);
      int seen = 0;
      for (std::int64_t j = 0; j < count_; ++j) seen |= mask[j] ^ kHidden;
      if (seen != 0) return true;
    }
    return false;
  }

  // The rows of a group over the tile of keys that begins at `first`.
  void attend(std::int64_t group, std::int64_t first) {
    load_tile(piece_.first_group + group, first);
    const std::int64_t row = group * group_rows_;
    std::fill_n(scores_, group_rows_ * kKeyTile, 0.0F);
    multiply(scores_, kKeyTile, q_ + row * in_.key_size, in_.key_size, turned_, kKeyTile,
             group_rows_, in_.key_size, kKeyTile);
    for (std::int64_t i = 0; i < group_rows_; ++i) {
      if (i % group_heads_ == 0) load_mask(query(row + i), first);  // A query's heads share it.
      weigh(row + i, scores_ + i * kKeyTile);
    }
    multiply(out_ + row * in_.value_size, in_.value_size, scores_, kKeyTile, values_,
             in_.value_size, group_rows_, kKeyTile, in_.value_size);
  }

  // Keys with their dimensions as rows, and values; zeros past the last.
  void load_tile(std::int64_t key_head, std::int64_t first) {
    const char* k =
        in_.k + piece_.stream * in_.k_stream + key_head * in_.k_head + first * in_.k_key;
    const char* v =
        in_.v + piece_.stream * in_.v_stream + key_head * in_.v_head + first * in_.v_key;
    const bool more = first + 2 * kKeyTile <= in_.keys;
    for (std::int64_t i = 0; i < count_; ++i) {
      if (more) {  // They come from far: ask for the next tile's while this one is at work.
        prefetch(k + (i + kKeyTile) * in_.k_key, in_.key_size);
        prefetch(v + (i + kKeyTile) * in_.v_key, in_.value_size);
      }
      to_f32(k + i * in_.k_key, keys_ + i * in_.key_size, in_.key_size);
      to_f32(v + i * in_.v_key, values_ + i * in_.value_size, in_.value_size);
    }
    std::fill(keys_ + count_ * in_.key_size, keys_ + kKeyTile * in_.key_size, 0.0F);
    std::fill(values_ + count_ * in_.value_size, values_ + kKeyTile * in_.value_size, 0.0F);
    for (std::int64_t i = 0; i < kKeyTile; i += kWidth) {
      for (std::int64_t d = 0; d < in_.key_size; d += kWidth)
        transpose(keys_ + i * in_.key_size + d, in_.key_size, turned_ + d * kKeyTile + i, kKeyTile);
    }
  }

  // Under the mask at hand, scores become weights: e to the difference from the largest score so
  // far.
  void weigh(std::int64_t row, float* scores) {
    const Vec slope = all(alibi_slope(in_, head(row)));
    const Vec scale = all(in_.softcap != 0 ? in_.scale / in_.softcap : in_.scale);
    Vec most = all(kMinusInfinity);
    for (int i = 0; i < kKeyTile; i += kWidth) {
      Vec score = load(scores + i) * scale;
      if (in_.softcap != 0) {
        for (int j = 0; j < kWidth; ++j) score[j] = in_.softcap * std::tanh(score[j]);
      }
      score = multiply_add(slope, load(mask_ + i), score);
      store(scores + i, score);
      most = score > most ? score : most;
    }
    float tile_largest = kMinusInfinity;
    for (int i = 0; i < kWidth; ++i) tile_largest = std::max(tile_largest, most[i]);
    if (tile_largest == kMinusInfinity) {
      std::fill_n(scores, kKeyTile, 0.0F);
      return;
    }
    raise_largest(row, tile_largest);
    const Vec largest = all(largest_[row]);
    Vec sum = {};
    for (int i = 0; i < kKeyTile; i += kWidth) {
      const Vec weight = exp_of(load(scores + i) - largest);
      store(scores + i, weight);
      sum += weight;
    }
    sum_[row] += sum_of(sum);
  }

  // Minus infinity past the last key.
  void load_mask(std::int64_t query, std::int64_t first) {
    if (in_.mask == nullptr) {
      std::fill_n(mask_, count_, 0.0F);
    } else if (count_ == kKeyTile) {
      to_f32(reinterpret_cast<const char*>(mask_of(query, first)), mask_, kKeyTile);
    } else {
      for (std::int64_t i = 0; i < count_; ++i)
        mask_[i] = ggml_fp16_to_fp32(mask_of(query, first)[i]);
    }
    std::fill(mask_ + count_, mask_ + kKeyTile, kMinusInfinity);
  }

  void raise_largest(std::int64_t row, float to) {
    if (to <= largest_[row]) return;
    const float by = exp_of(all(largest_[row] - to))[0];
    largest_[row] = to;
    sum_[row] *= by;
    float* out = out_ + row * in_.value_size;
    for (std::int64_t d = 0; d < in_.value_size; d += kWidth)
      store(out + d, load(out + d) * all(by));
  }

  void finish(std::int64_t row) {
    if (in_.sinks != nullptr) {
      const float sink = in_.sinks[head(row)];
      raise_largest(row, sink);
      sum_[row] += exp_of(all(sink - largest_[row]))[0];
    }
    const Vec inverse = all(sum_[row] == 0 ? 0 : 1 / sum_[row]);
    const std::int64_t query_row = piece_.stream * in_.queries + query(row);
    float* to = in_.out + (query_row * in_.heads + head(row)) * in_.value_size;
    const float* out = out_ + row * in_.value_size;
    for (std::int64_t d = 0; d < in_.value_size; d += kWidth)
      store(to + d, load(out + d) * inverse);
  }

  const AttentionInput& in_;
  const Piece piece_;
  const std::int64_t group_heads_, group_rows_;
  std::int64_t count_ = 0;  // Keys of the tile at hand.
  float *q_, *out_, *scores_, *largest_, *sum_, *keys_, *turned_, *values_, *mask_;
};

}  // namespace

void attend(const AttentionInput& in, int threads, std::vector<std::vector<float>>& scratch) {
  // Where streams are many and queries few, a piece takes all groups: their keys lie side by side.
  const std::int64_t group_heads = in.heads / in.key_heads;
  const std::int64_t queries = std::clamp<std::int64_t>(kRows / group_heads, 1, in.queries);
  const std::int64_t tiles = (in.queries + queries - 1) / queries;
  const std::int64_t groups = tiles == 1 && in.streams >= 2 * threads ? in.key_heads : 1;
  const std::int64_t across = in.streams * (in.key_heads / groups);
  const size_t size = Worker::scratch_size(in, groups * queries * group_heads);
  scratch.resize(std::max(scratch.size(), static_cast<size_t>(threads)));
  for (std::vector<float>& own : scratch) own.resize(std::max(own.size(), size));
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t item = 0; item < tiles * across; ++item) {
    Piece piece;
    piece.stream = item % across % in.streams;
    piece.first_group = item % across / in.streams * groups;
    piece.groups = groups;
    // The last queries of a prompt see the most, so they come first.
    piece.first_query = (tiles - 1 - item / across) * queries;
    piece.queries = std::min(queries, in.queries - piece.first_query);
    Worker(in, piece, scratch[omp_thread()].data()).run();
  }
}

}  // namespace selene::engine
