// The step `critiques` on scripted teachers and scorers.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "curate/critique_checks.h"
#include "curate/labels.h"
#include "model_steps.h"

namespace selene::curate {
namespace {

using selene::testing::argued_word;
using selene::testing::begun_step;
using selene::testing::is_argument;
using selene::testing::Json;
using selene::testing::made_step;
using selene::testing::options_error;
using selene::testing::pair_row;
using selene::testing::rated_row;
using selene::testing::scored;
using selene::testing::ScriptedJudges;

StepPointer step(const std::string& yaml, ScriptedJudges& judges) {
  return begun_step("critiques", yaml, judges);
}

engine::Result text(const std::string& written) {
  engine::Result result;
  result.text = written;
  return result;
}

// The label that a critique of `honest` argues for, most probable.
engine::Result as_argued(const engine::Request& request) {
  std::vector<double> shares(request.labels.size(), 0.1);
  for (size_t i = 0; i < shares.size(); ++i) {
    const std::string reason = "reason number " + request.labels[i] + " ";
    if (request.answer_start.find(reason) != std::string::npos) shares[i] = 0.8;
  }
  return scored(shares);
}

std::string honest(const engine::Request& request) {
  return "It has reason number " + argued_word(request) + " and draw " +
         std::to_string(request.sampling.seed) + " for it.";
}

// Writes what it is asked for, and reads it as it was meant.
engine::Result honest_teacher(const engine::Request& request) {
  return is_argument(request) ? text(honest(request)) : as_argued(request);
}

// What becomes of one text that is written for every request.
std::string fell_to(const std::string& written, const Row& row, const engine::Script& scorer) {
  ScriptedJudges judges{.scripts = {{"", [&](const engine::Request& request) {
                                       return is_argument(request) ? text(written)
                                                                   : scorer(request);
                                     }}}};
  const StepPointer made = step("{samples: 1}", judges);
  std::vector<Row> rows{row};
  made->run(rows);
  const Json fell = made->facts().at("true").at("fell");
  for (const auto& [check, count] : fell.items()) {
    if (count == 1) return check;
  }
  return rows[0].critiques.empty() ? "nothing" : "kept";
}

void expect_sums(const Json& facts) {
  for (const Json& tally : {facts, facts.at("true"), facts.at("wrong")}) {
    std::uint64_t fell = 0;
    for (const auto& [check, count] : tally.at("fell").items()) fell += count.get<std::uint64_t>();
    EXPECT_EQ(tally.at("asked").get<std::uint64_t>(), tally.at("kept").get<std::uint64_t>() + fell);
    EXPECT_EQ(tally.at("written").get<std::uint64_t>() +
                  tally.at("fell").at("no answer").get<std::uint64_t>(),
              tally.at("asked").get<std::uint64_t>());
  }
  for (const char* count : {"asked", "written", "kept"}) {
    EXPECT_EQ(facts.at(count).get<int>(),
              facts.at("true").at(count).get<int>() + facts.at("wrong").at(count).get<int>());
  }
}

TEST(CritiquesStep, ArguesForTheLabelAndForTheOneToBeRejected) {
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
  const StepPointer made = step("{rejected: nearest}", judges);
  std::vector<Row> rows{rated_row("s/1", "5")};
  EXPECT_FALSE(made->run(rows)[0]);
  ASSERT_EQ(rows[0].critiques.size(), 2u);
  EXPECT_EQ(rows[0].critiques[0].label, "5");
  EXPECT_EQ(rows[0].critiques[1].label, "4");
  EXPECT_EQ(rows[0].critiques[0].origin, "one");
  EXPECT_NE(rows[0].critiques[1].text.find("reason number 4"), std::string::npos);
  ASSERT_EQ(rows[0].history.size(), 2u);
  EXPECT_EQ(rows[0].history[0].what, "critique written for the label");
  const Json facts = made->facts();
  expect_sums(facts);
  EXPECT_EQ(facts.at("asked"), 4);
  EXPECT_EQ(facts.at("kept"), 2);
  EXPECT_EQ(facts.at("fell").at("near copy").get<int>() +
                facts.at("fell").at("more than wanted").get<int>(),
            2);
  EXPECT_EQ(facts.at("examples").size(), 4u);
  EXPECT_EQ(facts.at("teacher"), "tested");
}

TEST(CritiquesStep, TheTeacherSeesTheUsualPromptAndTheVerdict) {
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
  const StepPointer made = step("{samples: 1, max_tokens: 99}", judges);
  std::vector<Row> rows{pair_row("s/1", "B")};
  rows[0].sample.rubric = {{"B", "the second is better"}};
  made->run(rows);
  const engine::Request& asked = judges.asked[""]->front();
  EXPECT_EQ(asked.max_tokens, 99);
  EXPECT_EQ(asked.answer_start, "**Reasoning:**");
  EXPECT_EQ(asked.labels, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(asked.stop, "**Result:**");
  EXPECT_EQ(asked.sampling.temperature, 0);
  const std::string& prompt = asked.messages.back().content;
  EXPECT_EQ(asked.messages.size(), 1u);
  EXPECT_NE(prompt.find("You compare two responses"), std::string::npos);
  EXPECT_NE(prompt.find("settled: B (the second is better)"), std::string::npos);
  EXPECT_NE(prompt.find("\"Response A\" and \"Response B\""), std::string::npos);
}

TEST(CritiquesStep, ReScoringIsTheUsualPromptAfterTheCritique) {
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
  const StepPointer made = step("{samples: 1}", judges);
  std::vector<Row> rows{rated_row("s/1", "5")};
  made->run(rows);
  ASSERT_EQ(judges.asked[""]->size(), 4u);
  const engine::Request& again = (*judges.asked[""])[2];
  EXPECT_FALSE(is_argument(again));
  EXPECT_EQ(again.answer_start, "**Reasoning:** " + rows[0].critiques[0].text);
  EXPECT_EQ(again.max_tokens, 0);
  EXPECT_EQ(again.labels.size(), 5u);
}

TEST(CritiquesStep, EachCheckIsCounted) {
  const Row row = rated_row("s/1", "5");
  EXPECT_EQ(fell_to("It has reason number 5 for it.", row, as_argued), "kept");
  EXPECT_EQ(fell_to("", row, as_argued), "empty");
  EXPECT_EQ(fell_to("As instructed, reason number 5 holds.", row, as_argued),
            "speaks of a given verdict");
  EXPECT_EQ(fell_to("Reason number 5. Score: 2", row, as_argued), "contradicts itself");
  EXPECT_EQ(fell_to("Reason number 5 is it. Reason number 5 is it. Reason number 5 is it.", row,
                    as_argued),
            "repeats itself");
  EXPECT_EQ(fell_to("You grade one response to an input. Judge it by the criteria and the scale "
                    "below and by nothing else.",
                    row, as_argued),
            "copies the prompt");
  EXPECT_EQ(fell_to("It has no reason at all.", row,
                    [](const engine::Request&) {
                      return scored({0.9, 0.025, 0.025, 0.025, 0.025});
                    }),
            "scored otherwise");
  EXPECT_EQ(fell_to("It has reason number 5 for it.", row,
                    [](const engine::Request&) {
                      engine::Result result;
                      result.unreadable = "no label";
                      return result;
                    }),
            "not scored");
  EXPECT_EQ(fell_to("Response A is right, B is not.", pair_row("s/1"), as_argued),
            "names a side by a letter alone");
}

TEST(CritiquesStep, ARefusedAnswerIsCountedAndDropsNothing) {
  ScriptedJudges judges{.scripts = {{"", [](const engine::Request&) {
                                       engine::Result result;
                                       result.unreadable = "refused";
                                       result.is_final = false;
                                       return result;
                                     }}}};
  const StepPointer made = step("{}", judges);
  std::vector<Row> rows{rated_row("s/1")};
  EXPECT_FALSE(made->run(rows)[0]);
  const Json facts = made->facts();
  expect_sums(facts);
  EXPECT_EQ(facts.at("fell").at("no answer"), 4);
  EXPECT_EQ(facts.at("written"), 0);
}

TEST(CritiquesStep, OneOfTwoNearCopiesIsKept) {
  ScriptedJudges judges{.scripts = {{"", [](const engine::Request& request) {
                                       return is_argument(request)
                                                  ? text("It has reason number " +
                                                         argued_word(request) + " for it.")
                                                  : as_argued(request);
                                     }}}};
  const StepPointer made = step("{keep: 2, samples: 3}", judges);
  std::vector<Row> rows{rated_row("s/1")};
  made->run(rows);
  const Json facts = made->facts();
  expect_sums(facts);
  EXPECT_EQ(facts.at("true").at("kept"), 1);
  EXPECT_EQ(facts.at("true").at("fell").at("near copy"), 2);
}

TEST(CritiquesStep, ARealCritiqueIsNotAskedForAgain) {
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
  Row row = rated_row("s/1", "5");
  row.critiques.push_back({"5", "A real one.", "source"});
  const StepPointer made = step("{samples: 1, rejected: nearest}", judges);
  std::vector<Row> rows{row};
  made->run(rows);
  EXPECT_EQ(made->facts().at("true").at("asked"), 0);
  EXPECT_EQ(made->facts().at("wrong").at("asked"), 1);
  ASSERT_EQ(rows[0].critiques.size(), 2u);
  EXPECT_EQ(rows[0].critiques[1].label, "4");
  row.critiques.push_back({"", "Real, for another label.", "source"});
  const StepPointer none = step("{samples: 1, need: both}", judges);
  rows = {row};
  EXPECT_FALSE(none->run(rows)[0]);
  EXPECT_EQ(none->facts().at("asked"), 0);
  const StepPointer all = step("{samples: 1, only_missing: false}", judges);
  rows = {row};
  all->run(rows);
  EXPECT_EQ(all->facts().at("true").at("asked"), 1);
}

TEST(CritiquesStep, SidesAreStoredSoThatTheyCanChangePlaces) {
  ScriptedJudges judges{
      .scripts = {{"", [](const engine::Request& request) {
                     if (!is_argument(request)) {
                       return request.answer_start.find("Response A is better") != std::string::npos
                                  ? scored({0.9, 0.1})
                                  : scored({0.1, 0.9});
                     }
                     return text("Look closely. Response " + argued_word(request) + " is better.");
                   }}}};
  const StepPointer made = step("{samples: 1}", judges);
  std::vector<Row> rows{pair_row("s/1", "A")};
  made->run(rows);
  ASSERT_EQ(rows[0].critiques.size(), 2u);
  EXPECT_EQ(rows[0].critiques[0].text, "Look closely. Response {A} is better.");
  EXPECT_EQ(rows[0].critiques[1].text, "Look closely. Response {B} is better.");
}

TEST(CritiquesStep, RowsDependOnThemselvesAlone) {
  const auto result = [](std::vector<Row> rows, const std::string& id) {
    ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
    const StepPointer made = step("{samples: 3, temperature: 0.9}", judges);
    made->run(rows);
    for (const Row& row : rows) {
      if (row.id == id) return to_json(row).dump();
    }
    return std::string();
  };
  const Row one = rated_row("s/1"), two = rated_row("s/2", "2"), three = pair_row("t/1");
  EXPECT_EQ(result({one, two, three}, "s/2"), result({two}, "s/2"));
  EXPECT_EQ(result({three, two, one}, "t/1"), result({three}, "t/1"));
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
  std::vector<Row> rows{one, two};
  step("{samples: 3}", judges)->run(rows);
  std::set<std::uint64_t> seeds;
  for (const engine::Request& request : *judges.asked[""]) {
    if (is_argument(request)) seeds.insert(request.sampling.seed);
  }
  EXPECT_EQ(seeds.size(), 12u);
}

TEST(CritiquesStep, ExamplesDoNotDependOnTheBatches) {
  std::vector<Row> rows;
  for (int i = 0; i < 8; ++i) rows.push_back(rated_row("s/" + std::to_string(i)));
  const auto facts = [&](std::vector<Row> all, size_t size) {
    ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
    const StepPointer made = step("{}", judges);
    for (size_t at = 0; at < all.size(); at += size)
      made->run(std::span(all).subspan(at, std::min(size, all.size() - at)));
    return made->facts();
  };
  const Json once = facts(rows, 8);
  EXPECT_EQ(once.at("examples").size(), 5u);
  EXPECT_EQ(once.dump(), facts(rows, 3).dump());
}

TEST(CritiquesStep, ALongRowIsLeftWithoutAndCounted) {
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}, .context_limit = 4000};
  std::vector<Row> rows{rated_row("s/1", "5"), rated_row("s/2", "5")};
  rows[1].sample.response = std::string(4000, 'x');
  const StepPointer made = step("{rejected: nearest}", judges);
  const auto drops = made->run(rows);
  EXPECT_FALSE(drops[1]);
  EXPECT_FALSE(rows[0].critiques.empty());
  EXPECT_TRUE(rows[1].critiques.empty());
  EXPECT_EQ(made->facts().at("too_long"), 1);
  EXPECT_EQ(made->facts().at("asked"), 4);
  const StepPointer needy = step("{need: chosen, rejected: nearest}", judges);
  const auto strict = needy->run(rows);
  ASSERT_TRUE(strict[1]);
  EXPECT_EQ(strict[1]->reason, "too long for the teacher");
}

TEST(CritiquesStep, WhatIsNeededDecidesWhatGoes) {
  // Argues well for the wrong label alone, or for the right one alone.
  const auto teacher = [](const std::string& good) {
    return [good](const engine::Request& request) {
      if (!is_argument(request)) return as_argued(request);
      return argued_word(request) == good ? text(honest(request)) : text("");
    };
  };
  const auto reason = [&](const std::string& good, const std::string& need) -> std::string {
    ScriptedJudges judges{.scripts = {{"", teacher(good)}}};
    const StepPointer made = step("{rejected: nearest, need: " + need + "}", judges);
    std::vector<Row> rows{rated_row("s/1", "5")};
    const auto drops = made->run(rows);
    return drops[0] ? drops[0]->reason : "";
  };
  EXPECT_EQ(reason("5", "none"), "");
  EXPECT_EQ(reason("5", "chosen"), "");
  EXPECT_EQ(reason("5", "both"), "no critique for the rejected label");
  EXPECT_EQ(reason("4", "none"), "");
  EXPECT_EQ(reason("4", "chosen"), "no critique for the label");
  EXPECT_EQ(reason("4", "both"), "no critique for the label");
}

TEST(CritiquesStep, ATeacherWithoutProbabilitiesIsScoredByTheRunsJudge) {
  const auto without = [](const engine::Request& request) {
    if (is_argument(request)) return text(honest(request));
    engine::Result result;
    result.label_read = 0;
    return result;
  };
  ScriptedJudges judges{.scripts = {{"hosted", without}, {"", as_argued}}};
  const StepPointer made = step("{teacher: hosted, samples: 1}", judges);
  std::vector<Row> rows{rated_row("s/1")};
  made->run(rows);
  EXPECT_EQ(judges.opened, (std::vector<std::string>{"hosted", ""}));
  EXPECT_EQ(judges.asked[""]->size(), 2u);
  EXPECT_EQ(rows[0].critiques.size(), 2u);

  ScriptedJudges own{.scripts = {{"local", honest_teacher}}};
  const StepPointer alone = step("{teacher: local, samples: 1}", own);
  rows = {rated_row("s/1")};
  alone->run(rows);
  EXPECT_EQ(own.opened, (std::vector<std::string>{"local"}));
  EXPECT_EQ(rows[0].critiques.size(), 2u);
}

TEST(CritiquesStep, AScorerOfItsOwnDecides) {
  const auto stubborn = [](const engine::Request&) {
    return scored({0.8, 0.05, 0.05, 0.05, 0.05});
  };
  ScriptedJudges judges{.scripts = {{"", honest_teacher}, {"strict", stubborn}}};
  const StepPointer made = step("{scorer: strict, samples: 1}", judges);
  std::vector<Row> rows{rated_row("s/1", "5")};
  made->run(rows);
  EXPECT_TRUE(std::all_of(rows[0].critiques.begin(), rows[0].critiques.end(),
                          [](const Critique& one) { return one.label == "1"; }));
  EXPECT_EQ(made->facts().at("true").at("fell").at("scored otherwise"), 1);
  const Json depends = Json::parse(made->depends_on(judges.resources()));
  EXPECT_EQ(depends.size(), 2u);
  EXPECT_EQ(judges.opened.size(), 2u);
}

TEST(CritiquesStep, AnEngineThatFailsEndsTheRun) {
  ScriptedJudges judges{.scripts = {{"", [](const engine::Request&) -> engine::Result {
                                       throw Error("no server answers", "http://127.0.0.1:1");
                                     }}}};
  const StepPointer made = step("{}", judges);
  std::vector<Row> rows{rated_row("s/1")};
  EXPECT_THROW(made->run(rows), Error);
}

TEST(CritiquesStep, WhenStoppedRowsStayAsTheyAre) {
  ScriptedJudges judges{.scripts = {{"", honest_teacher}}};
  StepPointer made = made_step("critiques", "{}");
  Resources resources = judges.resources();
  int calls = 0;
  resources.stop = [&] { return ++calls > 3; };
  made->begin(resources);
  std::vector<Row> rows{rated_row("s/1")};
  const std::string before = to_json(rows[0]).dump();
  EXPECT_FALSE(made->run(rows)[0]);
  EXPECT_EQ(to_json(rows[0]).dump(), before);
  EXPECT_EQ(made->facts().at("asked"), 0);
}

TEST(CritiquesStep, WrongOptionsAreNamed) {
  const auto message = [](const std::string& yaml) { return options_error("critiques", yaml); };
  EXPECT_EQ(message("{samples: 0}"), "recipe.yaml:1: 'samples' must be from 1 to 1000, not 0");
  EXPECT_EQ(message("{temperature: 0}"),
            "recipe.yaml:1: several samples at temperature 0 are all the same; give a temperature "
            "above 0, or 'samples: 1'");
  EXPECT_EQ(message("{temperature: 0, samples: 1}"), "");
  EXPECT_EQ(message("{need: all}"),
            "recipe.yaml:1: 'need' must be one of none, chosen, both, not 'all'");
  EXPECT_EQ(message("{most_overlap: x}"), "recipe.yaml:1: the key 'most_overlap' must be a number");
  EXPECT_EQ(message("{sample: 1}"),
            "recipe.yaml:1: unknown key 'sample'; known: teacher, scorer, samples, temperature, "
            "max_tokens, keep, only_missing, most_overlap, need, rejected");
}

}  // namespace
}  // namespace selene::curate
