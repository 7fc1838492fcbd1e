#include "data/judgment.h"

#include <gtest/gtest.h>

#include <cmath>

namespace selene::data {
namespace {

TEST(Judgment, HasTheFieldsOfItsFormatInOrder) {
  Judgment judgment;
  judgment.id = "q1";
  judgment.task = Task::Absolute;
  judgment.label = "4";
  judgment.probabilities = {{"4", 0.75}, {"5", 0.25}};
  judgment.score = 4.25;
  judgment.margin = 0.5;
  judgment.entropy = 0.8;
  judgment.critique = "Good.";
  judgment.flags = {"truncated"};
  judgment.judge = {"selene", "m0", "", "absolute", "critique"};
  judgment.key = "k0";
  judgment.extra["source"] = "x";
  EXPECT_EQ(
      to_json(judgment).dump(),
      R"({"id":"q1","task":"absolute","label":"4","probabilities":{"4":0.75,"5":0.25},"score":4.25,"margin":0.5,)"
      R"("entropy":0.8,"critique":"Good.","flags":["truncated"],)"
      R"("judge":{"name":"selene","model":"m0","template":"absolute","mode":"critique"},"key":"k0",)"
      R"("extra":{"source":"x"}})");
}

TEST(Judgment, AnIntegerIdAndAnAdapterAreWritten) {
  Judgment judgment;
  judgment.id = "-12";
  judgment.id_is_integer = true;
  judgment.judge.adapter = "a0";
  const auto row = to_json(judgment);
  EXPECT_EQ(row["id"], -12);
  EXPECT_EQ(row["judge"]["adapter"], "a0");
}

TEST(Judgment, AnUnreadableOneSaysWhyAndHasNulls) {
  Judgment judgment;
  judgment.unreadable = "no mark";
  const auto row = to_json(judgment);
  EXPECT_TRUE(row["label"].is_null());
  EXPECT_EQ(row["unreadable"], "no mark");
  EXPECT_TRUE(row["probabilities"].is_null());
  EXPECT_TRUE(row["margin"].is_null());
  EXPECT_FALSE(row.contains("score"));
  EXPECT_FALSE(row.contains("parts"));
  EXPECT_FALSE(row.contains("skipped"));
  judgment.skipped = true;
  EXPECT_EQ(to_json(judgment)["skipped"], true);
  judgment.label = "A";
  EXPECT_FALSE(to_json(judgment).contains("unreadable"));
}

TEST(Judgment, PartsHaveTheirOrderAndVerdict) {
  Judgment judgment;
  Part part;
  part.judge = "selene";
  part.order = "ba";
  part.sample = 2;
  part.label = "B";
  part.probabilities = {{"A", 0.25}, {"B", 0.75}};
  part.critique = "B.";
  part.flags = {"mark_in_data"};
  part.key = "k1";
  Part unread;
  unread.unreadable = "no mark";
  judgment.parts = {part, unread};
  EXPECT_EQ(
      to_json(judgment)["parts"].dump(),
      R"([{"judge":"selene","order":"ba","sample":2,"label":"B","probabilities":{"A":0.25,"B":0.75},)"
      R"("critique":"B.","flags":["mark_in_data"],"key":"k1"},)"
      R"({"judge":"","order":null,"sample":0,"label":null,"unreadable":"no mark","probabilities":null,)"
      R"("critique":"","flags":[],"key":""}])");
}

TEST(Judgment, KnowsWhichLabelsAreNumbers) {
  EXPECT_EQ(label_number("4"), 4);
  EXPECT_EQ(label_number("-0.5"), -0.5);
  for (const char* label :
       {"", "Yes", "4.", "4 ", " 4", "4/5", "+4", "inf", "nan", "1e999", "0x10"}) {
    const auto number = label_number(label);
    EXPECT_TRUE(!number || label == std::string("4.")) << label;
  }
}

// By hand: .1·1 + .2·2 + .4·3 + .3·5 = 3.2; .4 − .3; −Σ p log2 p = .33219 + .46439 + .52877 +
// .52109.
TEST(Judgment, StatisticsOfADistribution) {
  const Distribution four = {{"1", 0.1}, {"2", 0.2}, {"3", 0.4}, {"5", 0.3}};
  EXPECT_NEAR(*expected_score(four), 3.2, 1e-12);
  EXPECT_NEAR(*margin(four), 0.1, 1e-12);
  EXPECT_NEAR(*entropy_bits(four), 1.84644, 1e-5);
  EXPECT_EQ(most_probable(four), "3");
}

TEST(Judgment, StatisticsAtTheEnds) {
  const Distribution sure = {{"A", 1.0}, {"B", 0.0}};
  EXPECT_EQ(*margin(sure), 1);
  EXPECT_EQ(*entropy_bits(sure), 0);
  EXPECT_FALSE(expected_score(sure));
  const Distribution even = {{"x", 0.25}, {"y", 0.25}, {"z", 0.25}, {"w", 0.25}};
  EXPECT_EQ(*margin(even), 0);
  EXPECT_EQ(*entropy_bits(even), 2);
  EXPECT_EQ(most_probable(even), "x");  // The first of equals.
}

TEST(Judgment, AnEmptyDistributionHasNoStatistics) {
  EXPECT_FALSE(expected_score({}));
  EXPECT_FALSE(margin({}));
  EXPECT_FALSE(entropy_bits({}));
  EXPECT_FALSE(most_probable({}));
}

}  // namespace
}  // namespace selene::data
