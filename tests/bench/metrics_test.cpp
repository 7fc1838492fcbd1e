#include "bench/metrics.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "bench/judged.h"
#include "core/error.h"
#include "temporary_folder.h"

namespace selene::bench {
namespace {

std::optional<double> value_of(const Metric& metric, const Judged& judged) {
  const Statistic statistic = statistic_of(metric, judged);
  if (const auto* sums = std::get_if<stats::SumStatistic>(&statistic))
    return stats::value_of(*sums);
  return stats::value_of(std::get<stats::CountStatistic>(statistic),
                         items_of(metric, judged).size());
}

const Metric& metric(std::string_view name) {
  for (const Metric& one : metrics()) {
    if (one.name == name) return one;
  }
  throw std::out_of_range(std::string(name));
}

// Two groups of yes (0) and no (1); the last verdict could not be read.
Judged small_judged() {
  Judged judged;
  judged.labels = 2;
  judged.positive = 0;
  judged.verdicts = {.items = {0, 1, 2, 3, 4, 5},
                     .truths = {0, 0, 1, 0, 1, 1},
                     .verdicts = {0, 1, 1, 0, 1, 2},
                     .groups = {0, 0, 0, 1, 1, 1},
                     .credits = {1, 0, 1, 1, 1, 0}};
  judged.probabilities = {.items = {0, 1},
                          .truths = {0, 0},
                          .of_labels = {0.9, 0.1, 0.4, 0.6},
                          .of_verdict = {0.9, 0.6},
                          .right = {true, false},
                          .of_positive = {0.9, 0.4},
                          .positive = {true, true}};
  judged.orders = {.items = {0, 1}, .flips = {1, 0}};
  judged.shown = {.items = {0, 1}, .first = {1, 2}, .all = {2, 2}};
  judged.scores = {.items = {0, 1, 2, 3},
                   .truths = {1, 2, 3, 4},
                   .expected = {1, 2, 3.5, 3},
                   .verdicts = {1, 2, 4, 3},
                   .log_lengths = {1, 3, 2, 5},
                   .groups = {0, 0, 0, 0}};
  return judged;
}

TEST(Metrics, EachHasItsFunctionItsSourceAndItsOwnName) {
  std::set<std::string_view> names;
  for (const Metric& one : metrics()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_NE(one.values == nullptr, one.statistic == nullptr) << one.name;
    for (const std::string_view text : {one.title, one.help, one.source, one.undefined})
      EXPECT_FALSE(text.empty()) << one.name;
    EXPECT_FALSE(items_of(one, small_judged()).empty()) << one.name;
  }
}

TEST(Metrics, OfNoItemsNoneHasAValue) {
  for (const Metric& one : metrics()) {
    Judged none;
    none.labels = 2;
    none.positive = 0;
    EXPECT_FALSE(value_of(one, none).has_value()) << one.name;
  }
}

TEST(Metrics, AgreeWithArithmeticByHand) {
  const Judged judged = small_judged();
  EXPECT_DOUBLE_EQ(*value_of(metric("accuracy"), judged), 4.0 / 6);
  EXPECT_DOUBLE_EQ(*value_of(metric("flip_rate"), judged), 0.5);
  EXPECT_DOUBLE_EQ(*value_of(metric("first_share"), judged), 3.0 / 4);
  EXPECT_DOUBLE_EQ(*value_of(metric("balanced_accuracy"), judged), (2.0 / 3 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(*value_of(metric("precision"), judged), 1);
  EXPECT_DOUBLE_EQ(*value_of(metric("recall"), judged), 2.0 / 3);
  EXPECT_DOUBLE_EQ(*value_of(metric("brier"), judged), (0.01 + 0.36) / 2);
  EXPECT_DOUBLE_EQ(*value_of(metric("ece"), judged), (0.1 + 0.6) / 2);
  EXPECT_NEAR(*value_of(metric("pearson_verdict"), judged), 0.8, 1e-12);
  EXPECT_NEAR(*value_of(metric("spearman"), judged), 0.8, 1e-12);
  EXPECT_NEAR(*value_of(metric("kendall_verdict"), judged), 2.0 / 3, 1e-12);
}

// The first group: recalls 1/2 and 1; the second: 1 and 1/2. All together it would be 2/3.
TEST(Metrics, BalancedAccuracyOfGroupsIsTheMeanOverThem) {
  Judged judged = small_judged();
  EXPECT_DOUBLE_EQ(*value_of(metric("group_balanced_accuracy"), judged), 0.75);
  // A resample without a label of a group has no value.
  const auto statistic =
      std::get<stats::CountStatistic>(statistic_of(metric("group_balanced_accuracy"), judged));
  EXPECT_DOUBLE_EQ(*statistic(std::vector<std::uint32_t>{3, 1, 1, 1, 0, 2}), (0.875 + 0.5) / 2);
  EXPECT_FALSE(statistic(std::vector<std::uint32_t>{3, 1, 0, 1, 1, 1}).has_value());
}

TEST(Metrics, AFileNamesOneOfItsOwn) {
  EXPECT_EQ(find_metric("pearson").interval, stats::IntervalKind::FisherZ);
  EXPECT_EQ(selene::testing::message_of<Error>([] { find_metric("kappa"); }),
            "unknown metric 'kappa'; known: accuracy, pearson");
}

}  // namespace
}  // namespace selene::bench
