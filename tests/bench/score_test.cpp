#include "bench/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "bench/tally.h"
#include "core/file.h"
#include "small_benchmark.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const Figure& figure(const std::vector<Figure>& figures, const std::string& name) {
  for (const Figure& one : figures) {
    if (one.name == name) return one;
  }
  throw std::out_of_range(name);
}

// Six pairs in two groups; both orders.
Scored small_scored() {
  Scored scored;
  scored.groups = {"sums", "places"};
  scored.judge = "judge";
  scored.both_orders = true;
  scored.items = {scored_item("a", 0, 0, 0, 0, 0), scored_item("b", 0, 1, 0, 1, 1),
                  scored_item("c", 0, 0, 1, 1, 1), scored_item("d", 1, 1, 0, 1, 0),
                  scored_item("e", 1, 0, 0, 0, 0), scored_item("f", 1, 1, 1, 1, 1)};
  for (ScoredItem& item : scored.items) {
    item.probabilities =
        item.label == 0 ? std::vector<double>{0.8, 0.2} : std::vector<double>{0.3, 0.7};
    item.lengths = {10, 20};
  }
  number_clusters(scored);
  return scored;
}

TEST(Score, HasAllFourConventions) {
  const Score made = score(small_spec("convention: consistent\n"), small_scored(), {});
  // First order: a, e, f of six are right.
  EXPECT_DOUBLE_EQ(*figure(made.conventions, "first").value, 3.0 / 6);
  // The mean: a, b, e, f.
  EXPECT_DOUBLE_EQ(*figure(made.conventions, "mean").value, 4.0 / 6);
  // The second order has a, b, d, e, f.
  EXPECT_DOUBLE_EQ(*figure(made.conventions, "best").value, 5.0 / 6);
  // Both right: a, e, f.
  EXPECT_DOUBLE_EQ(*figure(made.conventions, "consistent").value, 3.0 / 6);
  EXPECT_DOUBLE_EQ(*made.figure.value, 3.0 / 6);
  EXPECT_EQ(made.convention, "consistent");
  for (const Figure& one : made.conventions) {
    ASSERT_TRUE(one.interval.has_value()) << one.name;
    EXPECT_LE(one.interval->low, *one.value);
    EXPECT_GE(one.interval->high, *one.value);
  }
}

// A judge that always names the first: one order is right where the other is wrong. The better
// order's own interval holds the chance level that is its truth.
TEST(Score, TheBestOrdersIntervalHoldsTheChanceLevel) {
  Scored scored;
  scored.groups = {""};
  scored.both_orders = true;
  for (int i = 0; i < 200; ++i)
    scored.items.push_back(scored_item(std::to_string(i), 0, i % 200 < 94, 0, 1, 0));
  number_clusters(scored);
  const Score made = score(small_spec("convention: best\n"), scored, {});
  EXPECT_DOUBLE_EQ(*made.figure.value, 0.53);
  EXPECT_LT(made.figure.interval->low, 0.5);
  EXPECT_GT(made.figure.interval->low, 0.45);
  EXPECT_GT(made.figure.interval->high, 0.58);
}

TEST(Score, OtherFiguresHaveIntervals) {
  const Score made = score(small_spec("sections: {all: {sums: 1, places: 1}}\noverall: sections\n"),
                           small_scored(), {});
  for (const Figure& one : made.others) {
    ASSERT_TRUE(one.interval.has_value()) << one.name;
    EXPECT_LE(one.interval->low, *one.value) << one.name;
    EXPECT_GE(one.interval->high, *one.value) << one.name;
  }
  EXPECT_TRUE(made.sections[0].figure.interval.has_value());
}

TEST(Score, FlipsAndFirstPositions) {
  const Score made = score(small_spec(), small_scored(), {});
  EXPECT_DOUBLE_EQ(*figure(made.others, "flip_rate").value, 2.0 / 6);  // b and d.
  // ab shows A first: a, b, d, e say A. ba shows B first: b, c, d, f say B.
  EXPECT_DOUBLE_EQ(*figure(made.others, "first_share").value, 8.0 / 12);
}

TEST(Score, BaselinesReadNothing) {
  Scored scored = small_scored();
  scored.items[0].lengths = {5, 5};
  const Score made = score(small_spec(), scored, {});
  EXPECT_DOUBLE_EQ(*figure(made.baselines, "constant").value, 0.5);
  // The longer is B: right for b, d, f; and half for a.
  EXPECT_DOUBLE_EQ(*figure(made.baselines, "longer").value, 3.5 / 6);
  EXPECT_DOUBLE_EQ(*figure(made.baselines, "shorter").value, 2.5 / 6);
  for (const Figure& one : made.baselines) {
    ASSERT_TRUE(one.interval.has_value()) << one.name;
    EXPECT_LT(one.interval->low, *one.value) << one.name;
    EXPECT_GT(one.interval->high, *one.value) << one.name;
  }
}

TEST(Score, AnnotatorsAreABaselineOverWhatSeveralLabelled) {
  Scored scored = small_scored();
  for (const Figure& one : score(small_spec(), scored, {}).baselines)
    EXPECT_NE(one.name, "annotators");
  scored.items[0].annotator_agreement = 1;
  scored.items[1].annotator_agreement = 0;
  scored.items[2].annotator_agreement = 1;
  scored.items[3].annotator_agreement = 0;
  const Figure all = figure(score(small_spec(), scored, {}).baselines, "annotators");
  EXPECT_DOUBLE_EQ(*all.value, 2.0 / 4);
  EXPECT_EQ(all.title, "two annotators agree (4 items)");
  ASSERT_TRUE(all.interval.has_value());
  EXPECT_LT(all.interval->low, 0.5);
  // Of the groups, 2/3 and 0.
  const Figure groups =
      figure(score(small_spec("overall: groups\n"), scored, {}).baselines, "annotators");
  EXPECT_DOUBLE_EQ(*groups.value, 1.0 / 3);
}

TEST(Score, AnUnreadableVerdictCountsAsTheBenchmarkSays) {
  Scored scored = small_scored();
  scored.items[0] = scored_item("a", 0, 0, -1, -1, -1);
  number_clusters(scored);
  const Score wrong = score(small_spec(), scored, {});
  EXPECT_EQ(wrong.unreadable, 1u);
  EXPECT_DOUBLE_EQ(*wrong.figure.value, 3.0 / 6);
  const Score half = score(small_spec("unreadable: half\n"), scored, {});
  EXPECT_DOUBLE_EQ(*half.figure.value, 3.5 / 6);
}

TEST(Score, ItemsTooLongAreCoverageAndNoPartOfTheFigure) {
  Scored scored = small_scored();
  scored.items[2].state = State::Skipped;
  const Score made = score(small_spec(), scored, {});
  EXPECT_EQ(made.items, 6u);
  EXPECT_EQ(made.judged, 5u);
  EXPECT_EQ(made.skipped, 1u);
  EXPECT_DOUBLE_EQ(*made.figure.value, 4.0 / 5);
}

TEST(Score, NothingJudgedIsNoFigure) {
  Scored scored = small_scored();
  for (ScoredItem& item : scored.items) item.state = State::Skipped;
  const Score made = score(small_spec(), scored, {});
  EXPECT_FALSE(made.figure.value.has_value());
  EXPECT_EQ(made.figure.missing, "no item was judged");
}

TEST(Score, GroupsAndSectionsAreWeighted) {
  const std::string sections = "overall: sections\nsections: {all: {sums: 1, places: 3}}\n";
  const Score made = score(small_spec(sections), small_scored(), {});
  // sums 2 of 3, places 2 of 3.
  EXPECT_DOUBLE_EQ(*made.figure.value, (1 * 2.0 / 3 + 3 * 2.0 / 3) / 4);
  ASSERT_EQ(made.sections.size(), 1u);
  EXPECT_EQ(made.sections[0].items, 6u);
  ASSERT_EQ(made.groups.size(), 2u);
  EXPECT_DOUBLE_EQ(*made.groups[0].figure.value, 2.0 / 3);
}

TEST(Score, TheSameSeedGivesTheSameNumbers) {
  Scored scored = small_scored();
  scored.has_clusters = true;
  scored.items[1].cluster = 0;
  const auto text = [&](std::uint64_t seed) {
    return to_json(score(small_spec(), scored, {.seed = seed})).dump();
  };
  EXPECT_EQ(text(1), text(1));
}

TEST(Score, DisagreementsAreTheWorstFirst) {
  Scored scored = small_scored();
  scored.items[2].probabilities = {0.01, 0.99};  // c: truth A.
  const Score made = score(small_spec(), scored, {});
  ASSERT_EQ(made.disagreements.size(), 2u);
  EXPECT_EQ(made.disagreements[0].id, "c");
  EXPECT_EQ(made.disagreements[0].truth, "A");
  EXPECT_DOUBLE_EQ(made.disagreements[0].probability, 0.01);
}

// Pearson's r of five points, by hand: x 1 2 3 4 5, y 1 3 2 5 4; r = 8 / 10.
TEST(Score, ACorrelationIsOfTheExpectedScore) {
  std::string yaml = kSmallYaml;
  yaml.replace(yaml.find("task: pairwise"), 14, "task: absolute");
  yaml.replace(yaml.find("better_first: true\n"), 19, "");
  yaml.replace(yaml.find("metric: accuracy"), 16, "metric: pearson");
  const Spec spec = parse_spec(yaml, "small.yaml");
  Scored scored;
  scored.groups = {""};
  const double truths[] = {1, 3, 2, 5, 4};
  for (int i = 0; i < 5; ++i) {
    ScoredItem item;
    item.id = std::to_string(i);
    item.label = i;
    item.score = i + 1;
    item.truth_number = truths[i];
    item.lengths = {static_cast<std::uint32_t>(std::exp(i)), 0};
    scored.items.push_back(item);
  }
  number_clusters(scored);
  const Score made = score(spec, scored, {});
  EXPECT_NEAR(*made.figure.value, 0.8, 1e-12);
  EXPECT_NEAR(*figure(made.others, "spearman").value, 0.8, 1e-12);
  EXPECT_NEAR(*figure(made.others, "kendall").value, 0.6, 1e-12);
  EXPECT_FALSE(figure(made.baselines, "constant").value.has_value());
  EXPECT_GT(*figure(made.baselines, "log_length").value, 0.7);
}

// The published per-subset accuracies, in so many right items of each subset, give the published
// section scores.
TEST(Score, RewardBenchsArithmeticIsTheLeaderboards) {
  const char* named = std::getenv("SELENE_DATA");
  const fs::path file = fs::path(named != nullptr ? named : SELENE_SOURCE_DIR "/../shared/bench") /
                        "golden/rewardbench.json";
  if (!fs::exists(file)) GTEST_SKIP() << "SKIPPED: " << file << " is not there";
  const Json golden = Json::parse(read_file(file));
  const Spec spec = load_spec("rewardbench");
  for (const Json& vector : golden.at("vectors")) {
    Scored scored;
    for (const auto& [subset, accuracy] : vector.at("subsets").items()) {
      const int items = subset == "math-prm" ? 447 : golden.at("weights").at(subset).get<int>();
      const double halves = std::round(2 * items * accuracy.get<double>());
      EXPECT_NEAR(halves / (2 * items), accuracy.get<double>(), 1e-9) << subset;
      const auto group = static_cast<std::uint32_t>(scored.groups.size());
      scored.groups.push_back(subset);
      for (int i = 0; i < items; ++i) {
        // Two halves a right item, one an unreadable one.
        const int label = halves >= 2 * (i + 1) ? 0 : halves == 2 * i + 1 ? -1 : 1;
        scored.items.push_back(
            scored_item(subset + std::to_string(i), group, 0, label, label, label));
      }
    }
    number_clusters(scored);
    const Tally tally(spec, scored);
    const std::vector<double> credits = tally.credits(Convention::First);
    const bool computed = vector.contains("sections_computed");
    const Json& sections = vector.at(computed ? "sections_computed" : "sections_published");
    double sum = 0;
    for (size_t s = 0; s < spec.sections.size(); ++s) {
      const double wanted = sections.at(spec.sections[s].name).get<double>();
      EXPECT_NEAR(*tally.section(s, credits), wanted, 1e-12) << spec.sections[s].name;
      sum += wanted;
    }
    EXPECT_NEAR(tally.overall(credits), sum / 4, 1e-12);
    if (computed) {
      EXPECT_NEAR(tally.overall(credits), vector.at("overall_computed").get<double>(), 1e-12);
    }
  }
}

}  // namespace
}  // namespace selene::bench
