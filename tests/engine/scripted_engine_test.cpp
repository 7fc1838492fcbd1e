#include "engine/scripted_engine.h"

#include <gtest/gtest.h>

#include <map>

namespace selene::engine {
namespace {

Request asking(const std::string& text) {
  Request request;
  request.messages = {{"user", text}};
  request.labels = {"Yes", "No"};
  return request;
}

Result says(const std::string& text, std::vector<double> log_probs = {-1, -2}) {
  Result result;
  result.text = text;
  result.label_log_probs = std::move(log_probs);
  return result;
}

TEST(ScriptedEngine, AnswersEachRequestInOrder) {
  const auto engine = make_scripted_engine(
      [](const Request& request) { return says(request.messages[0].content); });
  std::vector<std::pair<size_t, std::string>> seen;
  Events events;
  events.results = [&](std::span<Completed> completed) {
    for (const Completed& one : completed) seen.emplace_back(one.request, one.result.text);
  };
  engine->run(std::vector<Request>{asking("a"), asking("b"), asking("c")}, events);
  EXPECT_EQ(seen, (std::vector<std::pair<size_t, std::string>>{{0, "a"}, {1, "b"}, {2, "c"}}));
}

TEST(ScriptedEngine, StreamsItsTextBeforeTheResult) {
  const auto engine = make_scripted_engine([](const Request&) { return says("good"); });
  std::string log;
  Events events;
  events.text = [&](size_t request, std::string_view piece) {
    log += std::to_string(request) + std::string(piece) + " ";
  };
  events.results = [&](std::span<Completed>) { log += "done "; };
  engine->run(std::vector<Request>{asking("a"), asking("b")}, events);
  EXPECT_EQ(log, "0good done 1good done ");
}

TEST(ScriptedEngine, StopsWhenTold) {
  const auto engine = make_scripted_engine([](const Request&) { return says("good"); });
  size_t results = 0;
  Events events;
  events.results = [&](std::span<Completed> completed) { results += completed.size(); };
  events.stop = [&] { return results == 2; };
  engine->run(std::vector<Request>(5, asking("a")), events);
  EXPECT_EQ(results, 2u);
}

TEST(ScriptedEngine, CountsAByteAsAToken) {
  const auto engine = make_scripted_engine([](const Request&) { return says(""); }, 100);
  EXPECT_EQ(engine->context_limit(), 100);
  Request request = asking("12345");
  request.answer_start = "123";
  request.mark = "12";
  request.max_tokens = 40;
  EXPECT_EQ(engine->context_tokens(std::vector<Request>{request, asking("")}),
            (std::vector<std::int64_t>{50, 0}));
}

TEST(ScriptedEngine, HasAnIdOfItsOwn) {
  const auto engine = make_scripted_engine([](const Request&) { return says(""); });
  EXPECT_EQ(engine->id().name, "scripted");
  EXPECT_EQ(engine->id().model.size(), 64u);
}

TEST(ScriptedEngine, AScriptThatScoresSomeLabelsIsABug) {
  const auto engine = make_scripted_engine([](const Request&) { return says("", {-1}); });
  Events events;
  events.results = [](std::span<Completed>) {};
  EXPECT_THROW(engine->run(std::vector<Request>{asking("a")}, events), std::logic_error);
}

}  // namespace
}  // namespace selene::engine
