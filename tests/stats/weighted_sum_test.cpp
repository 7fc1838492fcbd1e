#include "stats/weighted_sum.h"

#include <gtest/gtest.h>

#include <vector>

namespace selene::stats {
namespace {

TEST(WeightedSum, OfOneIsTheOne) {
  const Estimate sum = weighted_sum(std::vector<Weighted>{{{0.6, {0.4, 0.7}}, 1}});
  EXPECT_DOUBLE_EQ(sum.value, 0.6);
  EXPECT_DOUBLE_EQ(sum.interval.low, 0.4);
  EXPECT_DOUBLE_EQ(sum.interval.high, 0.7);
}

// By hand: 1/2 (0.6 + 0.8) less 1/2 sqrt(0.03^2 + 0.04^2), and more by 1/2 sqrt(0.06^2 + 0.08^2).
TEST(WeightedSum, DistancesAreSquaredAndAdded) {
  const Estimate mean =
      weighted_sum(std::vector<Weighted>{{{0.6, {0.57, 0.66}}, 0.5}, {{0.8, {0.76, 0.88}}, 0.5}});
  EXPECT_NEAR(mean.value, 0.7, 1e-12);
  EXPECT_NEAR(mean.interval.low, 0.7 - 0.025, 1e-12);
  EXPECT_NEAR(mean.interval.high, 0.7 + 0.05, 1e-12);
}

// R. G. Newcombe, "Interval estimation for the difference between independent proportions",
// Statistics in Medicine 17 (1998), table II, method 10, rows (a) and (c).
TEST(WeightedSum, ADifferenceIsNewcombes) {
  const auto difference = [](std::int64_t a, std::int64_t m, std::int64_t b, std::int64_t n) {
    return weighted_sum(std::vector<Weighted>{{proportion(a, m), 1}, {proportion(b, n), -1}});
  };
  const Estimate first = difference(56, 70, 48, 80);
  EXPECT_NEAR(first.value, 0.2, 1e-12);
  EXPECT_NEAR(first.interval.low, 0.0524, 5e-5);
  EXPECT_NEAR(first.interval.high, 0.3339, 5e-5);
  const Estimate third = difference(6, 7, 2, 7);
  EXPECT_NEAR(third.interval.low, 0.0582, 5e-5);
  EXPECT_NEAR(third.interval.high, 0.8062, 5e-5);
}

}  // namespace
}  // namespace selene::stats
