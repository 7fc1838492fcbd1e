#include "stats/correlation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/random.h"
#include "stats/golden.h"

namespace selene::stats {
namespace {

using List = std::vector<double>;

struct Lists {
  List x;
  List y;
  List z;
};

// Scores of few values: ties everywhere.
Lists drawn(std::size_t items, std::uint64_t seed) {
  Random random(seed);
  Lists lists;
  for (std::size_t i = 0; i < items; ++i) {
    lists.x.push_back(std::floor(6 * random.uniform()));
    lists.y.push_back(std::floor(lists.x.back() / 2 + 4 * random.uniform()));
    lists.z.push_back(std::floor(10 * random.uniform()));
  }
  return lists;
}

List taken(const List& values, const std::vector<std::uint32_t>& counts) {
  List result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.insert(result.end(), counts[i], values[i]);
  }
  return result;
}

std::optional<double> of_counts(const SumStatistic& statistic,
                                const std::vector<std::uint32_t>& counts) {
  std::vector<double> sums(statistic.width);
  for (std::size_t i = 0; i < statistic.values.size(); ++i) {
    sums[i % statistic.width] += counts[i / statistic.width] * statistic.values[i];
  }
  return statistic.of(sums);
}

void expect_same(const std::optional<double>& value, const std::optional<double>& expected) {
  ASSERT_EQ(value.has_value(), expected.has_value());
  if (value) {
    EXPECT_NEAR(*value, *expected, 1e-12);
  }
}

TEST(Correlation, AgreesWithSciPy) {
  for (const auto& row : testing::golden("correlations")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const List x = row["x"];
    const List y = row["y"];
    const List z = row["z"];
    testing::expect_golden(pearson(x, y), row["pearson"], "pearson");
    testing::expect_golden(spearman(x, y), row["spearman"], "spearman");
    testing::expect_golden(kendall(x, y), row["kendall"], "kendall");
    testing::expect_golden(partial_pearson(x, y, z), row["partial"], "partial");
    EXPECT_EQ(ranks(x), row["ranks"].get<List>());
  }
}

// Wikipedia, "Spearman's rank correlation coefficient": IQ and hours of television; -29/165.
TEST(Correlation, SpearmanAgreesWithAWorkedExample) {
  const List iq = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
  const List hours = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
  EXPECT_NEAR(*spearman(iq, hours), -29.0 / 165, 1e-15);
}

// SciPy's manual, kendalltau: -0.47140452079103173.
TEST(Correlation, KendallAgreesWithAWorkedExample) {
  EXPECT_NEAR(*kendall(List{12, 2, 1, 12, 2}, List{1, 4, 7, 1, 0}), -0.47140452079103173, 1e-15);
}

// Wikipedia, "Partial correlation": 0.9697 and, given Z, 0.9191.
TEST(Correlation, PartialAgreesWithAWorkedExample) {
  const List x = {2, 4, 15, 20};
  const List y = {1, 2, 3, 4};
  EXPECT_NEAR(*pearson(x, y), 0.9695016, 5e-8);
  EXPECT_NEAR(*partial_pearson(x, y, List{0, 0, 1, 1}), 0.919145, 5e-7);
}

TEST(Correlation, KendallAgreesWithCountingAllPairs) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Lists lists = drawn(2 + seed, seed);
    std::int64_t difference = 0;
    std::int64_t x_pairs = 0;
    std::int64_t y_pairs = 0;
    for (std::size_t i = 0; i < lists.x.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double product = (lists.x[i] - lists.x[j]) * (lists.y[i] - lists.y[j]);
        difference += product > 0 ? 1 : product < 0 ? -1 : 0;
        x_pairs += lists.x[i] != lists.x[j] ? 1 : 0;
        y_pairs += lists.y[i] != lists.y[j] ? 1 : 0;
      }
    }
    const auto tau = kendall(lists.x, lists.y);
    ASSERT_EQ(tau.has_value(), x_pairs > 0 && y_pairs > 0);
    if (tau) {
      EXPECT_NEAR(*tau,
                  static_cast<double>(difference) /
                      std::sqrt(static_cast<double>(x_pairs) * static_cast<double>(y_pairs)),
                  1e-14);
    }
  }
}

TEST(Correlation, SwappingTheListsChangesNothing) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto [x, y, z] = drawn(40, seed);
    expect_same(pearson(x, y), pearson(y, x));
    expect_same(spearman(x, y), spearman(y, x));
    expect_same(kendall(x, y), kendall(y, x));
    expect_same(partial_pearson(x, y, z), partial_pearson(y, x, z));
  }
}

TEST(Correlation, TheOrderOfItemsChangesNothing) {
  auto [x, y, z] = drawn(50, 1);
  const auto before =
      std::vector{pearson(x, y), spearman(x, y), kendall(x, y), partial_pearson(x, y, z)};
  for (List* list : {&x, &y, &z}) {
    std::reverse(list->begin(), list->end());
    std::rotate(list->begin(), list->begin() + 17, list->end());
  }
  expect_same(pearson(x, y), before[0]);
  expect_same(spearman(x, y), before[1]);
  expect_same(kendall(x, y), before[2]);
  expect_same(partial_pearson(x, y, z), before[3]);
}

TEST(Correlation, NegatingAListNegates) {
  const auto [x, y, z] = drawn(50, 2);
  List negated = x;
  for (double& value : negated) value = -value;
  EXPECT_NEAR(*pearson(negated, y), -*pearson(x, y), 1e-15);
  EXPECT_NEAR(*spearman(negated, y), -*spearman(x, y), 1e-15);
  EXPECT_NEAR(*kendall(negated, y), -*kendall(x, y), 1e-15);
  EXPECT_NEAR(*partial_pearson(negated, y, z), -*partial_pearson(x, y, z), 1e-15);
}

TEST(Correlation, OfAListWithItselfIsOne) {
  const auto [x, y, z] = drawn(30, 3);
  EXPECT_NEAR(*pearson(x, x), 1, 1e-15);
  EXPECT_EQ(*spearman(x, x), 1);
  EXPECT_NEAR(*kendall(x, x), 1, 1e-15);
  EXPECT_NEAR(*partial_pearson(x, x, z), 1, 1e-15);
}

TEST(Correlation, RanksOnlySeeTheOrder) {
  const auto [x, y, z] = drawn(30, 4);
  List exponential = x;
  for (double& value : exponential) value = std::exp(100 * value);
  EXPECT_EQ(spearman(exponential, y), spearman(x, y));
  EXPECT_EQ(kendall(exponential, y), kendall(x, y));
}

TEST(Correlation, ExtremeValuesNeitherOverflowNorVanish) {
  const double huge = std::numeric_limits<double>::max();
  EXPECT_NEAR(*pearson(List{-huge, 0, huge}, List{1, 2, 3}), 1, 1e-15);
  EXPECT_NEAR(*pearson(List{1e-300, 2e-300, 3e-300}, List{1, 2, 3}), 1, 1e-12);
  EXPECT_NEAR(*pearson(List{1e15, 1e15 + 1, 1e15 + 2}, List{3, 2, 1}), -1, 1e-12);
}

TEST(Correlation, IsUndefinedOfConstantAndShortLists) {
  const List constant = {0.1, 0.1, 0.1};
  const List rising = {1, 2, 3};
  for (const auto& [x, y] : std::vector<std::pair<List, List>>{
           {{}, {}}, {{1}, {2}}, {constant, rising}, {rising, constant}, {constant, constant}}) {
    EXPECT_FALSE(pearson(x, y));
    EXPECT_FALSE(spearman(x, y));
    EXPECT_FALSE(kendall(x, y));
  }
  EXPECT_FALSE(partial_pearson(List{1, 2}, List{2, 1}, List{3, 5}));
  EXPECT_FALSE(partial_pearson(rising, List{1, 3, 2}, constant));
}

TEST(Correlation, PartialIsUndefinedWhereALineLeavesNothing) {
  const List x = {0.1, 0.3, 0.7, 0.4};
  List line;
  for (const double value : x) line.push_back(3 - 2 * value);
  const List y = {1, 2, 1, 4};
  EXPECT_FALSE(partial_pearson(x, y, line));
  EXPECT_FALSE(partial_pearson(y, x, line));
  EXPECT_FALSE(of_counts(partial_pearson_of(x, y, line), {1, 1, 1, 1}));
}

TEST(Correlation, AResampleIsWhatItsItemsGive) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto [x, y, z] = drawn(12, seed);
    Random random(seed);
    std::vector<std::uint32_t> counts(12);
    for (std::uint32_t& count : counts) count = static_cast<std::uint32_t>(3 * random.uniform());
    const List taken_x = taken(x, counts);
    const List taken_y = taken(y, counts);
    expect_same(of_counts(pearson_of(x, y), counts), pearson(taken_x, taken_y));
    expect_same(spearman_of(x, y)(counts), spearman(taken_x, taken_y));
    expect_same(kendall_of(x, y)(counts), kendall(taken_x, taken_y));
    expect_same(of_counts(partial_pearson_of(x, y, z), counts),
                partial_pearson(taken_x, taken_y, taken(z, counts)));
  }
}

TEST(Correlation, AResampleOfOneItemIsUndefined) {
  const auto [x, y, z] = drawn(3, 5);
  EXPECT_FALSE(of_counts(pearson_of(x, y), {3, 0, 0}));
  EXPECT_FALSE(of_counts(partial_pearson_of(x, y, z), {0, 0, 3}));
  EXPECT_FALSE(spearman_of(x, y)(std::vector<std::uint32_t>{0, 3, 0}));
  EXPECT_FALSE(kendall_of(x, y)(std::vector<std::uint32_t>{0, 3, 0}));
}

TEST(Correlation, OtherLengthsAndNumbersThatAreNoneAreBugs) {
  EXPECT_THROW(pearson(List{1, 2}, List{1}), std::logic_error);
  EXPECT_THROW(spearman(List{1, 2}, List{1}), std::logic_error);
  EXPECT_THROW(kendall(List{1, 2}, List{1}), std::logic_error);
  EXPECT_THROW(partial_pearson(List{1, 2}, List{1, 2}, List{1}), std::logic_error);
  EXPECT_THROW(pearson(List{1, std::nan("")}, List{1, 2}), std::logic_error);
  EXPECT_THROW(pearson(List{1, 2}, List{1, HUGE_VAL}), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
