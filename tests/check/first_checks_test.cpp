#include "check/first_checks.h"

#include <gtest/gtest.h>

#include "check/checks_file.h"
#include "check/failing.h"

namespace selene::check {
namespace {

Answers with_columns(const std::vector<std::string>& columns, const std::string& cell = "text") {
  Answers answers;
  answers.name = "a.csv";
  answers.columns = columns;
  Answer answer;
  for (const std::string& column : columns) answer.fields[column] = cell;
  answers.answers = {answer};
  return answers;
}

std::vector<std::string> names_of(const ChecksFile& checks) {
  std::vector<std::string> names;
  for (const Check& check : checks.checks) names.push_back(check.name);
  return names;
}

TEST(FirstChecks, AreAChecksFileForTheGuessedColumns) {
  const Answers answers = with_columns({"Question", "Bot \"reply\"", "Answer", "expected", "docs"});
  const ChecksFile checks = parse_checks(first_checks(answers, {}), "c.yaml");
  EXPECT_EQ(checks.map,
            (ColumnMap{{"input", "Question"}, {"response", "Answer"}, {"reference", "expected"}}));
  EXPECT_EQ(names_of(checks),
            (std::vector<std::string>{"not empty", "not too long", "no talk of being a model",
                                      "words of the reference", "answers the question",
                                      "agrees with the reference", "tone"}));
}

TEST(FirstChecks, OnlyChecksWithoutAJudgeDecide) {
  const ChecksFile checks =
      parse_checks(first_checks(with_columns({"q", "a", "reference"}), {}), "c.yaml");
  EXPECT_FALSE(checks.gate.min_pass_rate);
  EXPECT_EQ(checks.look.margin, 0);
  EXPECT_TRUE(checks.checks[0].min_pass_rate);
  for (const Check& check : checks.checks) {
    EXPECT_FALSE(check.judged && check.min_pass_rate) << check.name;
  }
}

TEST(FirstChecks, AnAnswerWithoutAReferenceIsNotAskedAboutIt) {
  Answers answers = with_columns({"input", "response", "reference", "context"});
  answers.answers.push_back({.id = "2", .fields = {{"input", "i"}, {"response", "r"}}});
  const ChecksFile checks = parse_checks(first_checks(answers, {}), "c.yaml");
  std::vector<std::string> skipped;
  for (const Check& check : checks.checks) {
    if (!check.applies(answers.answers[1])) skipped.push_back(check.name);
  }
  EXPECT_EQ(skipped, (std::vector<std::string>{"words of the reference", "keeps to the context",
                                               "agrees with the reference"}));
  answers.answers.push_back({.id = "3", .fields = {{"response", "r"}}});
  const ChecksFile more = parse_checks(first_checks(answers, {}), "c.yaml");
  for (const Check& check : more.checks) {
    EXPECT_FALSE(check.judged && check.applies(answers.answers[2])) << check.name;
  }
}

TEST(FirstChecks, ALabelColumnOfYesAndNoIsPeoples) {
  const auto human = [](const std::string& cell) {
    Answers answers = with_columns({"customer", "agent", "label"}, "some words");
    answers.answers[0].fields["label"] = cell;
    for (const Check& check : parse_checks(first_checks(answers, {}), "c.yaml").checks) {
      if (check.judged) return check.judged->human;
    }
    return std::string("none");
  };
  EXPECT_EQ(human("Yes"), "label");
  EXPECT_EQ(human("good"), "");
}

TEST(FirstChecks, LengthsAreInCharacters) {
  const std::string text = first_checks(with_columns({"response"}, "\u00E9\u00E9\u00E9"), {});
  EXPECT_NE(text.find("max: 10, unit: characters}  # the longest here has 3\n"), std::string::npos)
      << text;
}

TEST(FirstChecks, TheUsersWordCountsBeforeAGuess) {
  const Answers answers = with_columns({"answer", "say: \"x\"", "context"});
  const ChecksFile checks =
      parse_checks(first_checks(answers, {{"response", "say: \"x\""}}), "c.yaml");
  EXPECT_EQ(checks.map.front(), (std::pair<std::string, std::string>{"response", "say: \"x\""}));
  EXPECT_EQ(checks.judged(), 0U);  // No input, so nothing for a judge.
}

TEST(FirstChecks, AnswersThatAreAllJsonAreToStaySo) {
  const auto names =
      names_of(parse_checks(first_checks(with_columns({"response"}, "{\"a\": 1}"), {}), "c.yaml"));
  EXPECT_NE(std::find(names.begin(), names.end(), "is JSON"), names.end());
}

TEST(FirstChecks, NamesOfSeveralWordsAreGuessedAndNumbersAreNoTexts) {
  const auto map_of = [](const std::vector<std::string>& columns, const ColumnMap& short_ones) {
    Answers answers = with_columns(columns, "a text of words");
    for (const auto& [column, cell] : short_ones) answers.answers[0].fields[column] = cell;
    return parse_checks(first_checks(answers, {}), "c.yaml").map;
  };
  const ColumnMap chat{{"input", "customer message"}, {"response", "bot reply"}};
  EXPECT_EQ(map_of({"ticket", "customer message", "bot reply", "agent", "rating"},
                   {{"ticket", "A1"}, {"agent", "bot"}, {"rating", "5"}}),
            chat);
  EXPECT_EQ(map_of({"Prompt", "Model Output"}, {}),
            (ColumnMap{{"input", "Prompt"}, {"response", "Model Output"}}));
  EXPECT_EQ(map_of({"question_id", "user_question", "expected_answer", "answer_text"},
                   {{"question_id", "7"}}),
            (ColumnMap{{"input", "user_question"},
                       {"response", "answer_text"},
                       {"reference", "expected_answer"}}));
  EXPECT_EQ(map_of({"ticket", "agent"}, {}),
            (ColumnMap{{"input", "ticket"}, {"response", "agent"}}));
  EXPECT_NE(testing::error_of([&] {
              map_of({"question", "agent"}, {{"agent", "bot"}});
            }).find("no column looks like the response"),
            std::string::npos);
}

TEST(FirstChecks, WithoutAResponseTheyAskWhichItIs) {
  EXPECT_EQ(testing::error_of([] {
              first_checks(with_columns({"foo", "bar"}), {});
            }),
            "a.csv: no column looks like the response; the columns are foo, bar; say which it is: "
            "--map response=COLUMN");
}

}  // namespace
}  // namespace selene::check
