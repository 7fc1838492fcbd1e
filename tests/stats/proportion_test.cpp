#include "stats/proportion.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace selene::stats {
namespace {

struct ProportionCase {
  std::int64_t hits;
  std::int64_t total;
  double low;
  double high;
};

// R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven
// methods", Statistics in Medicine 17 (1998), table I, method 3.
TEST(Proportion, AgreesWithNewcombesTable) {
  for (const auto& [hits, total, low, high] :
       std::vector<ProportionCase>{{81, 263, 0.2553, 0.3662},
                                   {15, 148, 0.0624, 0.1605},
                                   {0, 20, 0.0000, 0.1611},
                                   {1, 29, 0.0061, 0.1718}}) {
    const Estimate estimate = proportion(hits, total);
    EXPECT_DOUBLE_EQ(estimate.value, static_cast<double>(hits) / static_cast<double>(total));
    EXPECT_NEAR(estimate.interval.low, low, 5e-5) << hits << " of " << total;
    EXPECT_NEAR(estimate.interval.high, high, 5e-5) << hits << " of " << total;
  }
}

// statsmodels 0.15: proportion_confint(hits, total, method="wilson").
TEST(Proportion, AgreesWithStatsmodels) {
  for (const auto& [hits, total, low, high] : std::vector<ProportionCase>{
           {9, 10, 0.5958499732047614, 0.982123786904927},
           {81, 263, 0.2552885198782742, 0.36620957698280004},
           {0, 1, 0, 0.7934506856227627},
           {1, 1, 0.2065493143772374, 1},
           {10, 10, 0.7224672001371106, 1},
           {500'000'000, 1'000'000'000, 0.4999690102484443, 0.5000309897515557},
           {999'999'999'999, 1'000'000'000'000, 0.9999999999943353, 0.9999999999998236}}) {
    const Estimate estimate = proportion(hits, total);
    EXPECT_NEAR(estimate.interval.low, low, 2e-15) << hits << " of " << total;
    EXPECT_NEAR(estimate.interval.high, high, 2e-15) << hits << " of " << total;
  }
  // The same, of one in a thousand million.
  const Estimate rare = proportion(1, 1'000'000'000);
  EXPECT_NEAR(rare.interval.low / 1.7652455495696288e-10, 1, 1e-12);
  EXPECT_NEAR(rare.interval.high / 5.664934243297439e-09, 1, 1e-12);
}

TEST(Proportion, TheValueIsInAnIntervalInTheUnitInterval) {
  for (std::int64_t total = 1; total <= 60; ++total) {
    for (std::int64_t hits = 0; hits <= total; ++hits) {
      const Estimate estimate = proportion(hits, total);
      EXPECT_LE(0, estimate.interval.low);
      EXPECT_LE(estimate.interval.low, estimate.value);
      EXPECT_LE(estimate.value, estimate.interval.high);
      EXPECT_LE(estimate.interval.high, 1);
      EXPECT_LT(estimate.interval.low, estimate.interval.high);
    }
    EXPECT_EQ(proportion(0, total).interval.low, 0);
    EXPECT_EQ(proportion(total, total).interval.high, 1);
  }
}

TEST(Proportion, HitsAndMissesMirror) {
  for (std::int64_t hits = 0; hits <= 37; ++hits) {
    const Estimate estimate = proportion(hits, 37);
    const Estimate mirrored = proportion(37 - hits, 37);
    EXPECT_NEAR(estimate.interval.low, 1 - mirrored.interval.high, 1e-15);
    EXPECT_NEAR(estimate.interval.high, 1 - mirrored.interval.low, 1e-15);
  }
}

TEST(Proportion, OfAShareIsThatOfItsHits) {
  for (std::int64_t hits = 0; hits <= 37; ++hits) {
    const Estimate estimate = proportion(hits, 37);
    const Estimate shared = proportion_of_share(static_cast<double>(hits) / 37, 37);
    EXPECT_EQ(shared.value, estimate.value);
    EXPECT_NEAR(shared.interval.low, estimate.interval.low, 1e-15);
    EXPECT_NEAR(shared.interval.high, estimate.interval.high, 1e-15);
  }
  EXPECT_THROW(proportion_of_share(0.5, 0), std::logic_error);
  EXPECT_THROW(proportion_of_share(1.5, 2), std::logic_error);
}

TEST(Proportion, ImpossibleCountsAreBugs) {
  EXPECT_THROW(proportion(0, 0), std::logic_error);
  EXPECT_THROW(proportion(-1, 2), std::logic_error);
  EXPECT_THROW(proportion(3, 2), std::logic_error);
}

// Complete response before and after consolidation therapy: M. W. Fagerland, S. Lydersen and
// P. Laake, "Statistical Analysis of Contingency Tables" (2017), chapter 8. They subtract the
// second from the first: -0.0621 (-0.1186 to -0.0046).
TEST(PairedDifference, AgreesWithATextbook) {
  const Estimate estimate =
      paired_difference({.both = 59, .only_first = 6, .only_second = 16, .neither = 80});
  EXPECT_NEAR(estimate.value, 0.0621, 5e-5);
  EXPECT_NEAR(estimate.interval.low, 0.0046, 5e-5);
  EXPECT_NEAR(estimate.interval.high, 0.1186, 5e-5);
}

struct PairedCase {
  PairedCounts counts;
  Estimate expected;
};

void expect_near(const Estimate& estimate, const Estimate& expected, double tolerance) {
  EXPECT_NEAR(estimate.value, expected.value, tolerance);
  EXPECT_NEAR(estimate.interval.low, expected.interval.low, tolerance);
  EXPECT_NEAR(estimate.interval.high, expected.interval.high, tolerance);
}

// The paper's formula in Python, on the Wilson intervals of statsmodels 0.15.
TEST(PairedDifference, AgreesWithThePapersFormula) {
  const std::vector<PairedCase> cases = {
      // A positive correlation, continuity-corrected.
      {{212, 144, 256, 707}, {0.08491281273692192, {0.05543347268433288, 0.1141915328050671}}},
      {{14, 5, 0, 22}, {-0.12195121951219512, {-0.2264926843512112, -0.011483241383033221}}},
      {{53, 0, 0, 1}, {0, {-0.07293814547857723, 0.07293814547857723}}},
      // One below the correction: taken as none.
      {{1, 1, 7, 12}, {0.2857142857142857, {0.025559124164859837, 0.506920226686141}}},
      // Negative ones, not corrected.
      {{36, 12, 2, 0}, {-0.2, {-0.3404276029749408, -0.05692958400323875}}},
      {{2, 97, 1, 0}, {-0.96, {-0.9853664502217372, -0.8721164783402089}}},
      {{3, 4, 4, 4}, {0, {-0.33003410278160383, 0.33003410278160383}}},
      // No correlation, as a marginal is 0.
      {{36, 14, 0, 0}, {-0.28, {-0.41665123695956563, -0.15283951785585742}}},
      {{53, 0, 1, 0}, {0.018518518518518517, {-0.049621661889404076, 0.09771437488781953}}},
      {{30, 0, 0, 0}, {0, {-0.11351339317396891, 0.11351339317396891}}},
      {{0, 0, 0, 1}, {0, {-0.7934506856227626, 0.7934506856227626}}},
      {{1'000'000'000, 300'000'000, 200'000'000, 1'000'000'000},
       {-0.04, {-0.040017460160806144, -0.039982539784395935}}},
  };
  for (const auto& [counts, expected] : cases) {
    SCOPED_TRACE(counts.only_first);
    expect_near(paired_difference(counts), expected, 1e-14);
  }
}

// Of 20 pairs that all differ one way the formula's bound, -1.2279, is no difference.
TEST(PairedDifference, IsCutToPossibleDifferences) {
  const Estimate estimate = paired_difference({.only_first = 20});
  expect_near(estimate, {-1, {-1, -0.7721346162421941}}, 1e-14);
  EXPECT_EQ(estimate.interval.low, -1);
  EXPECT_EQ(paired_difference({.only_second = 20}).interval.high, 1);
}

TEST(PairedDifference, SwappingTheTwoMirrorsAndNegates) {
  for (std::int64_t code = 1; code < 5 * 5 * 5 * 5; ++code) {
    const PairedCounts counts = {code % 5, code / 5 % 5, code / 25 % 5, code / 125};
    const Estimate estimate = paired_difference(counts);
    const Estimate swapped =
        paired_difference({counts.both, counts.only_second, counts.only_first, counts.neither});
    expect_near(swapped, {-estimate.value, {-estimate.interval.high, -estimate.interval.low}},
                1e-15);
    EXPECT_LE(-1, estimate.interval.low);
    EXPECT_LE(estimate.interval.low, estimate.value);
    EXPECT_LE(estimate.value, estimate.interval.high);
    EXPECT_LE(estimate.interval.high, 1);
  }
}

TEST(PairedDifference, ImpossibleCountsAreBugs) {
  EXPECT_THROW(paired_difference({}), std::logic_error);
  EXPECT_THROW(paired_difference({.both = 3, .only_first = -1}), std::logic_error);
  EXPECT_THROW(paired_difference({.both = 3, .neither = -1}), std::logic_error);
}

struct McnemarCase {
  std::int64_t only_first;
  std::int64_t only_second;
  double p;
};

// Sums of whole binomial coefficients (Python's Fraction), which
// statsmodels.stats.contingency_tables.mcnemar(exact=True) of 0.15 agrees with to 12 digits.
TEST(Mcnemar, AgreesWithExactSums) {
  for (const auto& [only_first, only_second, p] :
       std::vector<McnemarCase>{{6, 16, 0.052478790283203125},
                                {1, 7, 0.0703125},
                                {12, 2, 0.012939453125},
                                {5, 0, 0.0625},
                                {1, 0, 1},
                                {121, 59, 4.434449263755176e-06},
                                {59, 6, 4.964650327128617e-12},
                                {144, 256, 2.3308680873706575e-08},
                                {300, 700, 1.7665678007950136e-37},
                                {0, 1000, 1.8665272370064378e-301}}) {
    EXPECT_NEAR(mcnemar_p(only_first, only_second) / p, 1, 1e-13)
        << only_first << " and " << only_second;
  }
}

// scipy 1.17: 2 * binom.cdf(fewer, pairs, 0.5).
TEST(Mcnemar, IsStableOnHugeCounts) {
  const std::int64_t giga = 1'000'000'000;
  EXPECT_NEAR(mcnemar_p(giga, giga - 50'000) / 0.26355605844984403, 1, 1e-9);
  EXPECT_NEAR(mcnemar_p(giga - 100'000, giga) / 0.025345121887364482, 1, 1e-9);
  EXPECT_NEAR(mcnemar_p(giga, giga - 1'000'000) / 8.389987523169985e-111, 1, 1e-9);
  EXPECT_NEAR(mcnemar_p(giga, giga - 1), 1, 1e-12);
  EXPECT_EQ(mcnemar_p(giga, giga), 1);
  EXPECT_EQ(mcnemar_p(0, giga), 0);
}

TEST(Mcnemar, IsOneWhereBothSidesAreEqual) {
  for (std::int64_t side = 0; side < 50; ++side) EXPECT_EQ(mcnemar_p(side, side), 1) << side;
}

TEST(Mcnemar, IsSymmetricAndFallsWithTheDifference) {
  for (std::int64_t pairs = 1; pairs <= 40; ++pairs) {
    for (std::int64_t fewer = 0; 2 * fewer + 2 < pairs; ++fewer) {
      EXPECT_EQ(mcnemar_p(fewer, pairs - fewer), mcnemar_p(pairs - fewer, fewer));
      EXPECT_LT(mcnemar_p(fewer, pairs - fewer), mcnemar_p(fewer + 1, pairs - fewer - 1));
    }
  }
}

TEST(Mcnemar, NegativeCountsAreBugs) {
  EXPECT_THROW(mcnemar_p(-1, 3), std::logic_error);
  EXPECT_THROW(mcnemar_p(3, -1), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
