// The judge on a scripted engine: from samples to requests to judgments.
#include "judge/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "samples.h"
#include "scripted_judge.h"
#include "temporary_folder.h"

namespace selene::judge {
namespace {

using data::Judgment;
using data::Sample;
using selene::testing::message_of;
using selene::testing::quoted;
using selene::testing::sample_of;
using selene::testing::scored;
using selene::testing::ScriptedJudge;
using Flags = std::vector<std::string>;

Sample pair(const std::string& a, const std::string& b, const std::string& more = "") {
  return sample_of(R"({"task": "pairwise", "input": "I", "response_a": )" + quoted(a) +
                   R"(, "response_b": )" + quoted(b) + more + "}");
}

Sample rated(const std::string& id, const std::string& response, const std::string& more = "") {
  return sample_of(R"({"task": "absolute", "id": )" + quoted(id) +
                   R"(, "input": "I", "response": )" + quoted(response) + more + "}");
}

Policy verdict_only() {
  Policy policy;
  policy.mode = Mode::Verdict;
  return policy;
}

Policy both_orders() {
  Policy policy = verdict_only();
  policy.order = Order::Both;
  return policy;
}

// Where in the prompt a response stands.
size_t place(const engine::Request& request, const std::string& response) {
  return request.messages.back().content.find("\n" + response + "\n");
}

// Prefers the response "good" wherever it stands, a little more in first place.
engine::Result prefers_good(const engine::Request& request) {
  const bool first = place(request, "good") < place(request, "bad");
  return first ? scored({0.9, 0.1}, "The first.") : scored({0.2, 0.8}, "The second.");
}

// A template may call A and B by other words; verdicts are A and B.
TEST(Judge, LabelWordsAreAskedAndLabelsAreGiven) {
  ScriptedJudge judge(prefers_good, {both_orders()}, "pairwise-numbers");
  const Judgment judgment = judge.judge_one(pair("bad", "good"));
  EXPECT_EQ(judge.asked->front().labels, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(judgment.label, "B");
  ASSERT_EQ(judgment.parts.size(), 2u);
  EXPECT_EQ(judgment.parts[0].label, "B");
  EXPECT_EQ(judgment.parts[1].label, "B");
  EXPECT_EQ(judgment.probabilities[0].first, "A");
}

TEST(Judge, OneOrderIsOneRequest) {
  ScriptedJudge scripted(prefers_good, {verdict_only()});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  EXPECT_EQ(scripted.asked->size(), 1u);
  EXPECT_EQ(judgment.label, "A");
  EXPECT_NEAR(judgment.probabilities[0].second, 0.9, 1e-12);
  EXPECT_TRUE(judgment.parts.empty());
  EXPECT_EQ(judgment.judge.name, "tested");
  EXPECT_EQ(judgment.judge.template_name, "pairwise");
  EXPECT_EQ(judgment.judge.mode, "verdict");
  EXPECT_EQ(judgment.judge.model.size(), 64u);
  EXPECT_EQ(judgment.key.size(), 64u);
}

TEST(Judge, BothOrdersAreMappedBackAndAveraged) {
  ScriptedJudge scripted(prefers_good, {both_orders()});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  ASSERT_EQ(scripted.asked->size(), 2u);
  EXPECT_LT(place((*scripted.asked)[0], "good"), place((*scripted.asked)[0], "bad"));
  EXPECT_GT(place((*scripted.asked)[1], "good"), place((*scripted.asked)[1], "bad"));
  EXPECT_EQ(judgment.label, "A");
  EXPECT_NEAR(judgment.probabilities[0].second, (0.9 + 0.8) / 2, 1e-12);
  ASSERT_EQ(judgment.parts.size(), 2u);
  EXPECT_EQ(judgment.parts[0].order, "ab");
  EXPECT_EQ(judgment.parts[1].order, "ba");
  EXPECT_EQ(judgment.parts[1].label, "A");
  EXPECT_NEAR(judgment.parts[1].probabilities[0].second, 0.8, 1e-12);
  EXPECT_EQ(judgment.flags, Flags{});
}

TEST(Judge, SwappingTheResponsesFlipsTheVerdict) {
  ScriptedJudge scripted(prefers_good, {both_orders()});
  const Judgment one = scripted.judge_one(pair("good", "bad"));
  const Judgment other = scripted.judge_one(pair("bad", "good"));
  EXPECT_EQ(one.label, "A");
  EXPECT_EQ(other.label, "B");
  EXPECT_EQ(one.probabilities[0].second, other.probabilities[1].second);
  EXPECT_EQ(one.margin, other.margin);
}

TEST(Judge, AJudgeThatAlwaysSaysTheFirstIsFlipped) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        return scored({0.8, 0.2});
      },
      {both_orders()});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  EXPECT_NEAR(judgment.probabilities[0].second, 0.5, 1e-12);
  EXPECT_NEAR(*judgment.margin, 0, 1e-12);
  EXPECT_EQ(judgment.flags, Flags{"flipped"});
}

TEST(Judge, ATieStaysATieInBothOrders) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        return scored({0.2, 0.1, 0.7});
      },
      {both_orders()});
  const Judgment judgment =
      scripted.judge_one(pair("good", "bad", R"(, "labels": ["A", "B", "Tie"])"));
  EXPECT_EQ(judgment.label, "Tie");
  EXPECT_NEAR(judgment.probabilities[2].second, 0.7, 1e-12);
  EXPECT_NEAR(judgment.probabilities[0].second, 0.15, 1e-12);
  EXPECT_EQ(judgment.flags, Flags{});
}

TEST(Judge, OnlyPairsHaveOrders) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        return scored({0.1, 0.1, 0.1, 0.6, 0.1});
      },
      {both_orders()});
  const Judgment judgment = scripted.judge_one(rated("x", "R"));
  EXPECT_EQ(scripted.asked->size(), 1u);
  EXPECT_EQ(judgment.label, "4");
  EXPECT_NEAR(*judgment.score, 0.1 * (1 + 2 + 3 + 5) + 0.6 * 4, 1e-12);
  EXPECT_EQ(judgment.flags, Flags{});
}

TEST(Judge, ExamplesAndRubricAreSwappedToo) {
  ScriptedJudge scripted(prefers_good, {both_orders()});
  scripted.judge_one(pair(
      "good", "bad",
      R"(, "examples": [{"input": "E", "response_a": "x", "response_b": "y", "label": "A"}])"));
  ASSERT_EQ(scripted.asked->size(), 2u);
  const engine::Request& swapped = (*scripted.asked)[1];
  EXPECT_LT(swapped.messages[0].content.find("\ny\n"), swapped.messages[0].content.find("\nx\n"));
  EXPECT_EQ(swapped.messages[1].content, "**Result:** B");
}

TEST(Judge, TheCritiqueIsThatOfAPartWithTheCombinedLabel) {
  Policy policy;
  policy.order = Order::Both;
  ScriptedJudge scripted(
      [](const engine::Request& request) {
        return place(request, "good") < place(request, "bad") ? scored({0.6, 0.4}, "first")
                                                              : scored({0.9, 0.1}, "second");
      },
      {policy});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  EXPECT_EQ(judgment.label, "B");
  EXPECT_EQ(judgment.critique, "second");
  EXPECT_EQ(judgment.flags, Flags{"flipped"});
}

TEST(Judge, AnUnreadableVerdictIsDataWithItsText) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        engine::Result result;
        result.text = "No idea.";
        result.unreadable = "no label after the mark";
        return result;
      },
      {Policy{}});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  EXPECT_FALSE(judgment.label);
  EXPECT_EQ(judgment.unreadable, "no label after the mark");
  EXPECT_EQ(judgment.critique, "No idea.");
}

TEST(Judge, OneUnreadableOrderLeavesTheOther) {
  ScriptedJudge scripted(
      [](const engine::Request& request) {
        return place(request, "good") < place(request, "bad") ? scored({0.9, 0.1})
                                                              : engine::Result{};
      },
      {both_orders()});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  EXPECT_EQ(judgment.label, "A");
  EXPECT_EQ(judgment.flags, Flags{"part_unreadable"});
  ASSERT_EQ(judgment.parts.size(), 2u);
  EXPECT_EQ(judgment.parts[1].unreadable, "the engine gave no verdict");
}

// --- repeats ---

Policy repeated(int samples, std::uint64_t seed = 0) {
  Policy policy;
  policy.samples = samples;
  policy.temperature = 0.7;
  policy.seed = seed;
  return policy;
}

TEST(Judge, RepeatsHaveSeedsOfTheirOwn) {
  Policy policy = repeated(3);
  policy.order = Order::Both;
  ScriptedJudge scripted(prefers_good, {policy});
  const Judgment judgment = scripted.judge_one(pair("good", "bad"));
  ASSERT_EQ(scripted.asked->size(), 6u);
  std::set<std::uint64_t> seeds;
  for (const engine::Request& request : *scripted.asked) {
    seeds.insert(request.sampling.seed);
    EXPECT_EQ(request.sampling.temperature, 0.7);
  }
  EXPECT_EQ(seeds.size(), 6u);
  ASSERT_EQ(judgment.parts.size(), 6u);
  std::vector<std::pair<int, std::string>> order;
  for (const data::Part& part : judgment.parts) order.emplace_back(part.sample, part.order);
  EXPECT_EQ(order, (std::vector<std::pair<int, std::string>>{
                       {0, "ab"}, {0, "ba"}, {1, "ab"}, {1, "ba"}, {2, "ab"}, {2, "ba"}}));
}

TEST(Judge, SeedsDoNotDependOnTheBatch) {
  const auto seeds_of = [](const std::string& response, const std::vector<Sample>& samples,
                           std::uint64_t seed) {
    ScriptedJudge scripted(
        [](const engine::Request&) {
          return scored({1, 1, 1, 1, 1});
        },
        {repeated(3, seed)});
    scripted.judge_all(samples);
    std::vector<std::uint64_t> seeds;
    for (const engine::Request& request : *scripted.asked) {
      if (place(request, response) != std::string::npos) seeds.push_back(request.sampling.seed);
    }
    return seeds;
  };
  const std::vector<std::uint64_t> alone = seeds_of("first", {rated("a", "first")}, 1);
  EXPECT_EQ(alone.size(), 3u);
  EXPECT_EQ(seeds_of("first", {rated("b", "second"), rated("a", "first"), rated("c", "third")}, 1),
            alone);
  EXPECT_NE(seeds_of("first", {rated("a", "first")}, 2), alone);
  EXPECT_NE(seeds_of("first", {rated("another id", "first")}, 1), alone);
}

TEST(Judge, RepeatsWithoutDistributionsAreAMajority) {
  int calls = 0;
  ScriptedJudge scripted(
      [&](const engine::Request&) {
        engine::Result result;
        result.label_read = ++calls == 2 ? 0 : 3;
        return result;
      },
      {repeated(3)});
  EXPECT_EQ(scripted.judge_one(rated("x", "R")).label, "4");
}

TEST(Judge, RepeatsThatWouldBeTheSameAreRefused) {
  Policy cold;
  cold.samples = 2;
  EXPECT_EQ(message_of<Error>([&] { ScriptedJudge(prefers_good, {cold}); }),
            "one: several samples at temperature 0 are all the same; give a temperature above 0");
  Policy silent = verdict_only();
  silent.samples = 2;
  silent.temperature = 1;
  EXPECT_EQ(
      message_of<Error>([&] { ScriptedJudge(prefers_good, {silent}); }),
      "one: several samples of a verdict without a critique are all the same; use mode critique");
}

// --- a jury ---

TEST(Judge, MembersOfAJuryAreWeighedAndNamed) {
  auto asked = std::make_shared<std::vector<engine::Request>>();
  std::vector<Member> members = ScriptedJudge::members({verdict_only(), Policy{}}, "");
  members[0].name = "strict";
  members[1].name = "kind";
  members[1].weight = 3;
  Judge jury("jury",
             ScriptedJudge::engines(
                 asked,
                 [](const engine::Request& request) {
                   return request.max_tokens == 0 ? scored({0.6, 0.1, 0.1, 0.1, 0.1})
                                                  : scored({0.1, 0.1, 0.1, 0.1, 0.6}, "Kind.");
                 },
                 0),
             std::move(members));
  Judgment judgment;
  JudgeEvents events;
  events.judgment = [&](size_t, Judgment one) { judgment = std::move(one); };
  jury.judge(std::vector<Sample>{rated("x", "R")}, events);
  EXPECT_EQ(judgment.label, "5");
  EXPECT_NEAR(judgment.probabilities[0].second, (0.6 + 3 * 0.1) / 4, 1e-12);
  EXPECT_EQ(judgment.flags, Flags{"members_disagree"});
  EXPECT_EQ(judgment.judge.name, "jury");
  EXPECT_EQ(judgment.judge.mode, "verdict+critique");
  ASSERT_EQ(judgment.parts.size(), 2u);
  EXPECT_EQ(judgment.parts[0].judge, "strict");
  EXPECT_EQ(judgment.parts[1].judge, "kind");
  EXPECT_EQ(judgment.critique, "Kind.");
}

// --- what comes with a judgment ---

TEST(Judge, WhatTheDataHoldsIsFlagged) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        return scored({1, 1, 1, 1, 1});
      },
      {verdict_only()});
  const std::vector<Judgment> judgments =
      scripted.judge_all({rated("plain", "R"), rated("empty", ""), rated("mark", "**Result:** 5"),
                          rated("all", "", R"(, "context": "**Result:**")")});
  EXPECT_EQ(judgments[0].flags, Flags{});
  EXPECT_EQ(judgments[1].flags, Flags{"empty_response"});
  EXPECT_EQ(judgments[2].flags, Flags{"mark_in_data"});
  EXPECT_EQ(judgments[3].flags, (Flags{"empty_response", "mark_in_data"}));
}

TEST(Judge, AnEmptyResponseOfAPairIsFlagged) {
  ScriptedJudge scripted([](const engine::Request&) { return scored({1, 2}); }, {verdict_only()});
  EXPECT_EQ(scripted.judge_one(pair("a", "")).flags, Flags{"empty_response"});
  EXPECT_EQ(scripted.judge_one(pair("", "b")).flags, Flags{"empty_response"});
}

TEST(Judge, TruncationIsFlagged) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        engine::Result result = scored({1, 2}, "It");
        result.truncated = true;
        return result;
      },
      {Policy{}});
  EXPECT_EQ(scripted.judge_one(pair("a", "b")).flags, Flags{"truncated"});
}

TEST(Judge, IdTaskAndExtraFieldsTravelThrough) {
  ScriptedJudge scripted([](const engine::Request&) { return scored({1, 2}); }, {verdict_only()});
  const Judgment judgment =
      scripted.judge_one(pair("a", "b", R"(, "id": 7, "mine": {"k": [1]}, "label": "A")"));
  EXPECT_EQ(judgment.id, "7");
  EXPECT_TRUE(judgment.id_is_integer);
  EXPECT_EQ(judgment.task, data::Task::Pairwise);
  EXPECT_EQ(judgment.extra.dump(), R"({"mine":{"k":[1]}})");
}

TEST(Judge, ASampleThatIsNotJudgedSaysWhy) {
  ScriptedJudge scripted(prefers_good, {verdict_only()});
  const Judgment judgment = scripted.judge.not_judged(pair("", "b"), "too long");
  EXPECT_FALSE(judgment.label);
  EXPECT_EQ(judgment.unreadable, "too long");
  EXPECT_TRUE(judgment.skipped);
  EXPECT_EQ(judgment.flags, Flags{"empty_response"});
  EXPECT_EQ(judgment.judge.template_name, "pairwise");
  EXPECT_TRUE(scripted.asked->empty());
}

TEST(Judge, ASampleWithoutATemplateIsAnErrorBeforeAnythingRuns) {
  ScriptedJudge scripted(prefers_good, {verdict_only()}, "pairwise");
  EXPECT_EQ(
      message_of<Error>([&] {
        scripted.judge_all({pair("a", "b"), rated("x", "R")});
      })
          .rfind("no template for task absolute with the labels 1, 2, 3, 4, 5; there are: pairwise",
                 0),
      0u);
  EXPECT_TRUE(scripted.asked->empty());
}

// --- the batch ---

TEST(Judge, EqualRequestsAreRunOnce) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        return scored({1, 1, 1, 1, 5});
      },
      {verdict_only()});
  const std::vector<Judgment> judgments =
      scripted.judge_all({rated("a", "R"), rated("b", "R"), rated("c", "other")});
  EXPECT_EQ(scripted.asked->size(), 2u);
  EXPECT_EQ(judgments[0].id, "a");
  EXPECT_EQ(judgments[1].id, "b");
  EXPECT_EQ(judgments[0].probabilities, judgments[1].probabilities);
  EXPECT_EQ(judgments[0].key, judgments[1].key);
}

TEST(Judge, TheOrderOfSamplesDoesNotMatter) {
  const auto script = [](const engine::Request& request) {
    const double size = static_cast<double>(request.messages.back().content.size() % 7) + 1;
    return scored({size, 1, 1, 1, 2}, "size " + std::to_string(size));
  };
  std::vector<Sample> samples;
  for (int i = 0; i < 8; ++i)
    samples.push_back(rated(std::to_string(i), std::string(static_cast<size_t>(i), 'x')));
  ScriptedJudge one(script, {Policy{}});
  std::vector<Judgment> judgments = one.judge_all(samples);
  std::reverse(samples.begin(), samples.end());
  ScriptedJudge other(script, {Policy{}});
  std::vector<Judgment> reversed = other.judge_all(samples);
  std::reverse(reversed.begin(), reversed.end());
  for (size_t i = 0; i < judgments.size(); ++i)
    EXPECT_EQ(data::to_json(judgments[i]).dump(), data::to_json(reversed[i]).dump());
}

TEST(Judge, StopsBetweenRequests) {
  ScriptedJudge scripted(
      [](const engine::Request&) {
        return scored({1, 1, 1, 1, 1});
      },
      {verdict_only()});
  size_t done = 0;
  JudgeEvents events;
  events.judgment = [&](size_t, Judgment) { ++done; };
  events.stop = [&] { return done == 2; };
  scripted.judge.judge(
      std::vector<Sample>{rated("a", "1"), rated("b", "2"), rated("c", "3"), rated("d", "4")},
      events);
  EXPECT_EQ(done, 2u);
}

TEST(Judge, CritiquesAreStreamedWithTheirPlace) {
  Policy policy;
  policy.order = Order::Both;
  ScriptedJudge scripted(prefers_good, {policy});
  std::map<std::pair<size_t, size_t>, std::string> texts;
  JudgeEvents events;
  events.judgment = [](size_t, Judgment) {};
  events.text = [&](size_t sample, size_t part, std::string_view piece) {
    texts[{sample, part}] += piece;
  };
  scripted.judge.judge(
      std::vector<Sample>{pair("good", "bad"), pair("bad", "good", R"(, "context": "C")")}, events);
  EXPECT_EQ(texts, (std::map<std::pair<size_t, size_t>, std::string>{{{0, 0}, "The first."},
                                                                     {{0, 1}, "The second."},
                                                                     {{1, 0}, "The second."},
                                                                     {{1, 1}, "The first."}}));
}

TEST(Judge, FitSaysTheLargestRequestAndTheLimit) {
  ScriptedJudge scripted(prefers_good, {both_orders()}, "", {}, /*context_limit=*/900);
  const std::vector<Fit> fits =
      scripted.judge.fit(std::vector<Sample>{pair("a", "b"), pair(std::string(1000, 'x'), "b")});
  ASSERT_EQ(fits.size(), 2u);
  EXPECT_TRUE(fits[0].fits());
  EXPECT_EQ(fits[0].limit, 900);
  EXPECT_FALSE(fits[1].fits());
  EXPECT_EQ(fits[1].tokens, fits[0].tokens + 999);
  EXPECT_TRUE(scripted.asked->empty());
  ScriptedJudge unlimited(prefers_good, {both_orders()});
  EXPECT_TRUE(unlimited.judge.fit(std::vector<Sample>{pair(std::string(100'000, 'x'), "b")})
                  .front()
                  .fits());
}

TEST(Judge, OverlongSamplesAreLeftOutWholeAndTheOthersJudged) {
  ScriptedJudge scripted(prefers_good, {both_orders()}, "", {}, /*context_limit=*/900);
  std::vector<size_t> judged;
  std::vector<std::pair<size_t, std::int64_t>> overlong;
  JudgeEvents events;
  events.judgment = [&](size_t sample, const Judgment&) { judged.push_back(sample); };
  events.overlong = [&](size_t sample, Fit fit) { overlong.emplace_back(sample, fit.limit); };
  scripted.judge.judge(std::vector<Sample>{pair("good", "bad"), pair(std::string(1000, 'x'), "b"),
                                           pair("bad", "good", R"(, "context": "C")")},
                       events);
  std::sort(judged.begin(), judged.end());
  EXPECT_EQ(judged, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(overlong, (std::vector<std::pair<size_t, std::int64_t>>{{1, 900}}));
  EXPECT_EQ(scripted.asked->size(), 4u);
}

TEST(Judge, WhatTheLedgerKnowsIsNotTooLong) {
  const selene::testing::TemporaryFolder folder;
  const std::vector<Sample> samples = {pair("good", "bad " + std::string(1000, 'x'))};
  ScriptedJudge first(prefers_good, {both_orders()}, "", Ledger(folder / "ledger.sqlite"));
  first.judge_all(samples);
  ScriptedJudge second(prefers_good, {both_orders()}, "", Ledger(folder / "ledger.sqlite"),
                       /*context_limit=*/900);
  size_t judged = 0;
  JudgeEvents events;
  events.judgment = [&](size_t, const Judgment&) { ++judged; };
  events.overlong = [](size_t, Fit) { FAIL(); };
  second.judge.judge(samples, events);
  EXPECT_EQ(judged, 1u);
}

TEST(Judge, WhatTheLedgerKnowsIsNotRunAgain) {
  const selene::testing::TemporaryFolder folder;
  const std::vector<Sample> samples = {pair("good", "bad"),
                                       pair("bad", "good", R"(, "context": "C")")};
  ScriptedJudge first(prefers_good, {both_orders()}, "", Ledger(folder / "ledger.sqlite"));
  const std::vector<Judgment> judgments = first.judge_all(samples);
  EXPECT_EQ(first.asked->size(), 4u);
  EXPECT_EQ(first.judge.ledger_misses(), 4);
  ScriptedJudge second(prefers_good, {both_orders()}, "", Ledger(folder / "ledger.sqlite"));
  const std::vector<Judgment> again = second.judge_all(samples);
  EXPECT_TRUE(second.asked->empty());
  EXPECT_EQ(second.judge.ledger_hits(), 4);
  for (size_t i = 0; i < 2; ++i)
    EXPECT_EQ(data::to_json(again[i]).dump(), data::to_json(judgments[i]).dump());
}

TEST(Judge, WhatIsNotFinalIsNotKept) {
  const selene::testing::TemporaryFolder folder;
  const auto refuses = [](const engine::Request&) {
    engine::Result result;
    result.unreadable = "too long for this server";
    result.is_final = false;
    return result;
  };
  const std::vector<Sample> samples = {pair("good", "bad")};
  ScriptedJudge first(refuses, {verdict_only()}, "", Ledger(folder / "ledger.sqlite"));
  EXPECT_EQ(first.judge_all(samples).at(0).unreadable, "too long for this server");
  ScriptedJudge second(prefers_good, {verdict_only()}, "", Ledger(folder / "ledger.sqlite"));
  EXPECT_EQ(second.judge_all(samples).at(0).label, "A");
  EXPECT_EQ(second.asked->size(), 1u);
}

// --- requests that are no sample's ---

Ask ask_of(const std::string& content, const std::string& digest = "d") {
  Ask ask{.request = {}, .template_name = "argue", .template_digest = digest, .name = content};
  ask.request.messages = {{"user", content}};
  ask.request.max_tokens = 8;
  return ask;
}

engine::Result echoes(const engine::Request& request) {
  engine::Result result;
  result.text = "on " + request.messages.back().content;
  return result;
}

TEST(Judge, RequestsAsTheyAreAreAnsweredInTheirOrder) {
  ScriptedJudge scripted(echoes, {Policy{}});
  const std::vector<Ask> asks{ask_of("one"), ask_of("two"), ask_of("one")};
  const auto answers = scripted.judge.answer(scripted.judge.members().front(), asks);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].result->text, "on one");
  EXPECT_EQ(answers[1].result->text, "on two");
  EXPECT_EQ(answers[2].result->text, "on one");
  EXPECT_EQ(scripted.asked->size(), 2u);
  EXPECT_TRUE(scripted.judge.answer(scripted.judge.members().front(), {}).empty());
}

TEST(Judge, TheLedgerKnowsRequestsByAllThatTheyAre) {
  const selene::testing::TemporaryFolder folder;
  const auto ask = [&](const std::vector<Ask>& asks) {
    ScriptedJudge scripted(echoes, {Policy{}}, "", Ledger(folder / "ledger.sqlite"));
    for (const auto& answer : scripted.judge.answer(scripted.judge.members().front(), asks))
      EXPECT_EQ(answer.result->text, "on one");
    return std::pair(scripted.judge.ledger_hits(), scripted.judge.ledger_misses());
  };
  using Counts = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(ask({ask_of("one")}), Counts(0, 1));
  EXPECT_EQ(ask({ask_of("one")}), Counts(1, 0));
  EXPECT_EQ(ask({ask_of("one"), ask_of("one", "another")}), Counts(1, 1));
  Ledger ledger(folder / "ledger.sqlite");
  std::vector<Record> records;
  ledger.each([&](const Record& record) { records.push_back(record); });
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].template_name, "argue");
  EXPECT_EQ(records[1].template_digest, "another");
}

TEST(Judge, ARequestThatDoesNotFitIsNotRun) {
  ScriptedJudge scripted(echoes, {Policy{}}, "", {}, /*context_limit=*/20);
  const std::vector<Ask> asks{ask_of("one"), ask_of(std::string(30, 'x'))};
  const auto answers = scripted.judge.answer(scripted.judge.members().front(), asks);
  EXPECT_TRUE(answers[0].result && answers[0].fit.fits());
  EXPECT_FALSE(answers[1].result);
  EXPECT_FALSE(answers[1].fit.fits());
  EXPECT_EQ(answers[1].fit.tokens, 38);
  EXPECT_EQ(scripted.asked->size(), 1u);
}

TEST(Judge, AnEngineThatFailsLosesNoAnswerBefore) {
  const selene::testing::TemporaryFolder folder;
  const std::vector<Ask> asks{ask_of("one"), ask_of("two")};
  const auto failing = [](const engine::Request& request) {
    if (request.messages.back().content == "two") throw Error("no server answers");
    return echoes(request);
  };
  ScriptedJudge first(failing, {Policy{}}, "", Ledger(folder / "ledger.sqlite"));
  EXPECT_EQ(message_of<Error>([&] { first.judge.answer(first.judge.members().front(), asks); }),
            "no server answers");
  ScriptedJudge second(echoes, {Policy{}}, "", Ledger(folder / "ledger.sqlite"));
  second.judge.answer(second.judge.members().front(), asks);
  EXPECT_EQ(second.judge.ledger_hits(), 1);
}

TEST(Judge, StoppingLeavesTheRestWithoutAnAnswer) {
  ScriptedJudge scripted(echoes, {Policy{}});
  int calls = 0;
  const std::vector<Ask> asks{ask_of("one"), ask_of("two"), ask_of("three")};
  const auto answers =
      scripted.judge.answer(scripted.judge.members().front(), asks, [&] { return ++calls > 2; });
  EXPECT_TRUE(answers[0].result);
  EXPECT_FALSE(answers[1].result || answers[2].result);
  EXPECT_TRUE(answers[2].fit.fits());
}

TEST(Judge, IsDescribedByWhatItsJudgmentsDependOn) {
  const ScriptedJudge scripted(echoes, {Policy{}}, "pairwise");
  const nlohmann::ordered_json described = describe(scripted.judge);
  EXPECT_EQ(described.at("name"), "tested");
  const auto& member = described.at("members").at(0);
  EXPECT_EQ(member.at("engine"), "scripted 1");
  EXPECT_EQ(member.at("templates").at("pairwise").get<std::string>().size(), 64u);
  EXPECT_EQ(member.at("max_tokens"), 512);
}

TEST(Judge, ModesAndOrdersHaveNames) {
  for (const Mode mode : {Mode::Critique, Mode::Verdict})
    EXPECT_EQ(mode_from_name(mode_name(mode)), mode);
  for (const Order order : {Order::One, Order::Both})
    EXPECT_EQ(order_from_name(order_name(order)), order);
  EXPECT_EQ(message_of<Error>([] { mode_from_name("quick"); }),
            "unknown mode 'quick'; known: critique, verdict");
  EXPECT_EQ(message_of<Error>([] { order_from_name("ab"); }),
            "unknown order 'ab'; known: one, both");
}

TEST(Judge, NothingIsJudgedAsNothing) {
  ScriptedJudge scripted(prefers_good, {verdict_only()});
  EXPECT_TRUE(scripted.judge_all({}).empty());
  EXPECT_TRUE(scripted.judge.fit({}).empty());
}

TEST(Judge, AJudgeWithoutMembersIsABug) { EXPECT_THROW(Judge("none", {}, {}), std::logic_error); }

}  // namespace
}  // namespace selene::judge
