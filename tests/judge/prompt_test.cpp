// A sample as a request, and the digest that names the request's result.
#include "judge/prompt.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "core/error.h"
#include "samples.h"
#include "temporary_folder.h"

namespace selene::judge {
namespace {

using selene::testing::message_of;
using selene::testing::sample_of;

const Template& form() {
  static const Template parsed = [] {
    Template made = parse_template(
        "task: [absolute, classification, pairwise]\nmark: 'M:'\nanswer_start: 'S:'\n"
        "user_template: '{response}{response_a}{response_b}'\n",
        "short", "short.yaml");
    made.user_template = "{input}{?context}|{context}{/context}";
    return made;
  }();
  return parsed;
}

data::Sample with_examples() {
  return sample_of(R"({"task": "absolute", "input": "I", "response": "R", "examples": [
      {"input": "E1", "response": "r", "critique": " Too short.\n", "label": 2},
      {"input": "E2", "response": "r", "context": "K", "label": "5"}]})");
}

std::vector<std::pair<std::string, std::string>> turns(const engine::Request& request) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const engine::Message& message : request.messages)
    all.emplace_back(message.role, message.content);
  return all;
}

using Turns = std::vector<std::pair<std::string, std::string>>;

TEST(Prompt, ACritiqueBeginsWithTheStartAndEndsAtTheMark) {
  Policy policy;
  policy.max_tokens = 77;
  policy.temperature = 0.5;
  const engine::Request request = make_request(
      form(), sample_of(R"({"task": "classification", "input": "I", "response": "R"})"), policy);
  EXPECT_EQ(turns(request), (Turns{{"user", "I"}}));
  EXPECT_EQ(request.answer_start, "S:");
  EXPECT_EQ(request.max_tokens, 77);
  EXPECT_EQ(request.stop, "M:");
  EXPECT_EQ(request.mark, "M:");
  EXPECT_EQ(request.sampling.temperature, 0.5);
  EXPECT_EQ(request.labels, (std::vector<std::string>{"Yes", "No"}));
}

TEST(Prompt, AVerdictAloneGeneratesNothing) {
  Policy policy;
  policy.mode = Mode::Verdict;
  policy.temperature = 0.5;
  const engine::Request request = make_request(
      form(),
      sample_of(R"({"task": "pairwise", "input": "I", "response_a": "a", "response_b": "b"})"),
      policy);
  EXPECT_EQ(request.answer_start, "");
  EXPECT_EQ(request.max_tokens, 0);
  EXPECT_EQ(request.stop, "");
  EXPECT_EQ(request.mark, "M:");
  EXPECT_EQ(request.sampling.temperature, 0);
  EXPECT_EQ(request.labels, (std::vector<std::string>{"A", "B"}));
}

TEST(Prompt, ExamplesAreEarlierTurns) {
  const engine::Request request = make_request(form(), with_examples(), {});
  EXPECT_EQ(turns(request), (Turns{{"user", "E1"},
                                   {"assistant", "S: Too short.\n\nM: 2"},
                                   {"user", "E2|K"},
                                   {"assistant", "M: 5"},
                                   {"user", "I"}}));
}

TEST(Prompt, InVerdictModeExamplesShowTheirVerdictAlone) {
  Policy policy;
  policy.mode = Mode::Verdict;
  const engine::Request request = make_request(form(), with_examples(), policy);
  EXPECT_EQ(turns(request), (Turns{{"user", "E1"},
                                   {"assistant", "M: 2"},
                                   {"user", "E2|K"},
                                   {"assistant", "M: 5"},
                                   {"user", "I"}}));
}

TEST(Prompt, ASampleThatCannotBeRenderedIsAnError) {
  const Template strict = parse_template(
      "task: absolute\nmark: M\nuser_template: "
      "'{response}{reference}'\n",
      "strict", "strict.yaml");
  EXPECT_EQ(
      message_of<Error>([&] { make_request(strict, with_examples(), {}); }),
      "the template 'strict' has the placeholder '{reference}' and the sample no 'reference'");
}

// --- keys ---

engine::EngineId engine_id() {
  return {.name = "n", .model = "m", .adapter = "a", .version = "v", .options = "o"};
}

engine::Request request() {
  engine::Request made;
  made.messages = {{"user", "u"}, {"assistant", "x"}};
  made.answer_start = "S:";
  made.max_tokens = 5;
  made.stop = "M:";
  made.sampling = {.temperature = 1, .seed = 3};
  made.mark = "M:";
  made.labels = {"A", "B"};
  return made;
}

TEST(RequestKey, IsADigest) {
  const std::string key = request_key(engine_id(), "t", request());
  EXPECT_EQ(key.size(), 64u);
  EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(key, request_key(engine_id(), "t", request()));
}

TEST(RequestKey, ChangesWithEverythingThatAResultDependsOn) {
  std::set<std::string> keys{request_key(engine_id(), "t", request())};
  const auto with_engine = [&](const std::function<void(engine::EngineId&)>& change) {
    engine::EngineId id = engine_id();
    change(id);
    keys.insert(request_key(id, "t", request()));
  };
  const auto with_request = [&](const std::function<void(engine::Request&)>& change) {
    engine::Request changed = request();
    change(changed);
    keys.insert(request_key(engine_id(), "t", changed));
  };
  with_engine([](auto& id) { id.model = "m2"; });
  with_engine([](auto& id) { id.adapter = "a2"; });
  with_engine([](auto& id) { id.version = "v2"; });
  with_engine([](auto& id) { id.options = "o2"; });
  keys.insert(request_key(engine_id(), "t2", request()));
  with_request([](auto& one) { one.messages[0].content = "u2"; });
  with_request([](auto& one) { one.messages[0].role = "system"; });
  with_request([](auto& one) { one.messages.pop_back(); });
  with_request([](auto& one) { one.answer_start = "T:"; });
  with_request([](auto& one) { one.max_tokens = 6; });
  with_request([](auto& one) { one.stop = ""; });
  with_request([](auto& one) { one.sampling.temperature = 0.5; });
  with_request([](auto& one) { one.sampling.seed = 4; });
  with_request([](auto& one) { one.mark = "N:"; });
  with_request([](auto& one) { one.labels = {"B", "A"}; });
  EXPECT_EQ(keys.size(), 16u);
}

TEST(RequestKey, DoesNotChangeWithNamesOrAnUnusedSeed) {
  engine::EngineId renamed = engine_id();
  renamed.name = "another name for the same weights";
  EXPECT_EQ(request_key(renamed, "t", request()), request_key(engine_id(), "t", request()));
  engine::Request one = request();
  one.sampling = {.temperature = 0, .seed = 1};
  engine::Request other = request();
  other.sampling = {.temperature = 0, .seed = 2};
  EXPECT_EQ(request_key(engine_id(), "t", one), request_key(engine_id(), "t", other));
}

// Moving a character from one field to the next must not give the same key.
TEST(RequestKey, KeepsFieldsApart) {
  engine::Request one = request();
  one.messages = {{"user", "ab"}};
  one.answer_start = "c";
  engine::Request other = one;
  other.messages = {{"user", "a"}};
  other.answer_start = "bc";
  EXPECT_NE(request_key(engine_id(), "t", one), request_key(engine_id(), "t", other));
  one.messages = {{"user", "a"}, {"b", "c"}};
  one.answer_start = "d";
  other.messages = {{"user", "a"}};
  other.answer_start = "b";
  EXPECT_NE(request_key(engine_id(), "t", one), request_key(engine_id(), "t", other));
}

}  // namespace
}  // namespace selene::judge
