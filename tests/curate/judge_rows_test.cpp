#include <gtest/gtest.h>

#include "core/error.h"
#include "model_steps.h"

namespace selene::curate {
namespace {

using selene::testing::begun_step;
using selene::testing::Json;
using selene::testing::made_step;
using selene::testing::options_error;
using selene::testing::pair_row;
using selene::testing::rated_row;
using selene::testing::scored;
using selene::testing::ScriptedJudges;

StepPointer step(const std::string& yaml, ScriptedJudges& judges) {
  return begun_step("judge", yaml, judges);
}

// 0.7 for the first label, whatever stands there.
engine::Result likes_the_first(const engine::Request& request) {
  std::vector<double> shares(request.labels.size(),
                             0.3 / static_cast<double>(request.labels.size() - 1));
  shares.front() = 0.7;
  return scored(shares);
}

TEST(JudgeStep, RowsGetTheJudgesOwnDistribution) {
  ScriptedJudges judges{.scripts = {{"", likes_the_first}}};
  const StepPointer made = step("{}", judges);
  std::vector<Row> rows{pair_row("s/1", "A"), rated_row("s/2", "4")};
  const auto drops = made->run(rows);
  ASSERT_EQ(drops.size(), 2u);
  EXPECT_FALSE(drops[0] || drops[1]);
  ASSERT_EQ(rows[0].judged.size(), 2u);
  EXPECT_NEAR(rows[0].judged[0].second, 0.7, 1e-12);
  ASSERT_EQ(rows[1].judged.size(), 5u);
  ASSERT_EQ(judges.asked[""]->size(), 2u);
  EXPECT_EQ(judges.asked[""]->front().max_tokens, 0);
  EXPECT_EQ(judges.asked[""]->front().answer_start, "");
  const Json facts = made->facts();
  EXPECT_EQ(facts.at("asked"), 2);
  EXPECT_EQ(facts.at("agrees"), 1);
  EXPECT_EQ(facts.at("bins").size(), 21u);
  EXPECT_EQ(facts.at("probability").size(), 20u);
  EXPECT_EQ(facts.at("probability").at(1), 1);  // 0.075 for label 4 of five.
  EXPECT_EQ(facts.at("probability").at(13).get<int>() + facts.at("probability").at(14).get<int>(),
            1);  // 0.7, on an edge.
}

TEST(JudgeStep, BothOrdersAreOneMean) {
  ScriptedJudges judges{.scripts = {{"", likes_the_first}}};
  const StepPointer made = step("{order: both}", judges);
  std::vector<Row> rows{pair_row("s/1", "A")};
  made->run(rows);
  EXPECT_EQ(judges.asked[""]->size(), 2u);
  EXPECT_NEAR(rows[0].judged[0].second, 0.5, 1e-12);
}

TEST(JudgeStep, RowsThatTheJudgeFindsEasyGo) {
  ScriptedJudges judges{.scripts = {{"strong", likes_the_first}}};
  const StepPointer made = step("{judge: strong, most_probability: 0.6}", judges);
  std::vector<Row> rows{pair_row("s/1", "A"), pair_row("s/2", "B")};
  const auto drops = made->run(rows);
  ASSERT_TRUE(drops[0]);
  EXPECT_EQ(drops[0]->reason, "the judge finds it easy");
  EXPECT_EQ(drops[0]->detail, "0.700 for the label A");
  EXPECT_FALSE(drops[1]);
}

TEST(JudgeStep, ALongRowIsDroppedAndSaid) {
  ScriptedJudges judges{.scripts = {{"", likes_the_first}}, .context_limit = 3000};
  const StepPointer made = step("{}", judges);
  std::vector<Row> rows{rated_row("s/1"), rated_row("s/2")};
  rows[1].sample.response = std::string(3000, 'x');
  const auto drops = made->run(rows);
  EXPECT_FALSE(drops[0]);
  ASSERT_TRUE(drops[1]);
  EXPECT_EQ(drops[1]->reason, "too long for the judge");
  EXPECT_EQ(made->facts().at("too_long"), 1);
}

TEST(JudgeStep, AVerdictWithoutProbabilitiesCannotBeHard) {
  ScriptedJudges judges{.scripts = {{"", [](const engine::Request&) {
                                       engine::Result result;
                                       result.label_read = 0;
                                       return result;
                                     }}}};
  const StepPointer free = step("{}", judges);
  std::vector<Row> rows{pair_row("s/1", "A")};
  EXPECT_FALSE(free->run(rows)[0]);
  EXPECT_TRUE(rows[0].judged.empty());
  EXPECT_EQ(free->facts().at("agrees"), 1);
  const StepPointer strict = step("{most_probability: 0.9}", judges);
  EXPECT_EQ(strict->run(rows)[0]->reason, "the judge gives no probabilities");
}

TEST(JudgeStep, WhatItDependsOnIsTheJudge) {
  ScriptedJudges judges{.scripts = {{"", likes_the_first}}};
  const Resources resources = judges.resources();
  const StepPointer made = made_step("judge", "{}");
  const Json described = Json::parse(made->depends_on(resources));
  EXPECT_EQ(described.at("members").at(0).at("model").get<std::string>().size(), 64u);
  made->depends_on(resources);
  EXPECT_EQ(judges.opened.size(), 1u);
}

TEST(JudgeStep, WrongOptionsAreNamed) {
  const auto message = [](const std::string& yaml) { return options_error("judge", yaml); };
  EXPECT_EQ(message("{most_probability: 1.5}"),
            "recipe.yaml:1: 'most_probability' must be from 0 to 1, not 1.5");
  EXPECT_EQ(message("{order: ab}"), "recipe.yaml:1: 'order' must be one of one, both, not 'ab'");
  EXPECT_EQ(message("{most: 1}"),
            "recipe.yaml:1: unknown key 'most'; known: judge, order, most_probability");
}

}  // namespace
}  // namespace selene::curate
