#include "engine/q8_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include <ggml.h>

namespace selene::engine {
namespace {

class Q8ProductTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_q8_product()) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  }

  void make(std::int64_t depth, std::int64_t rows, std::int64_t columns) {
    depth_ = depth, rows_ = rows, columns_ = columns;
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<float> weights(static_cast<size_t>(rows * depth));
    for (float& value : weights) value = normal(random);
    weights_.resize(ggml_row_size(GGML_TYPE_Q8_0, depth) * static_cast<size_t>(rows));
    ggml_quantize_chunk(GGML_TYPE_Q8_0, weights.data(), weights_.data(), 0, rows, depth, nullptr);
    x_.resize(static_cast<size_t>(columns * depth));
    for (float& value : x_) value = 3 * normal(random);
  }

  std::vector<float> product(std::int64_t from, std::int64_t to, int threads) {
    std::vector<float> out(static_cast<size_t>((to - from) * rows_), -1);
    Q8ProductInput in;
    in.depth = depth_, in.rows = rows_, in.columns = to - from;
    in.weights = reinterpret_cast<const char*>(weights_.data());
    in.weights_row = static_cast<std::int64_t>(ggml_row_size(GGML_TYPE_Q8_0, depth_));
    in.x_column = depth_ * static_cast<std::int64_t>(sizeof(float));
    in.x = reinterpret_cast<const char*>(x_.data()) + from * in.x_column;
    in.out = reinterpret_cast<char*>(out.data());
    in.out_column = rows_ * static_cast<std::int64_t>(sizeof(float));
    q8_product(in, threads, scratch_);
    return out;
  }

  // With the activations of a block rounded to 127 steps of its largest.
  double expected(std::int64_t row, std::int64_t column) const {
    std::vector<float> weights(static_cast<size_t>(depth_));
    ggml_get_type_traits(GGML_TYPE_Q8_0)
        ->to_float(
            weights_.data() + ggml_row_size(GGML_TYPE_Q8_0, depth_) * static_cast<size_t>(row),
            weights.data(), depth_);
    double sum = 0;
    for (std::int64_t block = 0; block < depth_; block += 32) {
      const float* x = x_.data() + column * depth_ + block;
      float largest = 0;
      for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
      if (largest == 0) continue;
      const float inverse = 127 / largest;
      for (int i = 0; i < 32; ++i) {
        sum += static_cast<double>(weights[static_cast<size_t>(block + i)]) *
               std::nearbyint(x[i] * inverse) * largest / 127;
      }
    }
    return sum;
  }

  std::int64_t depth_ = 0, rows_ = 0, columns_ = 0;
  std::vector<std::uint8_t> weights_;
  std::vector<float> x_;
  Q8Scratch scratch_;
};

TEST_F(Q8ProductTest, IsTheProductOfWhatIsRounded) {
  for (const std::int64_t columns : {1, 3, 8, 13, 40}) {
    make(/*depth=*/576, /*rows=*/48, columns);
    std::fill_n(x_.begin() + 64, 32, 0.0F);  // A block of zeros.
    const std::vector<float> out = product(0, columns, 2);
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t row = 0; row < rows_; ++row) {
        ASSERT_NEAR(out[static_cast<size_t>(column * rows_ + row)], expected(row, column), 1e-3)
            << columns << " columns, row " << row << ", column " << column;
      }
    }
  }
}

TEST_F(Q8ProductTest, BitsDoNotDependOnColumnsOrThreads) {
  make(/*depth=*/1536, /*rows=*/80, /*columns=*/37);
  const std::vector<float> together = product(0, columns_, 1);
  for (const int threads : {1, 2, 3}) {
    for (const std::int64_t count : {1, 2, 5, 12, 20}) {
      for (std::int64_t from = 0; from + count <= columns_; from += count) {
        const std::vector<float> apart = product(from, from + count, threads);
        ASSERT_EQ(
            std::memcmp(apart.data(), together.data() + from * rows_, apart.size() * sizeof(float)),
            0)
            << threads << " threads, columns " << from << " to " << from + count;
      }
    }
  }
}

}  // namespace
}  // namespace selene::engine
