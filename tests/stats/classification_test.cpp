#include "stats/classification.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "stats/golden.h"

namespace selene::stats {
namespace {

using Metric = std::optional<double> (*)(const Confusion&);

Confusion table(std::vector<std::vector<std::int64_t>> counts) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < counts.size(); ++i) labels.push_back(std::to_string(i));
  return {std::move(labels), std::move(counts)};
}

std::optional<double> kappa(const Confusion& confusion) {
  const Agreement result = agreement(confusion);
  if (!result.has_kappa) return std::nullopt;
  return result.kappa.value;
}

TEST(Classification, AgreesWithScikitLearn) {
  for (const auto& row : testing::golden("classifications")) {
    SCOPED_TRACE(row["name"].get<std::string>());
    const std::vector<std::size_t> truth = row["truth"];
    const std::vector<std::size_t> predicted = row["predicted"];
    const std::size_t labels = row["labels"];
    const auto of = [&](const std::function<std::optional<double>(const Confusion&)>& metric) {
      return value_of(confusion_of(truth, predicted, labels, metric), truth.size());
    };
    testing::expect_golden(of(accuracy), row["accuracy"], "accuracy");
    testing::expect_golden(of(balanced_accuracy), row["balanced_accuracy"], "balanced accuracy");
    testing::expect_golden(of(macro_f1), row["macro_f1"], "macro F1");
    testing::expect_golden(of(matthews), row["matthews"], "Matthews");
    testing::expect_golden(of(kappa), row["kappa"], "kappa");
    for (std::size_t label = 0; label < labels; ++label) {
      SCOPED_TRACE(label);
      const auto& expected = row["per_label"][label];
      const auto at = [label](auto metric) {
        return [=](const Confusion& confusion) { return metric(confusion, label); };
      };
      testing::expect_golden(of(at(precision)), expected["precision"], "precision");
      testing::expect_golden(of(at(recall)), expected["recall"], "recall");
      testing::expect_golden(of(at(f1)), expected["f1"], "F1");
    }
  }
}

// Wikipedia, "Phi coefficient" (Matthews): of 8 cats 6 are found, of 4 dogs 3; 0.478.
TEST(Classification, AgreesWithAWorkedExample) {
  const Confusion pets = table({{6, 2}, {1, 3}});
  EXPECT_NEAR(*matthews(pets), 0.478, 5e-4);
  EXPECT_NEAR(*accuracy(pets), 0.75, 1e-15);
  EXPECT_NEAR(*recall(pets, 0), 0.75, 1e-15);
  EXPECT_NEAR(*precision(pets, 0), 6.0 / 7, 1e-15);
  EXPECT_NEAR(*f1(pets, 0), 0.8, 1e-15);
  EXPECT_NEAR(*balanced_accuracy(pets), 0.75, 1e-15);
}

TEST(Classification, OfNothingIsUndefined) {
  for (const Metric metric : {accuracy, balanced_accuracy, macro_f1, matthews}) {
    EXPECT_FALSE(metric(table({{0, 0}, {0, 0}})));
    EXPECT_FALSE(metric({}));
  }
}

TEST(Classification, AConstantSideHasNoMatthews) {
  EXPECT_FALSE(matthews(table({{3, 0}, {2, 0}})));
  EXPECT_FALSE(matthews(table({{3, 2}, {0, 0}})));
  EXPECT_FALSE(matthews(table({{0, 0}, {0, 9}})));
}

TEST(Classification, MatthewsIsOneMinusOneAndZero) {
  EXPECT_NEAR(*matthews(table({{3, 0, 0}, {0, 4, 0}, {0, 0, 9}})), 1, 1e-15);
  EXPECT_NEAR(*matthews(table({{0, 5}, {7, 0}})), -1, 1e-15);
  EXPECT_NEAR(*matthews(table({{2, 4}, {3, 6}})), 0, 1e-15);
}

TEST(Classification, MatthewsOfTwoLabelsIsPearsonsCorrelation) {
  // (a d - b c) / root of the product of the marginals.
  EXPECT_NEAR(*matthews(table({{10, 4}, {3, 8}})),
              (10.0 * 8 - 4 * 3) / std::sqrt(14.0 * 11 * 13 * 12), 1e-15);
}

TEST(Classification, SwappingTruthAndPredictionSwapsPrecisionAndRecall) {
  const Confusion confusion = table({{5, 2, 1}, {3, 9, 0}, {2, 2, 4}});
  const Confusion swapped = table({{5, 3, 2}, {2, 9, 2}, {1, 0, 4}});
  for (std::size_t label = 0; label < 3; ++label) {
    EXPECT_EQ(precision(confusion, label), recall(swapped, label));
    EXPECT_EQ(f1(confusion, label), f1(swapped, label));
  }
  EXPECT_NEAR(*matthews(confusion), *matthews(swapped), 1e-15);
}

TEST(Classification, TheOrderOfLabelsChangesNothing) {
  const Confusion confusion = table({{5, 2, 1}, {3, 9, 0}, {2, 2, 4}});
  const Confusion turned = table({{4, 2, 2}, {0, 9, 3}, {1, 2, 5}});
  for (const Metric metric : {accuracy, balanced_accuracy, macro_f1, matthews}) {
    EXPECT_NEAR(*metric(confusion), *metric(turned), 1e-15);
  }
}

TEST(Classification, ALabelThatOnlyPredictionsHaveIsNoClass) {
  const Confusion confusion = table({{3, 0, 1}, {0, 2, 2}, {0, 0, 0}});
  EXPECT_NEAR(*balanced_accuracy(confusion), (0.75 + 0.5) / 2, 1e-15);
  EXPECT_NEAR(*macro_f1(confusion), (6.0 / 7 + 4.0 / 6) / 2, 1e-15);
}

TEST(Classification, HugeCountsAreExactEnough) {
  const std::int64_t giga = 1'000'000'000;
  EXPECT_NEAR(*matthews(table({{giga, giga}, {giga, 3 * giga}})), 0.25, 1e-12);
}

TEST(Classification, ALabelBeyondTheLastIsABug) {
  const std::vector<std::size_t> truth = {0, 1};
  const std::vector<std::size_t> beyond = {0, 2};
  EXPECT_THROW(confusion_of(truth, beyond, 2, accuracy), std::logic_error);
  EXPECT_THROW(confusion_of(truth, std::vector<std::size_t>{0}, 2, accuracy), std::logic_error);
}

TEST(RocAuc, AgreesWithScikitLearn) {
  for (const auto& row : testing::golden("areas")) {
    std::vector<bool> positive;
    for (const int label : row["positive"]) positive.push_back(label == 1);
    testing::expect_golden(roc_auc(row["scores"].get<std::vector<double>>(), positive), row["auc"],
                           row["name"]);
  }
}

// scikit-learn's manual, roc_auc_score.
TEST(RocAuc, AgreesWithAWorkedExample) {
  EXPECT_NEAR(*roc_auc(std::vector{0.1, 0.4, 0.35, 0.8}, {false, false, true, true}), 0.75, 1e-15);
}

TEST(RocAuc, AResampleIsWhatItsItemsGive) {
  Random random(1);
  for (int round = 0; round < 30; ++round) {
    std::vector<double> scores;
    std::vector<bool> positive;
    std::vector<std::uint32_t> counts;
    std::vector<double> taken_scores;
    std::vector<bool> taken_positive;
    for (int i = 0; i < 15; ++i) {
      scores.push_back(std::floor(5 * random.uniform()));
      positive.push_back(random.uniform() < 0.5);
      counts.push_back(static_cast<std::uint32_t>(3 * random.uniform()));
      taken_scores.insert(taken_scores.end(), counts.back(), scores.back());
      taken_positive.insert(taken_positive.end(), counts.back(), positive.back());
    }
    EXPECT_EQ(roc_auc_of(scores, positive)(counts), roc_auc(taken_scores, taken_positive));
  }
}

TEST(RocAuc, NegatingScoresOrLabelsMirrors) {
  const std::vector<double> scores = {3, 1, 2, 2, 5, 4, 2};
  const std::vector<double> negated = {-3, -1, -2, -2, -5, -4, -2};
  const std::vector<bool> positive = {true, false, true, false, true, false, false};
  std::vector<bool> others = positive;
  others.flip();
  EXPECT_NEAR(*roc_auc(negated, positive), 1 - *roc_auc(scores, positive), 1e-15);
  EXPECT_NEAR(*roc_auc(scores, others), 1 - *roc_auc(scores, positive), 1e-15);
}

TEST(RocAuc, InfiniteScoresHaveTheirPlace) {
  EXPECT_EQ(*roc_auc(std::vector{-HUGE_VAL, 0.0, HUGE_VAL, HUGE_VAL}, {false, false, true, true}),
            1);
  EXPECT_FALSE(roc_auc({}, {}));
  EXPECT_THROW(roc_auc(std::vector{std::nan(""), 1.0}, {false, true}), std::logic_error);
  EXPECT_THROW(roc_auc(std::vector{1.0}, {false, true}), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
