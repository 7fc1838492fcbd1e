// The steps that run a model, on the default model.
#include <gtest/gtest.h>

#include <algorithm>

#include "default_model.h"
#include "judge/judge_spec.h"
#include "model_steps.h"
#include "temporary_folder.h"

namespace selene::curate {
namespace {

using selene::testing::Json;
using selene::testing::row_of;
using selene::testing::step_options;

std::vector<Row> rows() {
  return {
      row_of("s/1", R"({"task": "absolute", "input": "Name the largest planet.",
                        "response": "Jupiter is the largest planet.", "label": 5})"),
      row_of("s/2", R"({"task": "absolute", "input": "Name the largest planet.",
                        "response": "Mars", "label": 1})"),
      row_of("s/3", R"({"task": "pairwise", "input": "Name a prime above 10.",
                        "response_a": "11 is a prime.", "response_b": "12 is a prime.",
                        "label": "A"})"),
      row_of("s/4", R"({"task": "classification", "input": "Is water wet?", "response": "No idea.",
                        "criteria": "Does it answer the question?", "label": "No"})")};
}

class CurateModelTest : public selene::testing::DefaultModelTest {
 protected:
  struct Outcome {
    std::vector<std::string> rows;
    Json facts;
    std::string depends_on;
    size_t opened = 0;
  };

  // All rows through one step, in batches of `size`, with a ledger.
  Outcome run(StepPointer step, std::vector<Row> all, size_t size) const {
    Outcome outcome;
    Resources resources;
    resources.open_judge = [&](const std::string& name) {
      ++outcome.opened;
      return judge::open_judge(judge::parse_judge_spec(name), {}, 0, {.threads = 2},
                               folder_ / "ledger.sqlite");
    };
    step->begin(resources);
    outcome.depends_on = step->depends_on(resources);
    for (size_t at = 0; at < all.size(); at += size)
      step->run(std::span(all).subspan(at, std::min(size, all.size() - at)));
    for (const Row& row : all) outcome.rows.push_back(to_json(row).dump());
    outcome.facts = step->facts();
    return outcome;
  }

  std::uint64_t records() const { return judge::Ledger(folder_ / "ledger.sqlite").stats().records; }

  selene::testing::TemporaryFolder folder_;
};

TEST_F(CurateModelTest, CritiquesAddUpAndASecondRunAsksTheLedgerAlone) {
  const auto step = [] {
    return make_critiques(step_options("critiques", "{max_tokens: 60, temperature: 0.8}"), 3);
  };
  const Outcome first = run(step(), rows(), 4);
  EXPECT_EQ(first.facts.at("asked"), 16);
  std::uint64_t fell = 0;
  for (const auto& [check, count] : first.facts.at("fell").items())
    fell += count.get<std::uint64_t>();
  EXPECT_EQ(fell + first.facts.at("kept").get<std::uint64_t>(), 16u);
  EXPECT_EQ(first.facts.at("fell").at("no answer"), 0);
  EXPECT_EQ(first.facts.at("examples").size(), 5u);
  EXPECT_NE(first.depends_on.find("llama.cpp"), std::string::npos);
  const std::uint64_t kept = records();
  EXPECT_GE(kept, 16u);
  const Outcome second = run(step(), rows(), 4);
  EXPECT_EQ(records(), kept);
  EXPECT_EQ(second.rows, first.rows);
  EXPECT_EQ(second.facts.dump(), first.facts.dump());
}

TEST_F(CurateModelTest, BatchesChangeNothing) {
  const auto step = [] {
    return make_critiques(step_options("critiques", "{max_tokens: 40, samples: 1}"), 3);
  };
  const Outcome once = run(step(), rows(), 4);
  judge::Ledger(folder_ / "ledger.sqlite").prune("", 0);
  const Outcome one_by_one = run(step(), rows(), 1);
  EXPECT_EQ(one_by_one.rows, once.rows);
  EXPECT_EQ(one_by_one.facts.dump(), once.facts.dump());
}

TEST_F(CurateModelTest, TheJudgesOwnDistributionIsOnEachRow) {
  const Outcome judged = run(make_judge(step_options("judge", "{order: both}"), 3), rows(), 4);
  for (const std::string& row : judged.rows) {
    double sum = 0;
    const Json json = Json::parse(row);
    for (const auto& [label, probability] : json.at("judged").items())
      sum += probability.get<double>();
    EXPECT_NEAR(sum, 1, 1e-12);
  }
  EXPECT_EQ(judged.facts.at("asked"), 4);
  const std::uint64_t kept = records();
  EXPECT_EQ(kept, 5u);
  run(make_judge(step_options("judge", "{order: both}"), 3), rows(), 2);
  EXPECT_EQ(records(), kept);
}

TEST_F(CurateModelTest, PairsAreScoredByTheJudge) {
  Row row = rows()[2];
  Pair pair;
  pair.kind = "critique";
  pair.template_name = "pairwise";
  pair.prompt = {{"user", "Which is the better answer, A (11 is a prime) or B (12 is a prime)?"}};
  pair.chosen = "**Reasoning:** 12 is even, so A is right.\n\n**Result:** A";
  pair.rejected = "**Reasoning:** 12 is the larger one, so B is right.\n\n**Result:** B";
  pair.label = pair.word = "A";
  pair.rejected_label = pair.rejected_word = "B";
  pair.mark = "**Result:**";
  pair.words = {"A", "B"};
  row.pair = pair;
  const Outcome scored = run(make_reward(step_options("reward", "{}"), 3), {row}, 1);
  const Json scores = Json::parse(scored.rows[0]).at("pair");
  for (const char* score : {"chosen_score", "rejected_score"}) {
    EXPECT_GT(scores.at(score).get<double>(), 0);
    EXPECT_LT(scores.at(score).get<double>(), 1);
  }
  EXPECT_NE(scores.at("chosen_score"), scores.at("rejected_score"));
  EXPECT_EQ(scored.facts.at("scored"), 1);
}

}  // namespace
}  // namespace selene::curate
