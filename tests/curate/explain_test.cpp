#include "curate/explain.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "small_curation.h"

namespace selene::curate {
namespace {

using testing::Json;
using testing::message_of;

constexpr report::Terminal kPlain{.columns = 100};

class Explain : public ::testing::Test {
 protected:
  Explain() { testing::write_small_curation(folder_); }

  std::string text(const std::string& id) const {
    return life_text(explain(folder_.path(), id), kPlain);
  }
  std::string refusal(const std::string& id) const {
    return message_of<Error>([&] { explain(folder_.path(), id); });
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Explain, ADroppedRowEndsWhereItWasDropped) {
  EXPECT_EQ(text("creak/train_2"),
            "creak/train_2  source creak\n"
            "The capital of France | Paris\n"
            "\n"
            "load           kept\n"
            "clean          kept; 1 control character taken out\n"
            "contamination  dropped: 13 words of a benchmark (mt-bench, item 4)\n"
            "               shares with mt-bench, item 4: \"the capital\"\n"
            "               shares with mt-bench, item 5: \"of france\"\n");
}

TEST_F(Explain, AKeptRowEndsInItsPairs) {
  EXPECT_EQ(text("creak/train_1"),
            "creak/train_1  source creak\n"
            "The capital of France | Paris\n"
            "\n"
            "load           kept\n"
            "clean          kept; 1 control character taken out\n"
            "contamination  kept\n"
            "critiques      kept\n"
            "pairs          kept; 2 pairs made of it\n"
            "\n"
            "pair creak/train_1#1\n"
            "  reward         kept\n"
            "  mix            kept; weight 0.5\n"
            "                 in train.jsonl: critique, chosen Yes, rejected No\n"
            "\n"
            "pair creak/train_1#2\n"
            "  reward         dropped: margin below 0.1 (0.02)\n");
}

TEST_F(Explain, ARejectedRowIsFoundByItsId) {
  const std::string expected =
      "creak/train_9  source creak\n"
      "\n"
      "load  rejected: train.json, row 12: label 'Maybe' outside of the labels\n";
  EXPECT_EQ(text("creak/train_9"), expected);
  EXPECT_EQ(text("train_9"), expected);
}

TEST_F(Explain, ALineThatCouldNotBeReadIsFoundByItsPlace) {
  const Life life = explain(folder_.path(), "a.csv:3");
  EXPECT_EQ(life.id, "a.csv:3");
  EXPECT_EQ(life.source, "saf");
  EXPECT_EQ(life.rejected, std::vector<std::string>{"a.csv:3: a quote is missing"});
}

TEST_F(Explain, TheSourceMayBeLeftOutWhereOneAloneHasTheId) {
  EXPECT_EQ(explain(folder_.path(), "train_2").id, "creak/train_2");
  EXPECT_EQ(explain(folder_.path(), "saf/7").id, "saf/7");
  EXPECT_EQ(refusal("7"), folder_.path().string() +
                              ": 2 rows have the id '7': creak/7, saf/7; give it with its source: "
                              "SOURCE/ID");
}

TEST_F(Explain, APairIsExplainedWithItsRow) {
  for (const char* id : {"creak/train_1#1", "creak/train_1#2", "train_1#2"}) {
    const Life life = explain(folder_.path(), id);
    EXPECT_EQ(life.id, "creak/train_1");
    EXPECT_EQ(life.pairs.size(), 2u);
  }
  EXPECT_EQ(explain(folder_.path(), "creak/train_3").pairs[1].split, "validation");
}

TEST_F(Explain, TheTextOfAKeptRowIsWhatItsPromptShowsFirst) {
  EXPECT_EQ(explain(folder_.path(), "saf/7").text, "Is it true?\n\nIce is cold.");
  Json pair = testing::small_pair("saf/7");
  pair["prompt"][0]["content"] = "You grade.\n\nInput:\n````\nWhat is ```?\n````\n\nResponse:";
  testing::write_lines(folder_, "train.jsonl", {pair});
  EXPECT_EQ(explain(folder_.path(), "saf/7").text, "\nWhat is ```?");
}

TEST_F(Explain, WhatAllPromptsOfATemplateBeginWithIsNotItsText) {
  std::vector<Json> pairs;
  for (const auto& [id, input] :
       {std::pair{"saf/6", "A cat?"}, {"saf/7", "A dog?"}, {"saf/8", "A dog?"}}) {
    pairs.push_back(testing::small_pair(id));
    pairs.back()["prompt"][0]["content"] = std::string("You grade answers.\nInput: ") + input;
  }
  testing::write_lines(folder_, "train.jsonl", pairs);
  EXPECT_EQ(explain(folder_.path(), "saf/7").text, "Input: A dog?");
  // A template with one row alone cannot be told from its input.
  pairs[1]["provenance"]["template"] = "own";
  testing::write_lines(folder_, "train.jsonl", pairs);
  EXPECT_EQ(explain(folder_.path(), "saf/7").text, "You grade answers.\nInput: A dog?");
}

TEST_F(Explain, ARepeatedIdIsKeptAndRejected) {
  folder_.file("rejected.jsonl",
               R"({"source": "saf", "file": "a.csv", "line": null, "row": 9, "id": "7",)"
               R"( "reason": "the id stands twice"})"
               "\n");
  const Life life = explain(folder_.path(), "saf/7");
  EXPECT_EQ(life.rejected, std::vector<std::string>{"a.csv, row 9: the id stands twice"});
  EXPECT_EQ(life.pairs.size(), 1u);
}

TEST_F(Explain, ANearCopySaysHowNear) {
  testing::write_lines(folder_, "dropped.jsonl",
                       {testing::small_drop("creak/8", {"contamination", "near copy", ""})});
  EXPECT_EQ(explain(folder_.path(), "creak/8").hits,
            std::vector<std::string>{"mt-bench, item a: near copy, similarity 0.88"});
}

TEST_F(Explain, AnIdThatIsPartOfAnotherIsNotTheOther) {
  testing::write_lines(folder_, "dropped.jsonl",
                       {testing::small_drop("creak/train_20", {"clean", "empty", ""}),
                        testing::small_drop("creak/a/train_2", {"clean", "empty", ""}),
                        testing::small_drop("creak/train_2", {"contamination", "near copy", ""})});
  EXPECT_EQ(explain(folder_.path(), "train_2").steps.back().drop->reason, "near copy");
}

TEST_F(Explain, AnIdMayHoldAnything) {
  const std::string id = "creak/\"a\"\\#3\n\xC3\xA9#x";
  testing::write_lines(folder_, "dropped.jsonl", {testing::small_drop(id, {"clean", "empty", ""})});
  EXPECT_EQ(explain(folder_.path(), id).id, id);
}

TEST_F(Explain, NamesTheNearestIds) {
  const std::string remedy =
      "; give it as SOURCE/ID, or a pair's as SOURCE/ID#N; the sources: creak, saf, gone";
  EXPECT_EQ(refusal("creak/tarin_2"), folder_.path().string() +
                                          ": no row has the id 'creak/tarin_2'; the nearest: "
                                          "creak/train_2, creak/train_1, creak/train_3" +
                                          remedy);
  EXPECT_EQ(refusal("creak/train_"), folder_.path().string() +
                                         ": no row has the id 'creak/train_'; the nearest: "
                                         "creak/train_1, creak/train_3, creak/train_2" +
                                         remedy);
  EXPECT_EQ(refusal("zzzzzzzzzz\x1b"),
            folder_.path().string() + ": no row has the id 'zzzzzzzzzz\xEF\xBF\xBD'" + remedy);
}

TEST_F(Explain, NamesTheLineThatIsDamaged) {
  folder_.file("train.jsonl", "{\"id\":\"creak/train_1#1\",\n");
  const std::string failure = refusal("creak/train_1");
  EXPECT_EQ(failure.find((folder_ / "train.jsonl").string() + ":1: "), 0u) << failure;
  folder_.file("train.jsonl", "{\"id\":\"creak/train_1#1\",\"source\":\"creak\"}\n");
  EXPECT_EQ(refusal("creak/train_1")
                .find((folder_ / "train.jsonl").string() + ":1: this is no row of a curation: "),
            0u);
}

TEST_F(Explain, TextOfOthersDoesNothingToATerminal) {
  testing::write_lines(folder_, "dropped.jsonl",
                       {testing::small_drop("creak/train_2", {"clean", "\x1b[2J", "a\nb\x07"})});
  const std::string shown = text("creak/train_2");
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find('\x07'), std::string::npos);
}

TEST_F(Explain, LongReasonsAreWrapped) {
  std::string detail;
  for (int i = 0; i < 30; ++i) detail += "words ";
  testing::write_lines(folder_, "dropped.jsonl",
                       {testing::small_drop("creak/train_2", {"clean", "long", detail})});
  EXPECT_NE(text("creak/train_2").find("\n       words words"), std::string::npos)
      << text("creak/train_2");
}

}  // namespace
}  // namespace selene::curate
