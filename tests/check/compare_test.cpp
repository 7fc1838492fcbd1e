#include "check/compare.h"

#include <gtest/gtest.h>

#include "check/failing.h"
#include "judge/scripted_judge.h"

namespace selene::check {
namespace {

using testing::error_of;
using testing::scored;

Answers set_of(const std::string& name,
               const std::vector<std::pair<std::string, std::string>>& responses) {
  Answers answers;
  answers.name = name;
  answers.columns = {"id", "input", "response"};
  size_t line = 1;
  for (const auto& [id, response] : responses)
    answers.answers.push_back(
        {id, false, ++line, {{"id", id}, {"input", "i" + id}, {"response", response}}});
  return answers;
}

// Prefers the first response where it holds "apples", the second where that does, else the first.
RunOptions options() {
  RunOptions run;
  run.open = [](const JudgeChoice&) {
    judge::Policy policy;
    policy.mode = judge::Mode::Verdict;
    policy.order = judge::Order::Both;
    return judge::Judge("j",
                        testing::ScriptedJudge::engines(
                            std::make_shared<std::vector<engine::Request>>(),
                            [](const engine::Request& request) {
                              const std::string& text = request.messages.back().content;
                              const size_t good = text.find("apples");
                              const size_t bad = text.find("pears");
                              const bool second = good != std::string::npos &&
                                                  bad != std::string::npos && bad < good;
                              return second ? scored({0.1, 0.9}) : scored({0.9, 0.1});
                            },
                            0),
                        testing::ScriptedJudge::members({policy}, ""));
  };
  return run;
}

TEST(Compare, CountsWinsOfBothOrdersAndTies) {
  const auto comparison = compare_answers(
      set_of("a", {{"1", "apples"}, {"2", "pears"}, {"3", "figs"}, {"4", "pears"}}),
      set_of("b", {{"4", "apples"}, {"2", "apples"}, {"1", "pears"}, {"3", "plums"}}), "",
      options());
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->a, 1);
  EXPECT_EQ(comparison->b, 2);
  EXPECT_EQ(comparison->ties, 1);
  EXPECT_EQ(comparison->rows[0].winner, "A");
  EXPECT_EQ(comparison->rows[2].winner, "tie");
  EXPECT_EQ(comparison->rows[2].reason, "the two orders disagree");
  EXPECT_DOUBLE_EQ(comparison->b_rate->value, 2.0 / 3);
  EXPECT_EQ(comparison->decision(), "cannot tell");
  const nlohmann::ordered_json row = to_json(comparison->rows[1]);
  EXPECT_EQ(row["id"], "2");
  EXPECT_EQ(row["winner"], "B");
  EXPECT_NEAR(row["probabilities"]["B"].get<double>(), 0.9, 1e-12);
}

TEST(Compare, IdenticalAnswersAreATieThatNoJudgeIsAsked) {
  RunOptions none = options();
  none.open = [](const JudgeChoice&) -> judge::Judge { throw std::logic_error("opened"); };
  const auto same = compare_answers(set_of("a", {{"1", "x"}}), set_of("b", {{"1", "x"}}), "", none);
  EXPECT_EQ(same->ties, 1);
  EXPECT_EQ(same->identical, 1);
  EXPECT_EQ(same->rows[0].reason, "the two answers are identical");
  const auto mixed = compare_answers(set_of("a", {{"1", "x"}, {"2", "apples"}}),
                                     set_of("b", {{"1", "x"}, {"2", "pears"}}), "", options());
  EXPECT_EQ(mixed->rows[0].winner, "tie");
  EXPECT_EQ(mixed->rows[1].winner, "A");
  EXPECT_EQ(mixed->rows[1].id, "2");
}

TEST(Compare, DecidesWhenTheIntervalLiesOnOneSide) {
  std::vector<std::pair<std::string, std::string>> good, bad;
  for (int i = 0; i < 8; ++i) {
    good.emplace_back(std::to_string(i), "apples");
    bad.emplace_back(std::to_string(i), "pears");
  }
  EXPECT_EQ(compare_answers(set_of("a", bad), set_of("b", good), "", options())->decision(),
            "better");
  EXPECT_EQ(compare_answers(set_of("a", good), set_of("b", bad), "", options())->decision(),
            "worse");
}

TEST(Compare, WithoutAnyVerdictItIsAnErrorAndNoTie) {
  RunOptions silent = options();
  silent.open = [](const JudgeChoice&) {
    judge::Policy policy;
    policy.mode = judge::Mode::Verdict;
    return judge::Judge("j",
                        testing::ScriptedJudge::engines(
                            std::make_shared<std::vector<engine::Request>>(),
                            [](const engine::Request&) { return engine::Result{}; }, 0),
                        testing::ScriptedJudge::members({policy}, ""));
  };
  const std::string error = error_of([&] {
    compare_answers(set_of("a", {{"1", "x"}, {"2", "y"}}), set_of("b", {{"1", "x"}, {"2", "z"}}),
                    "", silent);
  });
  EXPECT_TRUE(error.starts_with("a: no pair has a verdict, such as the id '2': ")) << error;
}

TEST(Compare, SetsThatDoNotMatchAreRefused) {
  const auto error = [](const Answers& a, const Answers& b) {
    return error_of([&] { compare_answers(a, b, "", options()); });
  };
  EXPECT_EQ(error(set_of("a", {{"1", "x"}, {"2", "x"}}), set_of("b", {{"1", "x"}})),
            "b: 1 id is only in a, such as '2'; both sets must answer the same ids");
  EXPECT_EQ(error(set_of("a", {{"1", "x"}}), set_of("b", {{"1", "x"}, {"2", "x"}, {"3", "x"}})),
            "a: 2 ids are only in b, such as '2'; both sets must answer the same ids");
  Answers other = set_of("b", {{"1", "x"}});
  other.answers[0].fields["input"] = "else";
  EXPECT_EQ(error(set_of("a", {{"1", "x"}}), other),
            "a:2: the id '1' has another input in b:2; give both sets of answers the same ids and "
            "inputs");
}

}  // namespace
}  // namespace selene::check
