#include "engine/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <ggml.h>

namespace selene::engine {
namespace {

struct Shape {
  std::int64_t key_size = 64, value_size = 64, queries = 5, keys = 200, heads = 9, key_heads = 3;
  std::int64_t streams = 2;
  float softcap = 0, max_alibi = 0;
  bool mask = true, sinks = false;
};

// Random data in the layout of llama.cpp's cache: the heads of a key side by side.
class Problem {
 public:
  explicit Problem(const Shape& shape) : shape_(shape) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::int64_t count, float scale) {
      std::vector<float> values(static_cast<size_t>(count));
      for (float& value : values) value = scale * normal(random);
      return values;
    };
    q_ = fill(shape.streams * shape.heads * shape.queries * shape.key_size, 2);
    const std::int64_t cells = shape.streams * shape.keys * shape.key_heads;
    k_ = halves(fill(cells * shape.key_size, 1));
    v_ = halves(fill(cells * shape.value_size, 1));
    sinks_ = fill(shape.heads, 3);
    // Query i sees the first keys: more with every one, and in the second stream fewer.
    std::vector<float> mask;
    for (std::int64_t s = 0; s < shape.streams; ++s) {
      for (std::int64_t i = 0; i < shape.queries; ++i) {
        for (std::int64_t j = 0; j < shape.keys; ++j) {
          const bool seen = j <= shape.keys - shape.queries + i - 70 * s;
          mask.push_back(seen ? -static_cast<float>(j % 3) * (shape.max_alibi > 0 ? 1.0F : 0.0F)
                              : -std::numeric_limits<float>::infinity());
        }
      }
    }
    mask_ = halves(mask);
  }

  // Queries [from, to) of every stream.
  AttentionInput input(std::int64_t from, std::int64_t to, std::vector<float>& out) const {
    const Shape& s = shape_;
    constexpr std::int64_t kFloat = sizeof(float), kHalf = sizeof(ggml_fp16_t);
    AttentionInput in;
    in.key_size = s.key_size, in.value_size = s.value_size, in.keys = s.keys;
    in.queries = to - from, in.heads = s.heads, in.key_heads = s.key_heads, in.streams = s.streams;
    in.q_query = s.key_size * kFloat, in.q_head = s.queries * in.q_query;
    in.q_stream = s.heads * in.q_head;
    in.q = reinterpret_cast<const char*>(q_.data()) + from * in.q_query;
    in.k_head = s.key_size * kHalf, in.k_key = s.key_heads * in.k_head;
    in.k_stream = s.keys * in.k_key;
    in.k = reinterpret_cast<const char*>(k_.data());
    in.v_head = s.value_size * kHalf, in.v_key = s.key_heads * in.v_head;
    in.v_stream = s.keys * in.v_key;
    in.v = reinterpret_cast<const char*>(v_.data());
    in.mask_query = s.keys * kHalf, in.mask_stream = s.queries * in.mask_query;
    if (s.mask) in.mask = reinterpret_cast<const char*>(mask_.data()) + from * in.mask_query;
    if (s.sinks) in.sinks = sinks_.data();
    out.assign(static_cast<size_t>(s.streams * in.queries * s.heads * s.value_size), -1);
    in.out = out.data();
    in.scale = 0.125F, in.softcap = s.softcap, in.max_alibi = s.max_alibi;
    return in;
  }

  // The definition: softmax of the scores, times the values.
  std::vector<double> expected(std::int64_t stream, std::int64_t query, std::int64_t head) const {
    const Shape& s = shape_;
    const std::int64_t key_head = head / (s.heads / s.key_heads);
    const double heads = std::pow(2, std::floor(std::log2(static_cast<double>(s.heads))));
    const auto number = static_cast<double>(head);
    double slope = 1;
    if (s.max_alibi > 0) {
      slope = number < heads
                  ? std::pow(std::pow(2, -s.max_alibi / heads), number + 1)
                  : std::pow(std::pow(2, -s.max_alibi / 2 / heads), 2 * (number - heads) + 1);
    }
    std::vector<double> scores;
    for (std::int64_t j = 0; j < s.keys; ++j) {
      double score = 0;
      for (std::int64_t i = 0; i < s.key_size; ++i) {
        score += q_[at(((stream * s.heads + head) * s.queries + query) * s.key_size + i)] *
                 half(k_, ((stream * s.keys + j) * s.key_heads + key_head) * s.key_size + i);
      }
      score *= 0.125;
      if (s.softcap != 0) score = s.softcap * std::tanh(score / s.softcap);
      if (s.mask) score += slope * half(mask_, (stream * s.queries + query) * s.keys + j);
      scores.push_back(score);
    }
    double sum = s.sinks ? std::exp(sinks_[at(head)]) : 0;
    std::vector<double> out(at(s.value_size), 0.0);
    for (std::int64_t j = 0; j < s.keys; ++j) {
      const double weight = std::exp(scores[at(j)]);
      sum += weight;
      const std::int64_t value = ((stream * s.keys + j) * s.key_heads + key_head) * s.value_size;
      for (std::int64_t d = 0; d < s.value_size; ++d) out[at(d)] += weight * half(v_, value + d);
    }
    for (double& value : out) value = sum == 0 ? 0 : value / sum;
    return out;
  }

  const Shape& shape() const { return shape_; }

 private:
  static size_t at(std::int64_t index) { return static_cast<size_t>(index); }
  static double half(const std::vector<ggml_fp16_t>& values, std::int64_t index) {
    return ggml_fp16_to_fp32(values[at(index)]);
  }
  static std::vector<ggml_fp16_t> halves(const std::vector<float>& values) {
    std::vector<ggml_fp16_t> made(values.size());
    ggml_fp32_to_fp16_row(values.data(), made.data(), static_cast<std::int64_t>(values.size()));
    return made;
  }

  Shape shape_;
  std::vector<float> q_, sinks_;
  std::vector<ggml_fp16_t> k_, v_, mask_;
};

void expect_defined(const Shape& shape) {
  const Problem problem(shape);
  std::vector<float> out;
  std::vector<std::vector<float>> scratch;
  attend(problem.input(0, shape.queries, out), 2, scratch);
  size_t at = 0;
  for (std::int64_t stream = 0; stream < shape.streams; ++stream)
    for (std::int64_t query = 0; query < shape.queries; ++query)
      for (std::int64_t head = 0; head < shape.heads; ++head)
        for (const double value : problem.expected(stream, query, head))
          ASSERT_NEAR(out[at++], value, 2e-5) << stream << " " << query << " " << head;
}

TEST(Attention, IsTheSoftmaxOfTheScoresTimesTheValues) { expect_defined({}); }
TEST(Attention, TakesHeadsOfOtherSizes) {
  expect_defined({.key_size = 80, .value_size = 48, .heads = 4, .key_heads = 4});
  expect_defined({.key_size = 192, .value_size = 128, .queries = 2, .heads = 128, .key_heads = 1});
}
TEST(Attention, TakesManyQueries) {
  expect_defined({.queries = 100, .keys = 256, .heads = 4, .key_heads = 2, .streams = 1});
}
TEST(Attention, TakesFewerKeysThanATile) {
  expect_defined({.queries = 3, .keys = 17, .streams = 1});
}
TEST(Attention, CapsScoresSoftly) { expect_defined({.softcap = 3}); }
TEST(Attention, BiasesByDistance) { expect_defined({.max_alibi = 8}); }
TEST(Attention, GivesSinksTheirShare) { expect_defined({.sinks = true}); }
TEST(Attention, NeedsNoMask) { expect_defined({.streams = 1, .mask = false}); }

TEST(Attention, AQueryThatSeesNothingGivesZeros) {
  // In the second stream the first queries see no key.
  expect_defined({.queries = 5, .keys = 72});
}

TEST(Attention, BitsDoNotDependOnCompanyOrThreads) {
  const Problem problem({.queries = 61, .keys = 300});
  const Shape& s = problem.shape();
  std::vector<std::vector<float>> scratch;
  std::vector<float> together;
  attend(problem.input(0, s.queries, together), 1, scratch);
  for (const int threads : {1, 2, 3}) {
    for (const std::int64_t count : {1, 2, 7, 40}) {
      for (std::int64_t from = 0; from + count <= s.queries; from += count) {
        std::vector<float> apart;
        attend(problem.input(from, from + count, apart), threads, scratch);
        const std::int64_t row = s.heads * s.value_size;
        for (std::int64_t stream = 0; stream < s.streams; ++stream) {
          const float* expected = together.data() + (stream * s.queries + from) * row;
          const float* got = apart.data() + stream * count * row;
          ASSERT_EQ(std::memcmp(expected, got, static_cast<size_t>(count * row) * sizeof(float)), 0)
              << threads << " threads, queries " << from << " to " << from + count;
        }
      }
    }
  }
}

}  // namespace
}  // namespace selene::engine
