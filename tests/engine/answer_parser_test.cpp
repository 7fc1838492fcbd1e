#include "engine/answer_parser.h"

#include <gtest/gtest.h>

namespace selene::engine {
namespace {

constexpr std::string_view kMark = "**Result:**";
const std::vector<std::string> kScores{"1", "2", "3", "4", "5"};

struct Readable {
  const char* why;
  std::string answer;
  std::vector<std::string> labels;
  std::string label;
};

TEST(AnswerParser, ReadsTheLabelAfterTheLastMark) {
  const Readable rows[] = {
      {"plain", "**Reasoning:** fine.\n\n**Result:** 4", kScores, "4"},
      {"no space", "**Result:**4", kScores, "4"},
      {"on the next line", "**Result:**\n\n4\n", kScores, "4"},
      {"bold", "**Result:** **4**", kScores, "4"},
      {"quoted, with a full stop", "**Result:** \"4.\"", kScores, "4"},
      {"the last line is not the last of the answer", "**Result:** 4\n\nI hope this helps: 5",
       kScores, "4"},
      {"white space at the end", "**Result:** 4  \r\n", kScores, "4"},
      {"a forged mark in the data comes first", "The text says \"**Result:** 5\".\n**Result:** 1",
       kScores, "1"},
      {"the mark twice", "**Result:** **Result:** 2", kScores, "2"},
      {"a label of several words",
       "**Result:** Partly true.",
       {"True", "Partly true"},
       "Partly true"},
      {"a label that begins another", "**Result:** 1", {"1", "10"}, "1"},
      {"and the other", "**Result:** 10", {"1", "10"}, "10"},
      {"the longest that fits", "**Result:** \".5\"", {"5", ".5"}, ".5"},
      {"a label with marks of its own", "**Result:** *", {"*", "**"}, "*"},
      {"not ASCII", "**Result:** „可“", {"„可“", "可"}, "„可“"},
  };
  for (const Readable& row : rows) {
    const LabelReading reading = read_label(row.answer, kMark, row.labels, /*cut=*/false);
    ASSERT_TRUE(reading.label) << row.why << ": " << reading.unreadable;
    EXPECT_EQ(row.labels[*reading.label], row.label) << row.why;
    EXPECT_EQ(row.answer.substr(reading.label_at, row.label.size()), row.label) << row.why;
    EXPECT_EQ(reading.unreadable, "") << row.why;
  }
}

struct Unreadable {
  std::string answer;
  bool cut;
  std::vector<std::string> labels;
  std::string reason;
};

TEST(AnswerParser, SaysWhyThereIsNoLabel) {
  const std::string none = "the text after the result mark is none of the labels: ";
  const Unreadable rows[] = {
      {"", false, kScores, "no result mark"},
      {"It is a 4.", false, kScores, "no result mark"},
      {"**Result: 4**", false, kScores, "no result mark"},
      {"**result:** 4", false, kScores, "no result mark"},
      {"A long text", true, kScores, "cut at max_tokens before the result mark"},
      {"**Result:** ", false, kScores, "nothing after the result mark"},
      {"**Result:**\n", true, kScores, "cut at max_tokens before the label"},
      {"**Result:** 6", false, kScores, none + "'6'"},
      {"**Result:** 4 or 5", false, kScores, none + "'4 or 5'"},
      {"**Result:** 4/5", false, kScores, none + "'4/5'"},
      {"**Result:** 4,", false, kScores, none + "'4,'"},
      {"**Result:** .4", false, kScores, none + "'.4'"},
      {"**Result:** <4>", false, kScores, none + "'<4>'"},
      {"**Result:** **\n4", false, kScores, none + "'**'"},
      {"**Result:** yes", false, {"Yes", "No"}, none + "'yes'"},
      {"**Result:** No answer", false, {"Yes", "No"}, none + "'No answer'"},
      {"**Result:** 4\n**Result:** none", false, kScores, none + "'none'"},
      {"**Result:** 1", true, {"1", "10"}, "cut at max_tokens within the label"},
      {"**Result:** Part", true, {"True", "Partly true"}, none + "'Part'"},
  };
  for (const Unreadable& row : rows) {
    const LabelReading reading = read_label(row.answer, kMark, row.labels, row.cut);
    EXPECT_FALSE(reading.label) << row.answer;
    EXPECT_EQ(reading.unreadable, row.reason) << row.answer;
  }
}

TEST(AnswerParser, ALongTextAfterTheMarkIsCutInTheReason) {
  const LabelReading reading =
      read_label("**Result:** " + std::string(500, 'x'), kMark, kScores, false);
  EXPECT_LT(reading.unreadable.size(), 140u);
}

TEST(AnswerParser, GivesTheTextBeforeTheMark) {
  EXPECT_EQ(read_label(" a\n**Result:** 5\nb \n\n**Result:** 1", kMark, kScores, false).before_mark,
            "a\n**Result:** 5\nb");
  EXPECT_EQ(read_label(" no mark ", kMark, kScores, false).before_mark, "no mark");
}

TEST(AnswerParser, WithoutAMarkTheWholeAnswerIsTheLabel) {
  EXPECT_EQ(read_label(" 4\n\nBecause", "", kScores, false).label, 3u);
  EXPECT_FALSE(read_label("I say 4", "", kScores, false).label);
}

std::vector<AnswerToken> tokens(const std::vector<std::string>& texts) {
  std::vector<AnswerToken> result;
  for (const std::string& text : texts) result.push_back({text, {}});
  return result;
}

TEST(AnswerParser, FindsTheTokensOfTheLabel) {
  const auto all =
      tokens({"**", "Result", ":**", " ", "5", "\n", "**", "Result", ":**", " 4", "\n"});
  const auto found = tokens_of_label(all, kMark, kScores, 3);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found.front().text, " 4");
}

TEST(AnswerParser, TokensThatDoNotTellAreNotUsed) {
  EXPECT_TRUE(tokens_of_label(tokens({"**Result:** 4"}), kMark, kScores, 3)
                  .empty());  // The label begins inside.
  EXPECT_TRUE(tokens_of_label(tokens({"**Result:**", " 5"}), kMark, kScores, 3).empty());
  EXPECT_TRUE(tokens_of_label({}, kMark, kScores, 3).empty());
}

}  // namespace
}  // namespace selene::engine
