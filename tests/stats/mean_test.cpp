#include "stats/mean.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace selene::stats {
namespace {

using List = std::vector<double>;
using Numbers = std::vector<std::size_t>;

void expect_same(const Estimate& estimate, const Estimate& expected) {
  EXPECT_NEAR(estimate.value, expected.value, 1e-15);
  EXPECT_NEAR(estimate.interval.low, expected.interval.low, 1e-15);
  EXPECT_NEAR(estimate.interval.high, expected.interval.high, 1e-15);
}

TEST(MeanEstimate, OfRightAndWrongItemsIsWilsons) {
  expect_same(*mean_estimate(List{1, 0, 1, 1}, {}), proportion(3, 4));
  expect_same(*mean_estimate(List{1}, {}), proportion(1, 1));
  expect_same(*mean_estimate(List(100, 1.0), {}), proportion(100, 100));
}

TEST(MeanEstimate, OfClustersAndOfOtherScoresIsTheBcaBootstraps) {
  const List scores = {1, 0, 1, 1, 0, 1, 1, 1, 1, 0};
  const Numbers clusters = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
  const Resampling resampling{.resamples = 500, .clusters = clusters, .kind = IntervalKind::Bca};
  expect_same(*mean_estimate(scores, {.resamples = 500, .clusters = clusters}),
              bootstrap(mean_of(scores), resampling)->estimate);
  const List halves = {1, 0, 0.5, 1, 0, 0.5, 1};
  expect_same(*mean_estimate(halves, {.resamples = 500}),
              bootstrap(mean_of(halves), {.resamples = 500, .kind = IntervalKind::Bca})->estimate);
}

TEST(MeanEstimate, WhereClustersCannotDifferEachCountsAsAnItem) {
  const Numbers clusters = {1, 1, 1, 2, 2, 3};
  expect_same(*mean_estimate(List(6, 1.0), {.resamples = 50, .clusters = clusters}),
              proportion(3, 3));
  expect_same(*mean_estimate(List(6, 0.0), {.resamples = 50, .clusters = clusters}),
              proportion(0, 3));
  expect_same(*mean_estimate(List{1, 0, 1, 1}, {.resamples = 50, .clusters = Numbers(4)}),
              proportion_of_share(0.75, 1));
  expect_same(*mean_estimate(List(5, 0.5), {.resamples = 50}), proportion_of_share(0.5, 5));
}

TEST(MeanEstimate, OfNothingIsEmptyAndAScoreOutsideABug) {
  EXPECT_FALSE(mean_estimate({}, {}));
  EXPECT_THROW(mean_estimate(List{1.5}, {}), std::logic_error);
  EXPECT_THROW(mean_estimate(List{-1}, {}), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
