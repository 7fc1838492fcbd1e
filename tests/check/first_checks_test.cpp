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
                                      "answers the question", "agrees with the reference",
                                      "words of the reference", "tone"}));
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

TEST(FirstChecks, WithoutAResponseTheyAskWhichItIs) {
  EXPECT_EQ(testing::error_of([] {
              first_checks(with_columns({"foo", "bar"}), {});
            }),
            "a.csv: no column looks like the response; the columns are foo, bar; say which it is: "
            "--map response=COLUMN");
}

}  // namespace
}  // namespace selene::check
