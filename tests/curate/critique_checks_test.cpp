#include "curate/critique_checks.h"

#include <gtest/gtest.h>

#include "model_steps.h"

namespace selene::curate {
namespace {

using selene::testing::pair_row;
using selene::testing::rated_row;
using selene::testing::row_of;

const std::vector<std::string> kSides{"A", "B"};

engine::Result written(const std::string& text) {
  engine::Result result;
  result.text = text;
  return result;
}

CheckedCritique check(const Row& row, const std::string& label, const engine::Result& result) {
  const judge::TemplateSet templates = judge::TemplateSet::open("");
  return check_critique(templates.pick(row.sample), row.sample, label, result);
}

CheckedCritique check_rated(const std::string& text, const std::string& label = "4") {
  return check(rated_row("s/1"), label, written(text));
}
CheckedCritique check_pair(const std::string& text, const std::string& label = "A") {
  return check(pair_row("s/1"), label, written(text));
}

TEST(CritiqueChecks, AnHonestCritiquePasses) {
  const CheckedCritique checked =
      check_rated("**Reasoning:** Seven is a prime, and it says no more than that. ");
  EXPECT_EQ(checked.fell_to, "");
  EXPECT_EQ(checked.text, "Seven is a prime, and it says no more than that.");
}

TEST(CritiqueChecks, WhatWasNotWritten) {
  EXPECT_EQ(check_rated("").fell_to, checks::kEmpty);
  EXPECT_EQ(check_rated("**Reasoning:**").fell_to, checks::kEmpty);
  engine::Result refused = written("partly");
  refused.is_final = false;
  EXPECT_EQ(check(rated_row("s/1"), "4", refused).fell_to, checks::kNoAnswer);
  engine::Result unreadable;
  unreadable.unreadable = "refused by a filter";
  EXPECT_EQ(check(rated_row("s/1"), "4", unreadable).fell_to, checks::kNoAnswer);
}

TEST(CritiqueChecks, ATextCutAtTheLimitIsNoCritique) {
  engine::Result cut = written("Seven is a prime, and it");
  cut.truncated = true;
  EXPECT_EQ(check(rated_row("s/1"), "4", cut).fell_to, checks::kCutShort);
}

TEST(CritiqueChecks, ACritiqueWithoutAVerdictBehindItIsOne) {
  engine::Result open = written("Seven is a prime.");
  open.unreadable = "no result mark";
  EXPECT_EQ(check(rated_row("s/1"), "4", open).fell_to, "");
}

TEST(CritiqueChecks, ATeacherThatConcludesOtherwiseContradictsItself) {
  engine::Result result = written("Seven is a prime.");
  result.label_read = 3;
  EXPECT_EQ(check(rated_row("s/1"), "4", result).fell_to, "");
  EXPECT_EQ(check(rated_row("s/1"), "3", result).fell_to, checks::kContradiction);
  const engine::Result by_score =
      selene::testing::scored({0.1, 0.1, 0.1, 0.2, 0.5}, "Seven is a prime.");
  EXPECT_EQ(check(rated_row("s/1"), "5", by_score).fell_to, "");
  EXPECT_EQ(check(rated_row("s/1"), "4", by_score).fell_to, checks::kContradiction);
}

TEST(CritiqueChecks, BytesThatAreNoTextAreRefused) {
  engine::Result broken = written("Seven \xEF\xBF\xBD is a prime.");
  broken.invalid_utf8 = true;
  EXPECT_EQ(check(rated_row("s/1"), "4", broken).fell_to, checks::kBroken);
}

TEST(CritiqueChecks, SpeakingOfAGivenVerdict) {
  for (const char* text :
       {"I was told that it is a 4.", "As instructed, it gets good marks.",
        "It fits the Given Verdict.", "The correct label is 4.", "By the ground truth it is good.",
        "The verdict is settled, so it is good."}) {
    EXPECT_EQ(check_rated(text).fell_to, checks::kTold) << text;
  }
  EXPECT_EQ(check_rated("It gives an answer that holds.").fell_to, "");
}

TEST(CritiqueChecks, ASampleThatUsesThePhraseMayBeQuoted) {
  Row row = rated_row("s/1");
  row.sample.response = "Ground truth is what maps are checked by.";
  EXPECT_EQ(check(row, "4", written("It explains ground truth well.")).fell_to, "");
}

TEST(CritiqueChecks, AnotherLabelAsTheResultContradicts) {
  for (const char* text :
       {"Good.\n\n**Result:** 2", "Good. Score: 2", "Good, so the rating is **3**.",
        "It deserves a score of 5.", "First a grade of 4, but in the end the verdict is 3."}) {
    EXPECT_EQ(check_rated(text).fell_to, checks::kContradiction) << text;
  }
}

TEST(CritiqueChecks, TheSameLabelAndOtherNumbersDoNotContradict) {
  for (const char* text : {"Good.\n\n**Result:** 4", "Good. Score: 4/5",
                           "A score of 2 would be too little; the score "
                           "is 4.",
                           "The result of 25 is right.", "The result is 1.5 by the book.",
                           "It names 2 of 3 primes.", "The result of 2 and 2 is not asked for."}) {
    EXPECT_EQ(check_rated(text).fell_to, "") << text;
  }
}

TEST(CritiqueChecks, LabelsThatAreWords) {
  const Row row = row_of("s/1", R"({"task": "classification", "input": "I", "response": "R",
                                    "criteria": "C", "label": "Yes"})");
  EXPECT_EQ(check(row, "Yes", written("It fails. Verdict: No.")).fell_to, checks::kContradiction);
  EXPECT_EQ(check(row, "No", written("It fails. Verdict: No.")).fell_to, "");
}

TEST(CritiqueChecks, PraisingTheOtherSideLastContradicts) {
  for (const char* text :
       {"Both are short. Response B is better.", "So I prefer response B!",
        "Response A errs.\nThe better response is Response B.", "Verdict: Response B",
        "Response A has style. Overall, **Response B** wins."}) {
    EXPECT_EQ(check_pair(text, "B").fell_to, "") << text;
    EXPECT_EQ(check_pair(text, "A").fell_to, checks::kContradiction) << text;
  }
  EXPECT_EQ(check_pair("Response B is better at tone. But Response A is right.").fell_to, "");
}

TEST(CritiqueChecks, ATieContradictsEitherSide) {
  const Row row = row_of("s/1", R"({"task": "pairwise", "input": "I", "response_a": "x",
                           "response_b": "y", "labels": ["A", "B", "Tie"], "label": "Tie"})");
  EXPECT_EQ(check(row, "Tie", written("Response A is better.")).fell_to, checks::kContradiction);
  EXPECT_EQ(check(row, "Tie", written("Neither is better.")).fell_to, "");
}

TEST(CritiqueChecks, SidesAreNamedSoThatTheyCanChangePlaces) {
  const auto sides = [](std::string_view text) { return with_sides(text, kSides); };
  EXPECT_EQ(sides("Response A cites facts."), "Response {A} cites facts.");
  EXPECT_EQ(sides("responses A and B differ"), "responses {A} and {B} differ");
  EXPECT_EQ(sides("**Response B** wins; Response A's tone"),
            "**Response {B}** wins; Response {A}'s tone");
  EXPECT_EQ(sides("Response **A** or **B**"), "Response **{A}** or **{B}**");
  EXPECT_EQ(sides("Assistant B, assistant A"), "Assistant {B}, assistant {A}");
  EXPECT_EQ(sides("Response A picks option B"), "Response {A} picks option B");
  EXPECT_EQ(sides("A response. The response A"), "A response. The response {A}");
  EXPECT_EQ(sides("Response Apple, Plan B"), "Response Apple, Plan B");
  EXPECT_EQ(sides(""), "");
  EXPECT_EQ(with_sides("Response 2 beats response 1", std::vector<std::string>{"1", "2"}),
            "Response {B} beats response {A}");
}

TEST(CritiqueChecks, ASideByItsLetterAloneCannotChangePlaces) {
  EXPECT_EQ(check_pair("Response A is right, B is not.").fell_to, checks::kSide);
  EXPECT_EQ(check_pair("Answer A is right.").fell_to, checks::kSide);
  EXPECT_EQ(check_pair("A short answer is right.").fell_to, "");
  Row vitamins = pair_row("s/1");
  vitamins.sample.response_a = "Take vitamin B daily.";
  EXPECT_EQ(check(vitamins, "A", written("Response A names vitamin B.")).fell_to, "");
}

TEST(CritiqueChecks, TheStoredTextSaysTheSideThatIsShown) {
  Row row = pair_row("s/1");
  row.critiques.push_back({"A", check_pair("Response A beats Response B.").text, "teacher"});
  EXPECT_EQ(shown(row, row.critiques[0].text), "Response A beats Response B.");
  swap_sides(row);
  EXPECT_EQ(row.critiques[0].label, "B");
  EXPECT_EQ(shown(row, row.critiques[0].text), "Response B beats Response A.");
}

TEST(CritiqueChecks, ATextThatGoesInCirclesRepeatsItself) {
  CopyCheck copies(0.7);
  EXPECT_TRUE(
      copies.repeats("The best answer is this one. The best answer is this one. The best "
                     "answer is this one."));
  EXPECT_FALSE(copies.repeats("The best answer is this one, for it names a prime and no more."));
  EXPECT_FALSE(copies.repeats("Good, good, good."));
  EXPECT_FALSE(copies.repeats(""));
}

TEST(CritiqueChecks, CopiesOfThePromptAndOfOneAnother) {
  CopyCheck copies(0.7);
  const std::string prompt =
      "You grade one response to an input by the criteria below and by no "
      "other thing.";
  EXPECT_TRUE(copies.copies("grade one response to an input by the criteria below", prompt));
  EXPECT_FALSE(copies.copies("It says what a prime number is and gives one.", prompt));
  EXPECT_FALSE(copies.copies("", prompt));
  const std::vector<std::string_view> others{"Seven is a prime number and it is short and clear.",
                                             "Something else is said here."};
  EXPECT_TRUE(copies.near_copy("Seven is a prime number, and it is short and clear!", others));
  EXPECT_FALSE(copies.near_copy("Seven is a prime number but the answer is not clear.", others));
  EXPECT_FALSE(copies.near_copy("Anything.", {}));
}

}  // namespace
}  // namespace selene::curate
