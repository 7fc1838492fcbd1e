// The step `reward` with a scripted judge.
#include <gtest/gtest.h>

#include "core/error.h"
#include "curate/reward_scorer.h"
#include "engine/reward_model.h"
#include "engine/tiny_reward.h"
#include "model_steps.h"
#include "temporary_folder.h"

namespace selene::curate {
namespace {

using selene::testing::begun_step;
using selene::testing::Json;
using selene::testing::options_error;
using selene::testing::rated_row;
using selene::testing::scored;
using selene::testing::ScriptedJudges;

StepPointer step(const std::string& yaml, ScriptedJudges& judges) {
  return begun_step("reward", yaml, judges);
}

// A pair of label 4 against 2.
Row paired(const std::string& id, const std::string& chosen, const std::string& rejected) {
  Row row = rated_row(id, "4");
  Pair pair;
  pair.kind = chosen.empty() ? "verdict" : "critique";
  pair.template_name = "absolute";
  pair.prompt = {{"user", "Grade this."}};
  const auto answer = [](const std::string& critique, const std::string& word) {
    return critique.empty() ? "**Result:** " + word
                            : "**Reasoning:** " + critique + "\n\n**Result:** " + word;
  };
  pair.chosen = answer(chosen, "4");
  pair.rejected = answer(rejected, "2");
  pair.label = pair.word = "4";
  pair.rejected_label = pair.rejected_word = "2";
  pair.mark = "**Result:**";
  pair.words = {"1", "2", "3", "4", "5"};
  row.pair = pair;
  return row;
}

// 4 is as probable as the critique says; without one labels 1 to 5 have fixed shares.
engine::Result convinced(const engine::Request& request) {
  if (request.answer_start.empty()) return scored({0.05, 0.3, 0.1, 0.5, 0.05});
  const double four = request.answer_start.find("strong") != std::string::npos ? 0.9 : 0.2;
  const double rest = (1 - four) / 4;
  return scored({rest, rest, rest, four, rest});
}

TEST(RewardStep, ACritiqueIsWorthTheLabelsProbabilityAfterIt) {
  ScriptedJudges judges{.scripts = {{"", convinced}}};
  const StepPointer made = step("{}", judges);
  std::vector<Row> rows{paired("s/1#0", "A strong reason.", "A weak one.")};
  EXPECT_FALSE(made->run(rows)[0]);
  EXPECT_NEAR(*rows[0].pair->chosen_score, 0.9, 1e-12);
  EXPECT_NEAR(*rows[0].pair->rejected_score, 0.2, 1e-12);
  ASSERT_EQ(judges.asked[""]->size(), 2u);
  const engine::Request& asked = judges.asked[""]->front();
  EXPECT_EQ(asked.messages.size(), 1u);
  EXPECT_EQ(asked.messages[0].content, "Grade this.");
  EXPECT_EQ(asked.answer_start, "**Reasoning:** A strong reason.");
  EXPECT_EQ(asked.mark, "**Result:**");
  EXPECT_EQ(asked.labels.size(), 5u);
  EXPECT_EQ(row_from_json(to_json(rows[0])).pair->words, asked.labels);
}

TEST(RewardStep, AVerdictAloneIsWorthItsOwnProbability) {
  ScriptedJudges judges{.scripts = {{"", convinced}}};
  const StepPointer made = step("{}", judges);
  std::vector<Row> rows{paired("s/1#0", "", "")};
  made->run(rows);
  EXPECT_NEAR(*rows[0].pair->chosen_score, 0.5, 1e-12);
  EXPECT_NEAR(*rows[0].pair->rejected_score, 0.3, 1e-12);
  EXPECT_EQ(judges.asked[""]->size(), 1u);
}

TEST(RewardStep, EachThresholdHasItsReason) {
  const auto reason = [](const std::string& yaml) -> std::string {
    ScriptedJudges judges{.scripts = {{"", convinced}}};
    const StepPointer made = step(yaml, judges);
    std::vector<Row> rows{paired("s/1#0", "A strong reason.", "A weak one.")};
    const auto drops = made->run(rows);
    return drops[0] ? drops[0]->reason + ": " + drops[0]->detail : "";
  };
  EXPECT_EQ(reason("{least_chosen: 0.8, most_rejected: 0.3, least_margin: 0.6}"), "");
  EXPECT_EQ(reason("{least_chosen: 0.95}"), "chosen scored too low: 0.900");
  EXPECT_EQ(reason("{most_rejected: 0.1}"), "rejected scored too high: 0.200");
  EXPECT_EQ(reason("{least_margin: 0.8}"), "margin too small: 0.700");
}

TEST(RewardStep, TheFiguresAreOfAllPairsAndOfThoseThatStay) {
  ScriptedJudges judges{.scripts = {{"", convinced}}};
  const StepPointer made = step("{least_chosen: 0.5}", judges);
  std::vector<Row> rows{paired("s/1#0", "A strong reason.", "A weak one."),
                        paired("s/2#0", "A weak one.", "A strong reason.")};
  const auto drops = made->run(rows);
  EXPECT_FALSE(drops[0]);
  EXPECT_TRUE(drops[1]);
  const Json facts = made->facts();
  const auto total = [](const Json& bins) {
    int sum = 0;
    for (const Json& bin : bins) sum += bin.get<int>();
    return sum;
  };
  EXPECT_EQ(facts.at("scorer"), "tested");
  EXPECT_EQ(facts.at("scored"), 2);
  EXPECT_EQ(facts.at("bins").size(), 21u);
  EXPECT_EQ(facts.at("bins").at(20), 1.0);
  EXPECT_EQ(total(facts.at("before").at("chosen")), 2);
  EXPECT_EQ(total(facts.at("before").at("rejected")), 2);
  EXPECT_EQ(total(facts.at("after").at("chosen")), 1);
  EXPECT_EQ(total(facts.at("after").at("rejected")), 1);
}

TEST(RewardStep, AnAnswerThatIsTooLongHasNoScore) {
  ScriptedJudges judges{.scripts = {{"", convinced}}, .context_limit = 100};
  const StepPointer free = step("{}", judges);
  std::vector<Row> rows{paired("s/1#0", std::string(200, 'x'), "A weak one.")};
  EXPECT_FALSE(free->run(rows)[0]);
  EXPECT_FALSE(rows[0].pair->chosen_score);
  EXPECT_TRUE(rows[0].pair->rejected_score);
  EXPECT_EQ(free->facts().at("too_long"), 1);
  EXPECT_EQ(free->facts().at("scored"), 0);
  const StepPointer strict = step("{least_chosen: 0.1}", judges);
  EXPECT_EQ(strict->run(rows)[0]->reason, "too long for the scorer");
}

TEST(RewardStep, AScorerWithoutProbabilitiesGivesNone) {
  ScriptedJudges judges{.scripts = {{"http://127.0.0.1:1#x", [](const engine::Request&) {
                                       engine::Result result;
                                       result.label_read = 3;
                                       return result;
                                     }}}};
  const StepPointer made = step("{scorer: 'http://127.0.0.1:1#x', least_margin: 0}", judges);
  std::vector<Row> rows{paired("s/1#0", "A strong reason.", "A weak one.")};
  EXPECT_EQ(made->run(rows)[0]->reason, "the scorer gives no score");
  EXPECT_EQ(made->facts().at("no_score"), 1);
}

// The answer's length: a reward model on a scale of its own.
class Length : public ConversationScorer {
 public:
  std::string name() const override { return "length"; }
  std::string depends_on() const override { return "length 1"; }
  std::vector<std::optional<double>> score(std::span<const Conversation> all) override {
    std::vector<std::optional<double>> scores;
    for (const Conversation& one : all) {
      scores.emplace_back(one.answer.size() > 100
                              ? std::nullopt
                              : std::optional(-1.0 * static_cast<double>(one.answer.size())));
    }
    return scores;
  }
};

TEST(RewardScorers, AModelScoresWholeAnswers) {
  const auto scorer = model_scorer(std::make_unique<Length>());
  const std::vector<Row> rows{paired("s/1#0", "Short.", "Longer."),
                              paired("s/2#0", std::string(100, 'x'), "Longer.")};
  const std::vector<PairScores> scores = scorer->score(rows, {});
  EXPECT_EQ(scores[0].chosen, -static_cast<double>(rows[0].pair->chosen.size()));
  EXPECT_EQ(scores[0].rejected, -static_cast<double>(rows[0].pair->rejected.size()));
  EXPECT_FALSE(scores[0].too_long);
  EXPECT_FALSE(scores[1].chosen);
  EXPECT_TRUE(scores[1].too_long);
  EXPECT_FALSE(scorer->gives_probabilities());
}

TEST(RewardStep, AModelWithAHeadGivesWhatItsEngineGives) {
  const selene::testing::TemporaryFolder folder;
  const selene::testing::ScopedEnvironment cache("SELENE_CACHE", (folder / "cache").string());
  const std::string path =
      folder.file("reward.gguf", selene::testing::TinyQwen3().chat_file()).string();
  ScriptedJudges judges;
  const StepPointer made = step("{scorer: '" + path + "', head: true}", judges);
  std::vector<Row> rows{paired("s/1#0", "Good.", "Bad."), paired("s/2#0", "", "")};
  made->run(rows);
  engine::RewardModel model({.model = path, .threads = 1});
  for (const Row& row : rows) {
    const auto score = [&](const std::string& answer) {
      std::vector<engine::Message> messages = row.pair->prompt;
      messages.push_back({"assistant", answer});
      return model.score(std::vector<engine::RewardInput>{messages}).front().score;
    };
    ASSERT_TRUE(row.pair->chosen_score);
    EXPECT_EQ(row.pair->chosen_score, score(row.pair->chosen));
    EXPECT_EQ(row.pair->rejected_score, score(row.pair->rejected));
    EXPECT_NE(row.pair->chosen_score, row.pair->rejected_score);
  }
  const Json facts = made->facts();
  EXPECT_EQ(facts.at("scorer"), "reward.gguf");
  EXPECT_TRUE(judges.opened.empty());
  const double least = std::min({*rows[0].pair->chosen_score, *rows[0].pair->rejected_score,
                                 *rows[1].pair->chosen_score, *rows[1].pair->rejected_score});
  EXPECT_EQ(facts.at("bins").at(0), least);
}

TEST(RewardStep, WrongOptionsAreNamed) {
  const auto message = [](const std::string& yaml) { return options_error("reward", yaml); };
  EXPECT_EQ(message("{head: true}"),
            "recipe.yaml:1: 'head: true' needs a reward model; give 'scorer: FILE.gguf'");
  EXPECT_EQ(message("{least: 1}"),
            "recipe.yaml:1: unknown key 'least'; known: scorer, head, least_chosen, most_rejected, "
            "least_margin");
  EXPECT_EQ(message("{least_margin: high}"),
            "recipe.yaml:1: the key 'least_margin' must be a number");
}

}  // namespace
}  // namespace selene::curate
