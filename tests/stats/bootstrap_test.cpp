#include "stats/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "core/random.h"
#include "stats/classification.h"
#include "stats/correlation.h"
#include "stats/golden.h"

namespace selene::stats {
namespace {

using List = std::vector<double>;
using Numbers = std::vector<std::size_t>;

List drawn(std::size_t items, double share, std::uint64_t seed) {
  Random random(seed);
  List scores;
  for (std::size_t i = 0; i < items; ++i) scores.push_back(random.uniform() < share ? 1 : 0);
  return scores;
}

// The same statistic the other way.
CountStatistic counted(const SumStatistic& statistic) {
  return [statistic](std::span<const std::uint32_t> counts) {
    List sums(statistic.width);
    for (std::size_t i = 0; i < statistic.values.size(); ++i) {
      sums[i % statistic.width] += counts[i / statistic.width] * statistic.values[i];
    }
    return statistic.of(sums);
  };
}

void expect_same(const Bootstrap& value, const Bootstrap& expected, double tolerance = 0) {
  EXPECT_NEAR(value.estimate.value, expected.estimate.value, tolerance);
  EXPECT_NEAR(value.estimate.interval.low, expected.estimate.interval.low, tolerance);
  EXPECT_NEAR(value.estimate.interval.high, expected.estimate.interval.high, tolerance);
  EXPECT_NEAR(value.p_of_zero, expected.p_of_zero, tolerance);
  EXPECT_EQ(value.undefined, expected.undefined);
}

void expect_interval(const Interval& interval, const nlohmann::json& expected, double tolerance) {
  EXPECT_NEAR(interval.low, expected[0], tolerance);
  EXPECT_NEAR(interval.high, expected[1], tolerance);
}

TEST(Bootstrap, ThreadsChangeNoNumber) {
  const List scores = drawn(3000, 0.7, 5);
  Numbers clusters;
  for (std::size_t i = 0; i < scores.size(); ++i) clusters.push_back(i / 3);
  const List other = drawn(3000, 0.6, 6);
  const auto with = [&](int threads, auto statistic, IntervalKind kind) {
    const Resampling how{.resamples = 3'001,
                         .seed = 9,
                         .clusters = clusters,
                         .strata = {},
                         .kind = kind,
                         .threads = threads};
    if constexpr (std::is_same_v<decltype(statistic), SumStatistic>) {
      return *bootstrap(statistic, how);
    } else {
      return *bootstrap(statistic, scores.size(), how);
    }
  };
  for (const int threads : {2, 3, 7}) {
    expect_same(with(threads, mean_of(scores), IntervalKind::Bca),
                with(1, mean_of(scores), IntervalKind::Bca));
    expect_same(with(threads, kendall_of(scores, other), IntervalKind::Percentile),
                with(1, kendall_of(scores, other), IntervalKind::Percentile));
  }
}

TEST(Bootstrap, AgreesWithSciPyOnTheLawSchools) {
  const auto schools = testing::golden("bootstraps")["law_schools"];
  const SumStatistic correlation = pearson_of(schools["x"].get<List>(), schools["y"].get<List>());
  Resampling resampling{.resamples = 200'000};
  const auto percentile = bootstrap(correlation, resampling);
  EXPECT_NEAR(percentile->estimate.value, 0.776, 5e-4);  // As the book has it.
  expect_interval(percentile->estimate.interval, schools["percentile"], 0.005);
  resampling.kind = IntervalKind::Bca;
  expect_interval(bootstrap(correlation, resampling)->estimate.interval, schools["bca"], 0.01);
}

TEST(Bootstrap, AgreesWithSciPyOnClusters) {
  const auto golden = testing::golden("bootstraps")["clusters"];
  List scores;
  Numbers clusters;
  for (std::size_t cluster = 0; cluster < golden["sizes"].size(); ++cluster) {
    for (int i = 0; i < golden["sizes"][cluster]; ++i) {
      scores.push_back(i < golden["hits"][cluster] ? 1 : 0);
      clusters.push_back(cluster);
    }
  }
  Resampling resampling{.resamples = 200'000, .clusters = clusters};
  expect_interval(bootstrap(mean_of(scores), resampling)->estimate.interval, golden["percentile"],
                  0.002);
  resampling.kind = IntervalKind::Bca;
  expect_interval(bootstrap(mean_of(scores), resampling)->estimate.interval, golden["bca"], 0.002);
}

// By hand: artanh r -+ t times the root of (n - 1) / n times the sum of the squared distances of
// the jackknife's values, from Pearson's of shorter lists.
TEST(Bootstrap, FisherZIsTheJackknifesInterval) {
  const auto schools = testing::golden("bootstraps")["law_schools"];
  const List x = schools["x"];
  const List y = schools["y"];
  List without;
  double mean = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    List shorter_x = x;
    List shorter_y = y;
    shorter_x.erase(shorter_x.begin() + static_cast<std::ptrdiff_t>(i));
    shorter_y.erase(shorter_y.begin() + static_cast<std::ptrdiff_t>(i));
    without.push_back(std::atanh(*pearson(shorter_x, shorter_y)));
    mean += without.back() / 15;
  }
  double squares = 0;
  for (const double value : without) squares += (value - mean) * (value - mean);
  const double half = 2.1447866879169273 * std::sqrt(14.0 / 15 * squares);  // t of 14 degrees.
  const double centre = std::atanh(*pearson(x, y));
  const auto result = bootstrap(pearson_of(x, y), {.kind = IntervalKind::FisherZ});
  expect_interval(result->estimate.interval, {std::tanh(centre - half), std::tanh(centre + half)},
                  1e-9);
  EXPECT_LT(result->p_of_zero, 0.05);
}

// Without a spread nothing is known of others, however few or many there are.
TEST(Bootstrap, FisherZOfAPerfectCorrelationIsNothing) {
  const List x = {1, 2, 3, 5, 8};
  EXPECT_FALSE(bootstrap(pearson_of(x, x), {.kind = IntervalKind::FisherZ}));
  const List two = {1, 2};
  EXPECT_FALSE(bootstrap(pearson_of(two, List{1, 3}), {.kind = IntervalKind::FisherZ}));
}

TEST(Bootstrap, OfManyItemsIsTheNormalInterval) {
  const List scores = drawn(2000, 0.7, 1);
  const Estimate estimate = bootstrap(mean_of(scores), {})->estimate;
  const double half = 1.96 * std::sqrt(estimate.value * (1 - estimate.value) / 2000);
  EXPECT_NEAR(estimate.interval.low, estimate.value - half, 0.001);
  EXPECT_NEAR(estimate.interval.high, estimate.value + half, 0.001);
}

TEST(Bootstrap, TheSameSeedGivesTheSameNumbers) {
  const List scores = drawn(100, 0.7, 1);
  const Resampling resampling{.resamples = 500, .seed = 7};
  const auto first = bootstrap(mean_of(scores), resampling);
  expect_same(*bootstrap(mean_of(scores), resampling), *first);
  const auto other =
      bootstrap(pearson_of(scores, drawn(100, 0.5, 2)), {.resamples = 500, .seed = 8});
  EXPECT_NE(bootstrap(pearson_of(scores, drawn(100, 0.5, 2)), resampling)->estimate.interval.low,
            other->estimate.interval.low);
}

// Written down once: a change of them changes every report.
TEST(Bootstrap, NumbersOfASeedStay) {
  const List scores = {1, 0, 1, 1, 0, 1, 1, 1, 0, 1};
  const auto result = bootstrap(mean_of(scores), {.resamples = 1000, .seed = 3});
  EXPECT_NEAR(result->estimate.interval.low, 0.29358055749150774, 1e-12);
  EXPECT_NEAR(result->estimate.interval.high, 1, 1e-12);
}

TEST(Bootstrap, SumsAndCountsAgree) {
  const List x = drawn(60, 0.5, 1);
  const List y = drawn(60, 0.5, 2);
  Numbers fives;
  for (std::size_t i = 0; i < 60; ++i) fives.push_back(i / 5);
  for (const IntervalKind kind : {IntervalKind::Percentile, IntervalKind::Bca}) {
    for (const Numbers& of : {Numbers{}, fives}) {
      const Resampling resampling{.resamples = 300, .clusters = of, .kind = kind};
      const SumStatistic sums = pearson_of(x, y);
      expect_same(*bootstrap(counted(sums), 60, resampling), *bootstrap(sums, resampling), 1e-9);
    }
  }
}

TEST(Bootstrap, ClustersOfOneAreItems) {
  const List scores = drawn(80, 0.6, 3);
  Numbers own;
  for (std::size_t i = 0; i < 80; ++i) own.push_back(1000 - i);
  expect_same(*bootstrap(mean_of(scores), {.resamples = 200, .clusters = own}),
              *bootstrap(mean_of(scores), {.resamples = 200}));
}

TEST(Bootstrap, RepeatingEachItemInItsClusterChangesNothing) {
  const List scores = drawn(40, 0.6, 3);
  List twice;
  Numbers clusters;
  for (std::size_t i = 0; i < 80; ++i) {
    twice.push_back(scores[i / 2]);
    clusters.push_back(i / 2);
  }
  expect_same(*bootstrap(mean_of(twice), {.resamples = 200, .clusters = clusters}),
              *bootstrap(mean_of(scores), {.resamples = 200}), 1e-12);
}

TEST(Bootstrap, ItemsOfAClusterNeedNotStandTogether) {
  const List scores = {1, 0, 1, 0, 1, 1};
  const Numbers apart = {0, 1, 2, 0, 1, 2};
  const List sorted = {1, 0, 0, 1, 1, 1};
  const Numbers together = {5, 5, 7, 7, 9, 9};
  expect_same(*bootstrap(mean_of(scores), {.resamples = 200, .clusters = apart}),
              *bootstrap(mean_of(sorted), {.resamples = 200, .clusters = together}), 1e-12);
}

TEST(Bootstrap, StrataKeepTheirSizes) {
  // All of the first stratum are right and none of the second: a resample cannot differ.
  const List scores = {1, 1, 1, 0, 0, 0, 0, 0};
  const Numbers strata = {3, 3, 3, 1, 1, 1, 1, 1};
  const auto result = bootstrap(mean_of(scores), {.resamples = 200, .strata = strata});
  EXPECT_EQ(result->estimate.interval.low, result->estimate.interval.high);
  EXPECT_EQ(result->estimate.value, 0.375);
  const auto loose = bootstrap(mean_of(scores), {.resamples = 200});
  EXPECT_LT(loose->estimate.interval.low, loose->estimate.interval.high);
}

TEST(Bootstrap, TheMeanOfGroupsWeighsThem) {
  const List scores = {1, 0, 1, 1, 1, 0};
  const Numbers groups = {0, 0, 1, 1, 1, 1};
  EXPECT_NEAR(*value_of(group_mean_of(scores, groups, {})), (0.5 + 0.75) / 2, 1e-15);
  EXPECT_NEAR(*value_of(group_mean_of(scores, groups, List{3, 1})), (3 * 0.5 + 0.75) / 4, 1e-15);
  EXPECT_THROW(group_mean_of(scores, groups, List{1}), std::logic_error);
  EXPECT_THROW(group_mean_of(scores, groups, List{1, 1, 1}), std::logic_error);
  EXPECT_THROW(group_mean_of(scores, Numbers{0}, {}), std::logic_error);
}

TEST(Bootstrap, ARunWithItselfDiffersByAPointAtZero) {
  const List scores = drawn(50, 0.7, 4);
  const List lengths = drawn(50, 0.5, 5);
  for (const IntervalKind kind : {IntervalKind::Percentile, IntervalKind::Bca}) {
    const Resampling resampling{.resamples = 200, .kind = kind};
    const Bootstrap expected{{0, {0, 0}}, 1, 0};
    expect_same(*bootstrap_difference(mean_of(scores), mean_of(scores), resampling), expected);
    const CountStatistic rank = spearman_of(scores, lengths);
    expect_same(*bootstrap_difference(rank, rank, 50, resampling), expected);
  }
}

TEST(Bootstrap, SwappingTheRunsNegates) {
  const List first = drawn(200, 0.6, 6);
  const List second = drawn(200, 0.7, 7);
  const Resampling resampling{.resamples = 500};
  const auto there = bootstrap_difference(mean_of(first), mean_of(second), resampling);
  const auto back = bootstrap_difference(mean_of(second), mean_of(first), resampling);
  expect_same(
      *back,
      {{-there->estimate.value, {-there->estimate.interval.high, -there->estimate.interval.low}},
       there->p_of_zero,
       0},
      1e-12);
}

TEST(Bootstrap, PairsAreDrawnTogether) {
  List first = drawn(300, 0.5, 8);
  List second = first;
  second[0] = 1 - second[0];
  const auto result = bootstrap_difference(mean_of(first), mean_of(second), {.resamples = 1000});
  EXPECT_LT(result->estimate.interval.high - result->estimate.interval.low, 0.02);
}

TEST(Bootstrap, PIsBelowOneInTwentyWhereZeroIsOutside) {
  for (const IntervalKind kind : {IntervalKind::Percentile, IntervalKind::Bca}) {
    int outside = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const auto result = bootstrap_difference(mean_of(drawn(60, 0.6, 2 * seed)),
                                               mean_of(drawn(60, 0.75, 2 * seed + 1)),
                                               {.resamples = 400, .seed = seed, .kind = kind});
      const Interval& interval = result->estimate.interval;
      const bool is_outside = interval.low > 0 || interval.high < 0;
      outside += is_outside ? 1 : 0;
      EXPECT_EQ(is_outside, result->p_of_zero < 0.05) << seed;
      EXPECT_LE(result->p_of_zero, 1);
    }
    EXPECT_GT(outside, 40);
    EXPECT_LT(outside, 160);
  }
}

// The z test of the same difference.
TEST(Bootstrap, PAgreesWithTheNormalTest) {
  List difference(1000);
  for (std::size_t i = 0; i < 60; ++i) difference[i] = 1;
  for (std::size_t i = 60; i < 100; ++i) difference[i] = -1;
  const auto result = bootstrap(mean_of(difference), {.resamples = 100'000});
  EXPECT_NEAR(result->p_of_zero, 0.0452, 0.003);
}

TEST(Bootstrap, FewClustersWiden) {
  const List scores = drawn(120, 0.6, 9);
  const auto width = [&](std::size_t clusters) {
    Numbers of;
    for (std::size_t i = 0; i < 120; ++i) of.push_back(i % clusters);
    const Interval interval =
        bootstrap(mean_of(scores), {.resamples = 5000, .clusters = of})->estimate.interval;
    return interval.high - interval.low;
  };
  EXPECT_GT(width(3), 0);
  EXPECT_LT(width(120), 0.2);
}

TEST(Bootstrap, CountsResamplesWithoutAValue) {
  const List rare = {0, 0, 0, 1};
  const List other = {1, 2, 3, 4};
  const auto result = bootstrap(pearson_of(rare, other), {.resamples = 1000});
  ASSERT_TRUE(result);
  EXPECT_NEAR(static_cast<double>(result->undefined) / 1000, std::pow(0.75, 4), 0.05);
}

TEST(Bootstrap, IsEmptyWhereNothingCanBeSaid) {
  EXPECT_FALSE(bootstrap(mean_of({}), {}));
  EXPECT_FALSE(bootstrap(mean_of(List{1}), {}));
  EXPECT_FALSE(bootstrap(mean_of(List{1, 0}), {.clusters = Numbers{4, 4}}));
  EXPECT_FALSE(bootstrap(mean_of(List{1, 0}), {.strata = Numbers{1, 2}}));
  EXPECT_FALSE(bootstrap(pearson_of(List{1, 1, 1}, List{1, 2, 3}), {}));
  const CountStatistic seldom = [](std::span<const std::uint32_t> counts) -> std::optional<double> {
    if (counts[0] != 1 || counts[1] != 1 || counts[2] != 1) return std::nullopt;
    return 1;
  };
  EXPECT_FALSE(bootstrap(seldom, 3, {.resamples = 1000}));
}

TEST(Bootstrap, TheValueIsInItsInterval) {
  // Resamples have fewer distinct items: their statistic is always below.
  const CountStatistic distinct =
      [](std::span<const std::uint32_t> counts) -> std::optional<double> {
    double sum = 0;
    for (const std::uint32_t count : counts) sum += count > 0 ? 1 : 0;
    return sum;
  };
  for (const IntervalKind kind : {IntervalKind::Percentile, IntervalKind::Bca}) {
    const auto result = bootstrap(distinct, 20, {.resamples = 500, .kind = kind});
    EXPECT_LE(result->estimate.interval.low, 20);
    EXPECT_EQ(result->estimate.interval.high, 20);
  }
}

TEST(Bootstrap, NumbersKeysInTheirOrder) {
  EXPECT_EQ(numbered(std::vector<std::string>{"b", "a", "b", "", "a"}), (Numbers{0, 1, 0, 2, 1}));
  EXPECT_EQ(numbered({}), Numbers{});
}

TEST(Bootstrap, MisshapenInputIsABug) {
  const List scores = {1, 0, 1};
  EXPECT_THROW(bootstrap(mean_of(scores), {.resamples = 0}), std::logic_error);
  EXPECT_THROW(bootstrap(mean_of(List{3, 4}), {.kind = IntervalKind::FisherZ}), std::logic_error);
  EXPECT_THROW(bootstrap(mean_of(scores), {.clusters = Numbers{1, 2}}), std::logic_error);
  EXPECT_THROW(
      bootstrap(mean_of(scores), {.clusters = Numbers{1, 1, 2}, .strata = Numbers{1, 2, 2}}),
      std::logic_error);
  EXPECT_THROW(bootstrap_difference(mean_of(scores), mean_of(List{1}), {}), std::logic_error);
  EXPECT_THROW(ratio_of(scores, List{1}), std::logic_error);
}

TEST(Bootstrap, ARatioOfNothingIsUndefined) {
  EXPECT_FALSE(value_of(ratio_of(List{1, 2}, List{0, 0})));
  EXPECT_EQ(*value_of(ratio_of(List{1, 2}, List{4, 2})), 0.5);
}

}  // namespace
}  // namespace selene::stats
