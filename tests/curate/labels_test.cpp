#include "curate/labels.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "model_steps.h"

namespace selene::curate {
namespace {

using selene::testing::pair_row;
using selene::testing::rated_row;
using selene::testing::row_of;

// Over many rows, for labels are by chance of the id.
std::set<std::string> rejected(Row row, RejectedChoice choice) {
  std::set<std::string> labels;
  for (int i = 0; i < 100; ++i) {
    row.id = "source/" + std::to_string(i);
    labels.insert(rejected_label(row, choice, 1));
  }
  return labels;
}

using Labels = std::set<std::string>;

TEST(RejectedLabel, NearestIsTheNextNumberAboveOrBelow) {
  EXPECT_EQ(rejected(rated_row("s/1", "4"), RejectedChoice::Nearest), (Labels{"3", "5"}));
  EXPECT_EQ(rejected(rated_row("s/1", "1"), RejectedChoice::Nearest), (Labels{"2"}));
  EXPECT_EQ(rejected(rated_row("s/1", "5"), RejectedChoice::Nearest), (Labels{"4"}));
}

TEST(RejectedLabel, NearestGoesByNumbersNotByTheirOrder) {
  const Row row = row_of("s/1", R"({"task": "absolute", "input": "I", "response": "R",
                                    "labels": ["100", "10", "0", "2"], "label": "2"})");
  EXPECT_EQ(rejected(row, RejectedChoice::Nearest), (Labels{"0", "10"}));
}

TEST(RejectedLabel, NearestOfWordsIsAnyOther) {
  const Row row = row_of("s/1", R"({"task": "classification", "input": "I", "response": "R",
                                    "labels": ["good", "fair", "bad"], "label": "fair"})");
  EXPECT_EQ(rejected(row, RejectedChoice::Nearest), (Labels{"good", "bad"}));
  EXPECT_EQ(rejected(pair_row("s/1", "B"), RejectedChoice::Nearest), (Labels{"A"}));
}

TEST(RejectedLabel, RandomIsAnyOther) {
  EXPECT_EQ(rejected(rated_row("s/1", "4"), RejectedChoice::Random), (Labels{"1", "2", "3", "5"}));
}

TEST(RejectedLabel, ProbableIsTheJudgesBestOfTheOthers) {
  Row row = rated_row("s/1", "4");
  row.judged = {{"1", 0.1}, {"2", 0.25}, {"3", 0.05}, {"4", 0.35}, {"5", 0.25}};
  EXPECT_EQ(rejected(row, RejectedChoice::Probable), (Labels{"2"}));
  row.judged.clear();
  EXPECT_EQ(rejected(row, RejectedChoice::Probable), (Labels{"3", "5"}));
}

TEST(RejectedLabel, IsOfTheIdAndTheSeedAlone) {
  const Row row = rated_row("s/1", "3");
  const std::string label = rejected_label(row, RejectedChoice::Random, 1);
  Row other = row;
  other.topic = "x";
  other.history.push_back({"clean", "trimmed"});
  EXPECT_EQ(rejected_label(other, RejectedChoice::Random, 1), label);
  std::set<std::string> by_seed;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    by_seed.insert(rejected_label(row, RejectedChoice::Random, seed));
  EXPECT_EQ(by_seed.size(), 4u);
}

TEST(RejectedLabel, AnUnknownChoiceIsRefused) {
  data::Entry entry = selene::testing::step_options("rejected", "furthest");
  try {
    read_rejected_choice(entry);
    FAIL();
  } catch (const Error& failure) {
    EXPECT_EQ(failure.message(),
              "'rejected' must be one of nearest, random, probable, not 'furthest'");
    EXPECT_EQ(failure.where(), "recipe.yaml:1");
  }
}

}  // namespace
}  // namespace selene::curate
