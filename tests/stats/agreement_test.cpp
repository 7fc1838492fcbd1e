#include "stats/agreement.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace selene::stats {
namespace {

using Counts = std::vector<std::vector<std::int64_t>>;

Confusion table(Counts counts) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < counts.size(); ++i) labels.push_back(std::to_string(i));
  return {std::move(labels), std::move(counts)};
}

Confusion transposed(const Confusion& confusion) {
  Confusion result = confusion;
  for (std::size_t i = 0; i < confusion.labels.size(); ++i) {
    for (std::size_t j = 0; j < confusion.labels.size(); ++j) {
      result.counts[j][i] = confusion.counts[i][j];
    }
  }
  return result;
}

// Two dermatologists (terrible, poor, marginal, clear): SAS/STAT User's Guide, The FREQ Procedure,
// "Agreement Study".
const Counts kSkinCondition = {{10, 4, 1, 0}, {5, 10, 12, 2}, {2, 4, 12, 5}, {0, 2, 6, 13}};

// Psychosis, neurosis, organic brain damage: J. L. Fleiss, "Statistical Methods for Rates and
// Proportions", 2nd edition (1981), page 213.
const Counts kDiagnoses = {{75, 1, 4}, {5, 4, 1}, {0, 0, 10}};

using Ratings = std::vector<std::pair<std::string, std::string>>;

TEST(Confusion, CountsTheFirstInRowsAndTheSecondInColumns) {
  const Confusion result =
      confusion(Ratings{{"A", "A"}, {"A", "B"}, {"B", "A"}, {"A", "B"}}, {"A", "B"});
  EXPECT_EQ(result.labels, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(result.counts, (Counts{{1, 2}, {1, 0}}));
  EXPECT_EQ(result.total(), 4);
}

TEST(Confusion, OtherLabelsFollowInTheOrderOfTheirFirstAppearance) {
  const Confusion result =
      confusion(Ratings{{"tie", "B"}, {"z", "y"}, {"y", "tie"}, {"B", "C"}}, {"C", "B"});
  EXPECT_EQ(result.labels, (std::vector<std::string>{"C", "B", "tie", "z", "y"}));
  EXPECT_EQ(
      result.counts,
      (Counts{
          {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 0, 0, 0, 1}, {0, 0, 1, 0, 0}}));
}

TEST(Confusion, OfNothingHasTheGivenLabels) {
  const Confusion result = confusion({}, {"A", "B"});
  EXPECT_EQ(result.counts, (Counts{{0, 0}, {0, 0}}));
  EXPECT_EQ(result.total(), 0);
}

TEST(Confusion, SwappingTheRatersTransposes) {
  const Ratings ratings = {{"A", "B"}, {"A", "A"}, {"B", "C"}, {"C", "A"}, {"A", "B"}};
  Ratings swapped;
  for (const auto& [first, second] : ratings) swapped.emplace_back(second, first);
  const std::vector<std::string> labels = {"A", "B", "C"};
  EXPECT_EQ(confusion(swapped, labels).counts, transposed(confusion(ratings, labels)).counts);
}

TEST(Confusion, ALabelGivenTwiceIsABug) {
  EXPECT_THROW(confusion({}, {"A", "B", "A"}), std::logic_error);
}

// SAS prints kappa 0.3449, its standard error 0.0724 and the limits 0.2030 and 0.4868.
TEST(Agreement, AgreesWithSas) {
  const Agreement result = agreement(table(kSkinCondition));
  ASSERT_TRUE(result.has_kappa);
  EXPECT_NEAR(result.kappa.value, 0.3449, 5e-5);
  EXPECT_NEAR(result.kappa.interval.low, 0.2030, 5e-5);
  EXPECT_NEAR(result.kappa.interval.high, 0.4868, 5e-5);
}

// statsmodels 0.15: cohens_kappa(counts), its kappa, kappa_low and kappa_upp. The value is also
// that of cohen_kappa_score of scikit-learn 1.9.
TEST(Agreement, KappaAgreesWithStatsmodels) {
  struct Case {
    Counts counts;
    Estimate kappa;
  };
  const std::vector<Case> cases = {
      {kSkinCondition, {0.3448753462603878, {0.20298044641129429, 0.4867702461094813}}},
      {kDiagnoses, {0.676470588235294, {0.5045759580860855, 0.8483652183845026}}},
      {{{20, 5}, {10, 15}}, {0.4, {0.151092290476661, 0.6489077095233389}}},
      {{{45, 15}, {25, 15}}, {0.13043478260869554, {-0.06293827779258965, 0.3238078430099807}}},
      {{{2, 1}, {1, 0}}, {-1. / 3, {-0.7688808854533481, 0.10221421878668147}}},
      {{{1'000'000'000, 100'000'000}, {200'000'000, 700'000'000}},
       {0.6938775510204082, {0.6938458123494078, 0.6939092896914084}}},
  };
  for (const auto& [counts, kappa] : cases) {
    const Agreement result = agreement(table(counts));
    ASSERT_TRUE(result.has_kappa);
    EXPECT_NEAR(result.kappa.value, kappa.value, 1e-14);
    EXPECT_NEAR(result.kappa.interval.low, kappa.interval.low, 1e-14);
    EXPECT_NEAR(result.kappa.interval.high, kappa.interval.high, 1e-14);
  }
}

// statsmodels' lower limit, -1.3722, is no kappa; its standard error is 0.22917061220162252.
TEST(Agreement, KappaIsCutToPossibleValues) {
  const Agreement result = agreement(table({{0, 4}, {6, 0}}));
  EXPECT_NEAR(result.kappa.value, -0.923076923076923, 1e-14);
  EXPECT_EQ(result.kappa.interval.low, -1);
  EXPECT_NEAR(result.kappa.interval.high, -0.4739107768467473, 1e-14);
}

TEST(Agreement, ObservedIsAProportion) {
  const Agreement result = agreement(table(kDiagnoses));
  const Estimate expected = proportion(89, 100);
  EXPECT_EQ(result.observed.value, expected.value);
  EXPECT_EQ(result.observed.interval.low, expected.interval.low);
  EXPECT_EQ(result.observed.interval.high, expected.interval.high);
}

// The columns of the diagnoses sum to 80, 5 and 15, their rows to 80, 10 and 10; those of the
// second table to 30 and 20, and to 25 and 25.
TEST(Agreement, MostFrequentIsOfTheSecondRater) {
  EXPECT_DOUBLE_EQ(agreement(table(kDiagnoses)).most_frequent, 0.8);
  EXPECT_DOUBLE_EQ(agreement(table({{20, 5}, {10, 15}})).most_frequent, 0.6);
  EXPECT_DOUBLE_EQ(agreement(table({{20, 10}, {5, 15}})).most_frequent, 0.5);
}

TEST(Agreement, SwappingTheRatersKeepsKappa) {
  for (const Counts& counts : {kSkinCondition, kDiagnoses, Counts{{3, 9}, {1, 2}}}) {
    const Agreement result = agreement(table(counts));
    const Agreement swapped = agreement(transposed(table(counts)));
    EXPECT_EQ(swapped.observed.value, result.observed.value);
    EXPECT_NEAR(swapped.kappa.value, result.kappa.value, 1e-15);
    EXPECT_NEAR(swapped.kappa.interval.low, result.kappa.interval.low, 1e-15);
    EXPECT_NEAR(swapped.kappa.interval.high, result.kappa.interval.high, 1e-15);
  }
}

TEST(Agreement, LabelsThatNobodyGaveChangeNothing) {
  const Agreement result = agreement(table({{20, 5}, {10, 15}}));
  const Agreement padded = agreement(table({{20, 0, 5}, {0, 0, 0}, {10, 0, 15}}));
  EXPECT_EQ(padded.observed.value, result.observed.value);
  EXPECT_EQ(padded.most_frequent, result.most_frequent);
  EXPECT_EQ(padded.kappa.value, result.kappa.value);
  EXPECT_EQ(padded.kappa.interval.low, result.kappa.interval.low);
  EXPECT_EQ(padded.kappa.interval.high, result.kappa.interval.high);
}

TEST(Agreement, PerfectAgreementAndDisagreementAreOneAndMinusOne) {
  const Agreement perfect = agreement(table({{3, 0, 0}, {0, 4, 0}, {0, 0, 7}}));
  ASSERT_TRUE(perfect.has_kappa);
  EXPECT_EQ(perfect.observed.value, 1);
  EXPECT_NEAR(perfect.kappa.value, 1, 1e-15);
  EXPECT_NEAR(perfect.kappa.interval.low, 1, 1e-7);

  const Agreement opposite = agreement(table({{0, 5}, {5, 0}}));
  ASSERT_TRUE(opposite.has_kappa);
  EXPECT_EQ(opposite.observed.value, 0);
  EXPECT_EQ(opposite.kappa.value, -1);
  EXPECT_NEAR(opposite.kappa.interval.high, -1, 1e-7);
}

TEST(Agreement, AConstantRaterHasKappaZero) {
  const Agreement result = agreement(table({{3, 7}, {0, 0}}));
  ASSERT_TRUE(result.has_kappa);
  EXPECT_NEAR(result.kappa.value, 0, 1e-15);
  EXPECT_NEAR(result.kappa.interval.low, 0, 1e-7);
  EXPECT_NEAR(result.kappa.interval.high, 0, 1e-7);
}

TEST(Agreement, OneLabelFromBothHasNoKappa) {
  const Agreement result = agreement(table({{0, 0, 0}, {0, 7, 0}, {0, 0, 0}}));
  EXPECT_FALSE(result.has_kappa);
  EXPECT_EQ(result.observed.value, 1);
  EXPECT_EQ(result.most_frequent, 1);
}

TEST(Agreement, OneItemIsEnough) {
  EXPECT_FALSE(agreement(table({{1, 0}, {0, 0}})).has_kappa);
  const Agreement differing = agreement(table({{0, 1}, {0, 0}}));
  ASSERT_TRUE(differing.has_kappa);
  EXPECT_EQ(differing.kappa.value, 0);
  EXPECT_EQ(differing.observed.value, 0);
  EXPECT_EQ(differing.most_frequent, 1);
}

TEST(Agreement, ValuesAreInTheirIntervals) {
  for (std::int64_t code = 1; code < 5 * 5 * 5 * 5; ++code) {
    const Agreement result =
        agreement(table({{code % 5, code / 5 % 5}, {code / 25 % 5, code / 125}}));
    if (!result.has_kappa) continue;
    EXPECT_LE(-1, result.kappa.interval.low) << code;
    EXPECT_LE(result.kappa.interval.low, result.kappa.value) << code;
    EXPECT_LE(result.kappa.value, result.kappa.interval.high) << code;
    EXPECT_LE(result.kappa.interval.high, 1) << code;
  }
}

TEST(Agreement, AnEmptyOrMisshapenTableIsABug) {
  EXPECT_THROW(agreement({}), std::logic_error);
  EXPECT_THROW(agreement(table({{0, 0}, {0, 0}})), std::logic_error);
  EXPECT_THROW(agreement(table({{1, 0}, {0}})), std::logic_error);
  EXPECT_THROW(agreement(table({{1, -1}, {0, 3}})), std::logic_error);
  EXPECT_THROW(agreement({{"A", "B", "C"}, {{1, 2}, {3, 4}}}), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
