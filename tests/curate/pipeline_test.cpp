#include "curate/pipeline.h"

#include "core/error.h"
#include "curation.h"

namespace selene::testing {
namespace {

constexpr const char* kColumns =
    "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR', agreement: 'DOUBLE', "
    "critiques: 'VARCHAR[]', wrong_critiques: 'VARCHAR[]', group_name: 'VARCHAR'";

class Pipeline : public Curation {
 protected:
  // 300 rows, some of which each step drops.
  void write_many() const {
    std::vector<Json> rows;
    for (int i = 0; i < 300; ++i) {
      Json one = row("r" + std::to_string(i), "Is number " + std::to_string(i * 7919) + " prime?",
                     "I looked at number " + std::to_string(i * 104729) + " and think so.",
                     i % 3 == 0 ? "No" : "Yes");
      if (i % 10 == 0) one["agreement"] = 0.5;
      if (i % 4 == 0) {
        one["critiques"] = {"It was worked out well, as number " + std::to_string(i) + " shows."};
        one["wrong_critiques"] = {"It guesses without a reason."};
      }
      if (i % 50 == 49)
        one["response"] = rows.back()["response"], one["input"] = rows.back()["input"];
      one["group_name"] = "g" + std::to_string(i / 3);
      rows.push_back(std::move(one));
    }
    write_rows("rows.jsonl", rows);
  }

  static std::string many() {
    return recipe(
        "  - clean: {}\n  - agreement: {least: 0.6}\n  - exact_duplicates\n"
        "  - near_duplicates: {similarity: 0.9}\n  - balance: {}\n"
        "  - pairs: {verdict_only: 0.2, per_sample: 2}\n"
        "mix: {kind: {critique: 0.3, verdict: 0.7}}\nsplit: {validation: 0.1, test: 0.2}\n",
        "classification", kColumns);
  }

  std::map<std::string, std::string> bytes() const {
    std::map<std::string, std::string> bytes;
    for (const auto& entry : std::filesystem::directory_iterator(out())) {
      if (entry.is_regular_file()) bytes[entry.path().filename()] = read_file(entry.path());
    }
    return bytes;
  }
};

TEST_F(Pipeline, RowsAddUpInEveryStep) {
  write_many();
  const Outcome outcome = curate(many());
  const Json& steps = outcome.funnel.at("steps");
  ASSERT_EQ(steps.size(), 9U);
  std::uint64_t in = 300;
  for (const Json& step : steps) {
    const Json& total = step.at("total");
    EXPECT_EQ(total.at("in"), in) << step.at("step");
    std::uint64_t dropped = 0;
    for (const auto& [reason, count] : total.at("dropped").items())
      dropped += count.get<std::uint64_t>();
    EXPECT_EQ(total.at("in"), total.at("out").get<std::uint64_t>() + dropped) << step.at("step");
    in = total.value("made", total.at("out").get<std::uint64_t>());
  }
  EXPECT_EQ(outcome.pairs.size(), in);
  EXPECT_EQ(steps[2].at("total").at("dropped").at("the annotators disagree"), 30);
  EXPECT_EQ(outcome.fate.size(), 300U);
}

TEST_F(Pipeline, TheSameBytesOnAnyNumberOfThreads) {
  write_many();
  curate(many(), 1);
  const auto first = bytes();
  std::filesystem::remove_all(out());
  curate(many(), 3);
  EXPECT_EQ(bytes(), first);
  ASSERT_TRUE(first.contains("train.jsonl"));
  EXPECT_GT(first.at("train.jsonl").size(), 10'000U);
}

TEST_F(Pipeline, AnotherSeedIsAnotherMix) {
  write_many();
  curate(many());
  const std::string first = read_file(out() / "train.jsonl");
  std::filesystem::remove_all(out());
  curate::Recipe other = curate::parse_recipe(many(), "small.yaml", 2);
  curate::Resources with = resources(other);
  curate(other, with);
  EXPECT_NE(read_file(out() / "train.jsonl"), first);
}

TEST_F(Pipeline, GoesOnAfterItsLastWholePass) {
  write_many();
  curate(many());
  const auto first = bytes();
  std::filesystem::remove_all(out());
  // Stopped after so many looks at the flag: in the load, in a pass, between passes.
  for (int most = 1; most < 40; most += 3) {
    curate::Recipe recipe = curate::parse_recipe(many(), "small.yaml");
    curate::Resources with = resources(recipe);
    int looks = 0;
    with.stop = [&] { return ++looks > most; };
    const curate::RunResult result = curate::run(recipe, with, options());
    if (result.done) {
      EXPECT_GE(most, 5);
    }
  }
  curate(many());
  EXPECT_EQ(bytes(), first);
}

TEST_F(Pipeline, KeepsPassesThatNothingChanged) {
  write_many();
  curate(many());
  curate::Recipe recipe = curate::parse_recipe(many(), "small.yaml");
  curate::Resources with = resources(recipe);
  curate::RunResult again = curate::run(recipe, with, options());
  EXPECT_EQ(again.passes_kept.size(), 1 + again.stages.size());
  // From a step on, and with another option of a late step.
  curate::RunOptions from = options();
  from.from = "balance";
  again = curate::run(recipe, with, from);
  EXPECT_LT(again.passes_kept.size(), 1 + again.stages.size());
  from.from = "balanced";
  EXPECT_NE(error_of([&] { curate::run(recipe, with, from); }).find("no step 'balanced'"),
            std::string::npos);
}

TEST_F(Pipeline, AStepThatDropsEverythingIsNamed) {
  write_rows("rows.jsonl", {row("1", "One?", "1", "Yes"), row("2", "Two?", "2", "No")});
  const std::string error = error_of(
      [&] { curate(recipe("  - clean\n  - length: {min_response_chars: 5}\n  - pairs\n")); });
  EXPECT_NE(error.find("the step 'length' leaves nothing of 2 rows: 2 a response too short"),
            std::string::npos)
      << error;
}

TEST_F(Pipeline, NoGroupIsInTwoSplits) {
  write_many();
  const Outcome outcome = curate(many());
  std::map<std::string, std::set<std::string>> splits;
  for (const char* split : {"train", "validation", "test"}) {
    for (const Json& pair : lines(out() / (std::string(split) + ".jsonl")))
      splits[pair.at("group").get<std::string>()].insert(split);
  }
  size_t outside = 0;
  for (const auto& [group, in] : splits) {
    EXPECT_EQ(in.size(), 1U) << group;
    outside += in.contains("train") ? 0 : 1;
  }
  EXPECT_GT(outside, 5U);
  EXPECT_GT(splits.size(), 50U);
}

TEST_F(Pipeline, WhatASmallSourceAsksOfEachRowDoesNotTieItsGroups) {
  std::vector<Json> rows;
  for (int i = 0; i < 40; ++i) {
    rows.push_back(row(std::to_string(i), "Which of the two statements is against common sense?",
                       "Answer number " + std::to_string(i / 2) + " of all the answers here",
                       "Yes"));
  }
  write_rows("rows.jsonl", rows);
  curate(recipe("  - pairs\nsplit: {validation: 0.5}\n"));
  std::map<std::string, std::set<std::string>> splits;  // By response.
  std::map<std::string, int> sizes;
  for (const char* split : {"train", "validation"}) {
    for (const Json& pair : lines(out() / (std::string(split) + ".jsonl"))) {
      ++sizes[split];
      const std::string prompt = pair.at("prompt").back().at("content");
      splits[prompt.substr(prompt.find("Answer number"), 16)].insert(split);
    }
  }
  EXPECT_GT(sizes["train"], 5);
  EXPECT_GT(sizes["validation"], 5);
  ASSERT_EQ(splits.size(), 20U);
  for (const auto& [response, in] : splits) EXPECT_EQ(in.size(), 1U) << response;
}

TEST_F(Pipeline, ParquetHoldsTheSamePairs) {
  write_many();
  const Outcome outcome = curate(many());
  table::Rows rows("SELECT * FROM 'train.parquet'", out(), "test");
  const std::vector<Json> expected = lines(out() / "train.jsonl");
  size_t count = 0;
  for (Json one; rows.next(one); ++count) {
    EXPECT_EQ(one.at("id"), expected.at(count).at("id"));
    EXPECT_EQ(one.at("chosen"), expected.at(count).at("chosen"));
    EXPECT_EQ(one.at("provenance"), expected.at(count).at("provenance"));
  }
  EXPECT_EQ(count, expected.size());
}

}  // namespace
}  // namespace selene::testing
