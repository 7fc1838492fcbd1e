#include "engine/label_scores.h"

#include <gtest/gtest.h>

#include <cmath>

namespace selene::engine {
namespace {

// One token's place.
std::vector<AnswerToken> listed(const std::vector<std::pair<std::string, double>>& probabilities) {
  AnswerToken token;
  for (const auto& [text, probability] : probabilities) {
    token.alternatives.push_back({text, std::log(probability)});
  }
  token.text = token.alternatives.front().text;
  return {token};
}

std::vector<double> probabilities(const LabelScores& scores) {
  std::vector<double> result;
  for (double log_prob : scores.log_probs()) result.push_back(std::exp(log_prob));
  return result;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

const std::vector<std::string> kYesNo{"Yes", "No"};

TEST(LabelScores, OneAlternativeForEachLabel) {
  LabelScores scores(kYesNo, true);
  scores.add("", listed({{" Yes", 0.6}, {" No", 0.3}, {" Maybe", 0.1}}));
  expect_near(probabilities(scores), {0.6, 0.3});
  EXPECT_FALSE(scores.open_text());
}

TEST(LabelScores, AlternativesOfOneLabelAddUp) {
  LabelScores scores(kYesNo, true);
  // With and without a space. Lower case, a longer text, an end token and a lone space are none of
  // them.
  scores.add("", listed({{" Yes", 0.4},
                         {"Yes", 0.1},
                         {" No", 0.2},
                         {" yes", 0.1},
                         {"Yesterday", 0.05},
                         {"", 0.05},
                         {" ", 0.05}}));
  expect_near(probabilities(scores), {0.5, 0.2});
}

TEST(LabelScores, AnUnlistedLabelTakesTheLeastWhenThatIsNextToNothing) {
  LabelScores scores(kYesNo, true);
  scores.add("", listed({{" Yes", 0.999}, {" Maybe", 1e-5}}));
  expect_near(probabilities(scores), {0.999, 1e-5});
}

TEST(LabelScores, NoDistributionWhenAnUnlistedLabelCouldHaveMore) {
  LabelScores scores(kYesNo, true);
  scores.add("", listed({{" Yes", 0.9}, {" Maybe", 0.01}}));
  EXPECT_TRUE(scores.log_probs().empty());
}

TEST(LabelScores, NoDistributionWithoutAlternatives) {
  EXPECT_TRUE(LabelScores(kYesNo, true).log_probs().empty());
  LabelScores scores(kYesNo, true);
  scores.add("", std::vector<AnswerToken>(1));
  EXPECT_TRUE(scores.log_probs().empty());
  LabelScores elsewhere(kYesNo, true);
  elsewhere.add("", listed({{" The", 0.9}, {" A", 0.1}}));
  EXPECT_TRUE(elsewhere.log_probs().empty());
}

TEST(LabelScores, AMinusInfiniteLogProbabilityIsNothing) {
  LabelScores scores(kYesNo, true);
  scores.add("",
             std::vector<AnswerToken>{{" Yes", {{" Yes", 0}, {" No", -3.4028234663852886e38}}}});
  const auto log_probs = scores.log_probs();
  ASSERT_EQ(log_probs.size(), 2u);
  EXPECT_EQ(log_probs[0], 0);
  EXPECT_LT(log_probs[1], -600);
  EXPECT_TRUE(std::isfinite(log_probs[1]));
}

// A tokenizer with single digits: "1" begins 1 and 10.
TEST(LabelScores, AnOpenTextIsDividedByWhatFollowsIt) {
  LabelScores scores(std::vector<std::string>{"1", "2", "10"}, true);
  scores.add("", listed({{"1", 0.5}, {"2", 0.3}, {"\n", 0.01}}));
  EXPECT_EQ(scores.open_text(), "1");
  EXPECT_TRUE(scores.log_probs().empty());
  scores.add("1", listed({{"0", 0.8}, {"\n", 0.15}, {".", 0.05}}));
  EXPECT_FALSE(scores.open_text());
  expect_near(probabilities(scores), {0.5 * 0.2, 0.3, 0.5 * 0.8});
}

// A tokenizer with "10" as one token would not write 10 as "1", "0".
TEST(LabelScores, AWholeLabelIsNotOpenWhenTheLongerOnesHaveTheirOwn) {
  LabelScores scores(std::vector<std::string>{"1", "2", "10"}, true);
  scores.add("", listed({{"1", 0.5}, {"2", 0.3}, {"10", 0.2}}));
  EXPECT_FALSE(scores.open_text());
  expect_near(probabilities(scores), {0.5, 0.3, 0.2});
}

TEST(LabelScores, NorWhenTheirBeginningsAreListed) {
  LabelScores scores(std::vector<std::string>{"No", "Not sure"}, true);
  scores.add("", listed({{" No", 0.5}, {" Not", 0.2}}));
  EXPECT_EQ(scores.open_text(), "Not");
  scores.add("Not", listed({{" sure", 0.5}, {" at", 0.5}}));
  expect_near(probabilities(scores), {0.5, 0.1});
}

TEST(LabelScores, AnOpenTextThatHardlyMattersIsLeftOut) {
  LabelScores scores(std::vector<std::string>{"7", "8", "Yes", "Yellow"}, true);
  scores.add("", listed({{"7", 0.5}, {"8", 0.4}, {"Yes", 0.05}, {"Yellow", 0.04}, {"Ye", 1e-6}}));
  EXPECT_FALSE(scores.open_text());
  expect_near(probabilities(scores), {0.5, 0.4, 0.05, 0.04});
}

TEST(LabelScores, WhatOnlyBeginsALabelIsOpenLevelByLevel) {
  LabelScores scores(std::vector<std::string>{"True", "Partly true", "Partly false"}, true);
  scores.add("", listed({{" Part", 0.6}, {" True", 0.3}, {" The", 0.1}}));
  EXPECT_EQ(scores.open_text(), "Part");
  scores.add("Part", listed({{"ly", 0.9}, {"ial", 0.1}}));
  EXPECT_EQ(scores.open_text(), "Partly");
  scores.add("Partly", listed({{" true", 0.5}, {" false", 0.25}, {" so", 0.25}}));
  EXPECT_FALSE(scores.open_text());
  expect_near(probabilities(scores), {0.3, 0.54 * 0.5, 0.54 * 0.25});
}

TEST(LabelScores, WhereTheServerCannotBeAskedABeginningCountsForItsOnlyLabel) {
  LabelScores scores(std::vector<std::string>{"True", "Partly true", "Not known"}, false);
  scores.add("", listed({{" Part", 0.6}, {" True", 0.3}, {" Not", 0.1}}));
  expect_near(probabilities(scores), {0.3, 0.6, 0.1});
  LabelScores shared(std::vector<std::string>{"1", "2", "10"}, false);
  shared.add("", listed({{"1", 0.5}, {"2", 0.3}, {"\n", 0.01}}));
  EXPECT_FALSE(shared.open_text());
  EXPECT_TRUE(shared.log_probs().empty());
}

TEST(LabelScores, FollowsTheGeneratedTokens) {
  LabelScores scores(std::vector<std::string>{"1", "2", "10"}, true);
  scores.add("", std::vector<AnswerToken>{{" 1", {{" 1", std::log(0.9)}, {" 2", std::log(0.1)}}},
                                          {"0", {{"0", std::log(0.6)}, {"\n", std::log(0.4)}}},
                                          {"\n", {{"\n", 0}}}});
  expect_near(probabilities(scores), {0.9 * 0.4, 0.1, 0.9 * 0.6});
}

// Seen with llama-server: the likeliest token of those that the grammar allows is a lone space, but
// a label seldom follows it.
TEST(LabelScores, WhiteSpaceAloneIsAStepWithItsProbability) {
  LabelScores scores(kYesNo, true);
  scores.add("",
             std::vector<AnswerToken>{
                 {" ", {{" ", std::log(0.16)}, {" Yes", std::log(0.09)}, {" No", std::log(0.03)}}},
                 {"No", {{"2", std::log(0.5)}, {"No", std::log(0.01)}, {"Yes", std::log(0.001)}}}});
  expect_near(probabilities(scores), {0.09 + 0.16 * 0.001, 0.03 + 0.16 * 0.01});
}

TEST(LabelScores, PartOfACharacterCountsForNoLabel) {
  for (const bool can_ask : {true, false}) {
    LabelScores scores(std::vector<std::string>{"可", "否"}, can_ask);
    scores.add("", listed({{"\xE5\x8F", 0.6}, {"\xE5\x90", 0.4}}));  // The first two bytes of each.
    EXPECT_FALSE(scores.open_text());
    EXPECT_TRUE(scores.log_probs().empty());
  }
  LabelScores whole(std::vector<std::string>{"可", "否"}, true);
  whole.add("", listed({{"可", 0.6}, {"否", 0.4}}));
  expect_near(probabilities(whole), {0.6, 0.4});
}

TEST(LabelScores, AnOpenLabelThatHardlyMattersTakesTheMostItCanHave) {
  LabelScores scores(std::vector<std::string>{"Yes", "Not sure"}, true);
  scores.add("", listed({{" Yes", 0.999}, {" Not", 1e-4}, {" The", 1e-5}}));
  EXPECT_FALSE(scores.open_text());
  expect_near(probabilities(scores), {0.999, 1e-4 + 1e-5});
}

}  // namespace
}  // namespace selene::engine
