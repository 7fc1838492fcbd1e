#include "train/kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <ATen/Parallel.h>

#include "core/error.h"
#include "train/small_product.h"

namespace selene::train {
namespace {

// Work that is split among threads in pieces of this size: below it a thread costs more than it
// brings.
constexpr std::int64_t kGrain = 16384;

std::int64_t rows_a_thread(std::int64_t width) { return std::max<std::int64_t>(1, kGrain / width); }

// x as A, so that loops over BFloat16 are compiled like the others.
template <typename A, typename G>
inline A up(G x) {
  return static_cast<A>(x);
}

// --- Attention ---------------------------------------------------------------------------------

constexpr std::int64_t kQueries = 64;  // Of one segment and head at a time.

// The work of one head: a block of queries of one segment.
struct Block {
  std::int64_t segment = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::vector<Block> blocks_of(const BranchLayout& layout) {
  std::vector<Block> blocks;
  for (std::size_t s = 0; s < layout.segments.size(); ++s) {
    const Segment& segment = layout.segments[s];
    for (std::int64_t begin = segment.begin; begin < segment.end; begin += kQueries)
      blocks.push_back({static_cast<std::int64_t>(s), begin,
                        std::min<std::int64_t>(begin + kQueries, segment.end)});
  }
  return blocks;
}

// Runs of keys that a block sees: those before its segment, then its own up to the last query.
void keys_of(const BranchLayout& layout, const Block& block, std::vector<Range>& keys) {
  const Segment& segment = layout.segments[static_cast<std::size_t>(block.segment)];
  keys = layout.before[static_cast<std::size_t>(block.segment)];
  if (!keys.empty() && keys.back().end == segment.begin)
    keys.back().end = static_cast<std::int32_t>(block.end);
  else
    keys.push_back({segment.begin, static_cast<std::int32_t>(block.end)});
}

std::int64_t count_of(const std::vector<Range>& keys) {
  std::int64_t count = 0;
  for (const Range& range : keys) count += range.end - range.begin;
  return count;
}

// A head's blocks are two pieces of work, so that any number of heads is halved among two threads.
struct Share {
  std::int64_t head = 0;
  std::span<const Block> blocks;

  std::int64_t tokens() const { return blocks.empty() ? 0 : blocks.back().end; }  // From 0 on.
};
constexpr std::int64_t kShares = 2;

// All heads' shares in order; a head's have about as many scores each.
std::vector<Share> shares_of(const BranchLayout& layout, std::span<const Block> blocks,
                             std::int64_t heads) {
  std::vector<Range> keys;
  std::vector<std::int64_t> scores;  // Of the blocks up to each.
  for (const Block& block : blocks) {
    keys_of(layout, block, keys);
    scores.push_back((scores.empty() ? 0 : scores.back()) +
                     (block.end - block.begin) * count_of(keys));
  }
  const auto middle = std::lower_bound(scores.begin(), scores.end(), scores.back() / kShares);
  const auto first = static_cast<std::size_t>(middle - scores.begin()) + 1;
  std::vector<Share> shares;
  for (std::int64_t head = 0; head < heads; ++head) {
    shares.push_back({head, blocks.first(first)});
    shares.push_back({head, blocks.subspan(first)});
  }
  return shares;
}

// Keys and values of one head, as the products want them.
template <typename A>
struct HeadCopy {
  std::int64_t stride = 0;    // Of a transposed line: tokens and padding.
  std::vector<A> transposed;  // size x stride
  std::vector<A> plain;       // tokens x size

  template <typename G>
  void load(const AttentionShape& shape, const G* first, bool with_plain, bool with_transposed) {
    stride = shape.tokens + kPadding;
    if (with_transposed) transposed.assign(static_cast<std::size_t>(shape.size * stride), A(0));
    if (with_plain) plain.resize(static_cast<std::size_t>(shape.tokens * shape.size));
    for (std::int64_t t = 0; t < shape.tokens; ++t) {
      const G* line = first + t * shape.line();
      if (with_plain)
        for (std::int64_t d = 0; d < shape.size; ++d)
          plain[static_cast<std::size_t>(t * shape.size + d)] = up<A>(line[d]);
      if (with_transposed)
        for (std::int64_t d = 0; d < shape.size; ++d)
          transposed[static_cast<std::size_t>(d * stride + t)] = up<A>(line[d]);
    }
  }
};

template <typename A, typename G>
void load_lines(const Block& block, std::int64_t size, const G* first, std::int64_t line,
                std::vector<A>& to) {
  to.resize(static_cast<std::size_t>((block.end - block.begin) * size));
  for (std::int64_t i = 0; i < block.end - block.begin; ++i) {
    for (std::int64_t d = 0; d < size; ++d)
      to[static_cast<std::size_t>(i * size + d)] = up<A>(first[(block.begin + i) * line + d]);
  }
}

// scores (queries x keys, lines of `width`) = lines times the transposed keys of the runs.
template <typename A>
void products_with_keys(const std::vector<A>& lines, std::int64_t queries, std::int64_t size,
                        const HeadCopy<A>& head, const std::vector<Range>& keys, std::int64_t width,
                        A* scores) {
  std::int64_t column = 0;
  for (const Range& range : keys) {
    const std::int64_t count = range.end - range.begin;
    multiply<A>(queries, count, size, {lines.data(), size, 1}, head.transposed.data() + range.begin,
                head.stride, scores + column, width, false);
    column += count;
  }
}

// Scores of a block's queries, one line a query: a key that it sees each, then padding.
template <typename A>
struct BlockScores {
  std::vector<Range> seen;
  std::int64_t rows = 0;
  std::int64_t keys = 0;
  std::int64_t width = 0;  // Of a line.
  std::vector<A> queries;
  std::vector<A> scores;

  // Queries times keys, not scaled.
  template <typename G>
  void compute(const AttentionShape& shape, const BranchLayout& layout, const Block& block,
               const G* of_head, const HeadCopy<A>& head) {
    keys_of(layout, block, seen);
    rows = block.end - block.begin;
    keys = count_of(seen);
    width = padded(keys + Vector<A>::lanes);
    load_lines(block, shape.size, of_head, shape.line(), queries);
    scores.resize(static_cast<std::size_t>(rows * width + kPadding));
    products_with_keys(queries, rows, shape.size, head, seen, width, scores.data());
  }
  A* line(std::int64_t query) { return scores.data() + query * width; }
  // The keys that a query sees: all but those of its own segment after it, which are the last.
  std::int64_t visible(std::int64_t query) const { return keys - rows + query + 1; }
  // work(run of keys, its first column)
  template <typename Work>
  void each_run(const Work& work) const {
    std::int64_t column = 0;
    for (const Range& range : seen) {
      work(range, column);
      column += range.end - range.begin;
    }
  }
};

template <typename A, typename G>
void store_lines(const Block& block, std::int64_t size, const std::vector<A>& from, G* first,
                 std::int64_t line) {
  for (std::int64_t i = 0; i < block.end - block.begin; ++i) {
    for (std::int64_t d = 0; d < size; ++d)
      first[(block.begin + i) * line + d] =
          static_cast<G>(from[static_cast<std::size_t>(i * size + d)]);
  }
}

}  // namespace

template <typename G>
void attention(const AttentionShape& shape, const BranchLayout& layout, const G* qkv, G* out,
               Compute<G>* log_sums) {
  using A = Compute<G>;
  const std::vector<Block> blocks = blocks_of(layout);
  const std::int64_t group = shape.heads / shape.kv_heads;
  const A scale = A(1) / std::sqrt(A(shape.size));
  const std::vector<Share> shares = shares_of(layout, blocks, shape.heads);
  const auto count = static_cast<std::int64_t>(shares.size());
  at::parallel_for(0, count, 1, [&](std::int64_t first, std::int64_t last) {
    HeadCopy<A> keys;
    HeadCopy<A> values;
    BlockScores<A> scores;
    std::vector<A> result;
    std::int64_t loaded = -1;
    for (std::int64_t at = first; at < last; ++at) {
      const Share& share = shares[static_cast<std::size_t>(at)];
      const std::int64_t head = share.head;
      if (const std::int64_t kv = head / group; kv != loaded) {
        keys.load(shape, qkv + shape.width() + kv * shape.size, false, true);
        values.load(shape, qkv + shape.width() + (shape.kv_heads + kv) * shape.size, true, false);
        loaded = kv;
      }
      for (const Block& block : share.blocks) {
        scores.compute(shape, layout, block, qkv + head * shape.size, keys);
        for (std::int64_t i = 0; i < scores.rows; ++i) {
          A* line = scores.line(i);
          const std::int64_t sees = scores.visible(i);
          const A most = largest(sees, line);
          std::fill(line + sees, line + scores.width, -std::numeric_limits<A>::infinity());
          const A sum = exponentials(scores.width, scale, most * scale, line);
          const A inverse = A(1) / sum;
          for (std::int64_t j = 0; j < scores.width; ++j) line[j] *= inverse;
          log_sums[head * shape.tokens + block.begin + i] = most * scale + std::log(sum);
        }
        result.resize(static_cast<std::size_t>(scores.rows * shape.size));
        scores.each_run([&](const Range& run, std::int64_t column) {
          multiply<A>(scores.rows, shape.size, run.end - run.begin,
                      {scores.scores.data() + column, scores.width, 1},
                      values.plain.data() + run.begin * shape.size, shape.size, result.data(),
                      shape.size, column > 0);
        });
        store_lines(block, shape.size, result, out + head * shape.size, shape.width());
      }
    }
  });
}

// With P the probabilities and D_i the product of a token's output and its gradient: dV = P'dO,
// dS = P (dO V' - D), dQ = scale dS K, dK = scale dS'Q (Dao et al. 2022, appendix B).
template <typename G>
void attention_backward(const AttentionShape& shape, const BranchLayout& layout, const G* qkv,
                        const G* out, const Compute<G>* log_sums, const G* d_out, G* d_qkv) {
  using A = Compute<G>;
  const std::vector<Block> blocks = blocks_of(layout);
  const std::int64_t group = shape.heads / shape.kv_heads;
  const A scale = A(1) / std::sqrt(A(shape.size));
  const std::vector<Share> shares = shares_of(layout, blocks, shape.heads);
  const auto count = static_cast<std::int64_t>(shares.size());
  // One a share, so that threads never add to one sum; those of a group are added in order.
  std::vector<std::vector<A>> d_keys(shares.size());
  std::vector<std::vector<A>> d_values(shares.size());
  at::parallel_for(0, count, 1, [&](std::int64_t first, std::int64_t last) {
    HeadCopy<A> keys;
    HeadCopy<A> values;
    BlockScores<A> scores;
    std::vector<A> d_lines;
    std::vector<A> d_scores;
    std::vector<A> d_queries;
    std::int64_t loaded = -1;
    for (std::int64_t at = first; at < last; ++at) {
      const Share& share = shares[static_cast<std::size_t>(at)];
      const std::int64_t head = share.head;
      if (const std::int64_t kv = head / group; kv != loaded) {
        keys.load(shape, qkv + shape.width() + kv * shape.size, true, true);
        values.load(shape, qkv + shape.width() + (shape.kv_heads + kv) * shape.size, false, true);
        loaded = kv;
      }
      std::vector<A>& d_key = d_keys[static_cast<std::size_t>(at)];
      std::vector<A>& d_value = d_values[static_cast<std::size_t>(at)];
      d_key.assign(static_cast<std::size_t>(share.tokens() * shape.size), A(0));
      d_value.assign(d_key.size(), A(0));
      for (const Block& block : share.blocks) {
        scores.compute(shape, layout, block, qkv + head * shape.size, keys);
        const std::int64_t rows = scores.rows;
        const std::int64_t width = scores.width;
        load_lines(block, shape.size, d_out + head * shape.size, shape.width(), d_lines);
        d_scores.resize(scores.scores.size());
        d_queries.resize(static_cast<std::size_t>(rows * shape.size));
        products_with_keys(d_lines, rows, shape.size, values, scores.seen, width, d_scores.data());
        for (std::int64_t i = 0; i < rows; ++i) {
          A* line = scores.line(i);
          A* d_line = d_scores.data() + i * width;
          const std::int64_t sees = scores.visible(i);
          std::fill(line + sees, line + width, -std::numeric_limits<A>::infinity());
          std::fill(d_line + sees, d_line + width, A(0));
          exponentials(width, scale, log_sums[head * shape.tokens + block.begin + i], line);
          A dot = 0;
          const G* o = out + (block.begin + i) * shape.width() + head * shape.size;
          for (std::int64_t d = 0; d < shape.size; ++d)
            dot += up<A>(o[d]) * d_lines[static_cast<std::size_t>(i * shape.size + d)];
          for (std::int64_t j = 0; j < width; ++j) d_line[j] = line[j] * (d_line[j] - dot) * scale;
        }
        scores.each_run([&](const Range& run, std::int64_t column) {
          const std::int64_t length = run.end - run.begin;
          multiply<A>(rows, shape.size, length, {d_scores.data() + column, width, 1},
                      keys.plain.data() + run.begin * shape.size, shape.size, d_queries.data(),
                      shape.size, column > 0);
          multiply<A>(length, shape.size, rows, {d_scores.data() + column, 1, width},
                      scores.queries.data(), shape.size, d_key.data() + run.begin * shape.size,
                      shape.size, true);
          multiply<A>(length, shape.size, rows, {scores.scores.data() + column, 1, width},
                      d_lines.data(), shape.size, d_value.data() + run.begin * shape.size,
                      shape.size, true);
        });
        store_lines(block, shape.size, d_queries, d_qkv + head * shape.size, shape.line());
      }
    }
  });
  // The sum over the shares of a group's heads that go so far.
  const auto add_up = [&](const std::vector<std::vector<A>>& parts, std::int64_t kv,
                          std::int64_t token, G* to) {
    std::array<A, kMostHeadSize> sums{};
    for (std::int64_t at = kv * group * kShares; at < (kv + 1) * group * kShares; ++at) {
      if (token >= shares[static_cast<std::size_t>(at)].tokens()) continue;
      const A* part = parts[static_cast<std::size_t>(at)].data() + token * shape.size;
      for (std::int64_t d = 0; d < shape.size; ++d) sums[static_cast<std::size_t>(d)] += part[d];
    }
    for (std::int64_t d = 0; d < shape.size; ++d)
      to[d] = static_cast<G>(sums[static_cast<std::size_t>(d)]);
  };
  at::parallel_for(0, shape.tokens, 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      G* line = d_qkv + t * shape.line() + shape.width();
      for (std::int64_t kv = 0; kv < shape.kv_heads; ++kv) {
        add_up(d_keys, kv, t, line + kv * shape.size);
        add_up(d_values, kv, t, line + (shape.kv_heads + kv) * shape.size);
      }
    }
  });
}

// --- RoPE --------------------------------------------------------------------------------------

template <typename A>
RopeTable<A>::RopeTable(std::span<const float> frequencies, std::int64_t positions) {
  cosines.reserve(static_cast<std::size_t>(positions) * frequencies.size());
  sines.reserve(cosines.capacity());
  for (std::int64_t p = 0; p < positions; ++p) {
    for (const float frequency : frequencies) {
      // As Hugging Face computes it: the angle in float, whatever the rest is.
      const float angle = static_cast<float>(p) * frequency;
      cosines.push_back(std::cos(A(angle)));
      sines.push_back(std::sin(A(angle)));
    }
  }
}

template <typename G>
void rope(const AttentionShape& shape, const std::int32_t* positions,
          const RopeTable<Compute<G>>& table, bool back, G* qkv) {
  using A = Compute<G>;
  const std::int64_t half = shape.size / 2;
  const A sign = back ? A(-1) : A(1);
  at::parallel_for(0, shape.tokens, rows_a_thread(shape.line()),
                   [&](std::int64_t first, std::int64_t last) {
                     for (std::int64_t t = first; t < last; ++t) {
                       const A* cosine = table.cosines.data() + positions[t] * half;
                       const A* sine = table.sines.data() + positions[t] * half;
                       for (std::int64_t h = 0; h < shape.heads + shape.kv_heads; ++h) {
                         G* x = qkv + t * shape.line() + h * shape.size;
                         for (std::int64_t d = 0; d < half; ++d) {
                           const A a = up<A>(x[d]);
                           const A b = up<A>(x[d + half]);
                           const A s = sign * sine[d];
                           x[d] = static_cast<G>(a * cosine[d] - b * s);
                           x[d + half] = static_cast<G>(b * cosine[d] + a * s);
                         }
                       }
                     }
                   });
}

// --- Norm and gate -----------------------------------------------------------------------------

template <typename G>
void rms_norm(std::int64_t tokens, std::int64_t width, const Compute<G>* x,
              const Compute<G>* weight, float epsilon, G* y, Compute<G>* inverse_rms) {
  using A = Compute<G>;
  at::parallel_for(0, tokens, rows_a_thread(width), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      const A* from = x + t * width;
      const A inverse = A(1) / std::sqrt(dot(width, from, from) / A(width) + A(epsilon));
      inverse_rms[t] = inverse;
      G* to = y + t * width;
      for (std::int64_t d = 0; d < width; ++d)
        to[d] = static_cast<G>(from[d] * inverse * weight[d]);
    }
  });
}

template <typename G>
void rms_norm_backward(std::int64_t tokens, std::int64_t width, const Compute<G>* x,
                       const Compute<G>* weight, const Compute<G>* inverse_rms, const G* d_y,
                       Compute<G>* d_x, Compute<G>* d_weight) {
  using A = Compute<G>;
  // The weight's gradient is added up over fixed runs of tokens, so that threads change no bit.
  constexpr std::int64_t kRun = 64;
  const std::int64_t runs = (tokens + kRun - 1) / kRun;
  std::vector<A> sums(d_weight ? static_cast<std::size_t>(runs * width) : 0);
  at::parallel_for(0, runs, 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<A> scaled(static_cast<std::size_t>(width));
    for (std::int64_t t = first * kRun; t < std::min(last * kRun, tokens); ++t) {
      const A* from = x + t * width;
      const G* d_from = d_y + t * width;
      const A inverse = inverse_rms[t];
      for (std::int64_t d = 0; d < width; ++d)
        scaled[static_cast<std::size_t>(d)] = up<A>(d_from[d]) * weight[d];
      const A along = dot(width, scaled.data(), from) * inverse * inverse * inverse / A(width);
      A* to = d_x + t * width;
      for (std::int64_t d = 0; d < width; ++d)
        to[d] += scaled[static_cast<std::size_t>(d)] * inverse - from[d] * along;
      if (!d_weight) continue;
      A* sum = sums.data() + t / kRun * width;
      for (std::int64_t d = 0; d < width; ++d) sum[d] += up<A>(d_from[d]) * from[d] * inverse;
    }
  });
  if (!d_weight) return;
  for (std::int64_t run = 0; run < runs; ++run)
    for (std::int64_t d = 0; d < width; ++d)
      d_weight[d] += sums[static_cast<std::size_t>(run * width + d)];
}

namespace {

// 1 / (1 + exp(-x)) of a run of numbers.
constexpr std::int64_t kPiece = 256;
template <typename A>
void sigmoids(std::int64_t count, const A* x, A* y) {
  std::array<A, kPiece> negative{};
  for (std::int64_t i = 0; i < count; ++i) negative[static_cast<std::size_t>(i)] = -x[i];
  exponentials(kPiece, A(1), A(0), negative.data());
  for (std::int64_t i = 0; i < count; ++i)
    y[i] = A(1) / (A(1) + negative[static_cast<std::size_t>(i)]);
}

// work(token, first column, columns) over pieces of at most kPiece columns.
template <typename Work>
void in_pieces(std::int64_t tokens, std::int64_t width, const Work& work) {
  at::parallel_for(0, tokens, rows_a_thread(width), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t)
      for (std::int64_t d = 0; d < width; d += kPiece) work(t, d, std::min(kPiece, width - d));
  });
}

}  // namespace

template <typename G>
void swiglu(std::int64_t tokens, std::int64_t width, const G* gate_up, G* y) {
  using A = Compute<G>;
  in_pieces(tokens, width, [&](std::int64_t t, std::int64_t begin, std::int64_t count) {
    const G* gates = gate_up + t * 2 * width + begin;
    const G* ups = gates + width;
    G* to = y + t * width + begin;
    std::array<A, kPiece> gate{};
    std::array<A, kPiece> sigmoid{};
    for (std::int64_t i = 0; i < count; ++i) gate[static_cast<std::size_t>(i)] = up<A>(gates[i]);
    sigmoids(count, gate.data(), sigmoid.data());
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      to[i] = static_cast<G>(gate[at] * sigmoid[at] * up<A>(ups[i]));
    }
  });
}

template <typename G>
void swiglu_backward(std::int64_t tokens, std::int64_t width, const G* d_y, G* gate_up, G* y) {
  using A = Compute<G>;
  in_pieces(tokens, width, [&](std::int64_t t, std::int64_t begin, std::int64_t count) {
    G* gates = gate_up + t * 2 * width + begin;
    G* ups = gates + width;
    const G* d_from = d_y + t * width + begin;
    std::array<A, kPiece> gate{};
    std::array<A, kPiece> sigmoid{};
    for (std::int64_t i = 0; i < count; ++i) gate[static_cast<std::size_t>(i)] = up<A>(gates[i]);
    sigmoids(count, gate.data(), sigmoid.data());
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const A above = up<A>(ups[i]);
      const A silu = gate[at] * sigmoid[at];
      const A d = up<A>(d_from[i]);
      if (y) y[t * width + begin + i] = static_cast<G>(silu * above);
      gates[i] = static_cast<G>(d * above * sigmoid[at] * (A(1) + gate[at] * (A(1) - sigmoid[at])));
      ups[i] = static_cast<G>(d * silu);
    }
  });
}

// --- Small things ------------------------------------------------------------------------------

template <typename G>
void add(std::int64_t count, const G* y, Compute<G>* x) {
  at::parallel_for(0, count, kGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) x[i] += up<Compute<G>>(y[i]);
  });
}

template <typename From, typename To>
void convert(std::int64_t count, const From* from, To* to) {
  at::parallel_for(0, count, kGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) to[i] = static_cast<To>(from[i]);
  });
}

template <typename A>
void log_softmax_at(std::int64_t rows, std::int64_t vocabulary, const std::int64_t* targets,
                    A* logits, double* log_probabilities) {
  at::parallel_for(0, rows, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      A* line = logits + r * vocabulary;
      const A most = largest(vocabulary, line);
      const A target = line[targets[r]] - most;
      const A sum = exponentials(vocabulary, A(1), most, line);
      const A inverse = A(1) / sum;
      for (std::int64_t v = 0; v < vocabulary; ++v) line[v] *= inverse;
      log_probabilities[r] = static_cast<double>(target) - std::log(static_cast<double>(sum));
    }
  });
}

template <typename A>
void log_softmax_backward(std::int64_t rows, std::int64_t vocabulary, const std::int64_t* targets,
                          const double* coefficients, A* probabilities) {
  at::parallel_for(0, rows, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      A* line = probabilities + r * vocabulary;
      const A coefficient = static_cast<A>(coefficients[r]);
      for (std::int64_t v = 0; v < vocabulary; ++v) line[v] *= -coefficient;
      line[targets[r]] += coefficient;
    }
  });
}

template <typename A>
double sum_of_squares(std::int64_t count, const A* x) {
  const std::int64_t runs = (count + kGrain - 1) / kGrain;
  std::vector<double> sums(static_cast<std::size_t>(runs));
  at::parallel_for(0, runs, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t run = first; run < last; ++run) {
      const std::int64_t begin = run * kGrain;
      const A* from = x + begin;
      sums[static_cast<std::size_t>(run)] =
          static_cast<double>(dot(std::min(kGrain, count - begin), from, from));
    }
  });
  double sum = 0;
  for (const double one : sums) sum += one;
  return sum;
}

template <typename A>
void adamw(const AdamStep& step, std::int64_t count, const A* gradient, A* weight, A* mean,
           A* square) {
  const A beta1 = static_cast<A>(step.beta1);
  const A beta2 = static_cast<A>(step.beta2);
  const A rest1 = static_cast<A>(1 - step.beta1);
  const A rest2 = static_cast<A>(1 - step.beta2);
  const auto power = static_cast<double>(step.step);
  const A rate = static_cast<A>(step.learning_rate / (1 - std::pow(step.beta1, power)));
  const A root = static_cast<A>(1 / std::sqrt(1 - std::pow(step.beta2, power)));
  const A kept = static_cast<A>(1 - step.learning_rate * step.weight_decay);
  const A epsilon = static_cast<A>(step.epsilon);
  const A scale = static_cast<A>(step.scale);
  at::parallel_for(0, count, kGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const A g = gradient[i] * scale;
      mean[i] = beta1 * mean[i] + rest1 * g;
      square[i] = beta2 * square[i] + rest2 * g * g;
      weight[i] = weight[i] * kept - rate * mean[i] / (std::sqrt(square[i]) * root + epsilon);
    }
  });
}

// --- The types there are -----------------------------------------------------------------------

#define SELENE_KERNELS(G)                                                                         \
  template void attention<G>(const AttentionShape&, const BranchLayout&, const G*, G*,            \
                             Compute<G>*);                                                        \
  template void attention_backward<G>(const AttentionShape&, const BranchLayout&, const G*,       \
                                      const G*, const Compute<G>*, const G*, G*);                 \
  template void rope<G>(const AttentionShape&, const std::int32_t*, const RopeTable<Compute<G>>&, \
                        bool, G*);                                                                \
  template void rms_norm<G>(std::int64_t, std::int64_t, const Compute<G>*, const Compute<G>*,     \
                            float, G*, Compute<G>*);                                              \
  template void rms_norm_backward<G>(std::int64_t, std::int64_t, const Compute<G>*,               \
                                     const Compute<G>*, const Compute<G>*, const G*, Compute<G>*, \
                                     Compute<G>*);                                                \
  template void swiglu<G>(std::int64_t, std::int64_t, const G*, G*);                              \
  template void swiglu_backward<G>(std::int64_t, std::int64_t, const G*, G*, G*);                 \
  template void add<G>(std::int64_t, const G*, Compute<G>*);                                      \
  template void convert<Compute<G>, G>(std::int64_t, const Compute<G>*, G*);
SELENE_KERNELS(float)
SELENE_KERNELS(double)
SELENE_KERNELS(c10::BFloat16)
#undef SELENE_KERNELS
template void convert<c10::BFloat16, float>(std::int64_t, const c10::BFloat16*, float*);
template void convert<float, double>(std::int64_t, const float*, double*);

#define SELENE_KERNELS(A)                                                                        \
  template struct RopeTable<A>;                                                                  \
  template void log_softmax_at<A>(std::int64_t, std::int64_t, const std::int64_t*, A*, double*); \
  template void log_softmax_backward<A>(std::int64_t, std::int64_t, const std::int64_t*,         \
                                        const double*, A*);                                      \
  template double sum_of_squares<A>(std::int64_t, const A*);                                     \
  template void adamw<A>(const AdamStep&, std::int64_t, const A*, A*, A*, A*);
SELENE_KERNELS(float)
SELENE_KERNELS(double)
#undef SELENE_KERNELS

}  // namespace selene::train
