#include "engine/chat_steps.h"

#include <gtest/gtest.h>

#include <cmath>

namespace selene::engine {
namespace {

const ServerKind& kind(std::string_view name) {
  for (const ServerKind& one : server_kinds()) {
    if (one.name == name) return one;
  }
  throw std::logic_error("no such kind");
}

Request critique_request() {
  Request request;
  request.messages = {{"user", "Judge this."}};
  request.answer_start = "**Reasoning:**";
  request.max_tokens = 128;
  request.stop = "**Result:**";
  request.mark = "**Result:**";
  request.labels = {"Yes", "No"};
  request.sampling = {.temperature = 0.7, .seed = 5};
  return request;
}

Request verdict_request() {
  Request request = critique_request();
  request.answer_start = "";
  request.stop = "";
  request.max_tokens = 0;
  return request;
}

ChatAnswer answer_of(std::string text, std::vector<AnswerToken> tokens = {}) {
  ChatAnswer answer;
  answer.text = std::move(text);
  answer.tokens = std::move(tokens);
  answer.prompt_tokens = 10;
  answer.generated_tokens = 3;
  return answer;
}

AnswerToken token(std::string text,
                  const std::vector<std::pair<std::string, double>>& probabilities) {
  AnswerToken result{std::move(text), {}};
  for (const auto& [other, probability] : probabilities) {
    result.alternatives.push_back({other, std::log(probability)});
  }
  return result;
}

TEST(ChatSteps, CritiqueThenLabelWhereTheServerContinues) {
  const Request request = critique_request();
  ChatSteps steps(request, kind("vllm"), true);
  const ChatCall critique = steps.call();
  ASSERT_EQ(critique.messages.size(), 2u);
  EXPECT_EQ(critique.messages[1].role, "assistant");
  EXPECT_EQ(critique.messages[1].content, "**Reasoning:**");
  EXPECT_TRUE(critique.continues_last);
  EXPECT_EQ(critique.max_tokens, 128);
  EXPECT_EQ(critique.stop, "**Result:**");
  EXPECT_EQ(critique.sampling.temperature, 0.7);
  EXPECT_EQ(critique.alternatives, 0);
  EXPECT_FALSE(steps.scoring());
  steps.take(answer_of(" It is good.\n\n"));

  ASSERT_FALSE(steps.ended());
  EXPECT_TRUE(steps.scoring());
  const ChatCall label = steps.call();
  EXPECT_EQ(label.messages[1].content, "**Reasoning:** It is good.\n\n**Result:**");
  EXPECT_TRUE(label.continues_last);
  EXPECT_EQ(label.sampling.temperature, 0);
  EXPECT_EQ(label.alternatives, 20);
  EXPECT_EQ(label.grammar, "");
  steps.take(answer_of(" Yes", {token(" Yes", {{" Yes", 0.7}, {" No", 0.2}, {" The", 0.1}})}));

  ASSERT_TRUE(steps.ended());
  const Result result = steps.take_result();
  EXPECT_EQ(result.text, "It is good.");
  EXPECT_FALSE(result.truncated);
  ASSERT_EQ(result.label_log_probs.size(), 2u);
  EXPECT_NEAR(std::exp(result.label_log_probs[0]), 0.7, 1e-12);
  EXPECT_FALSE(result.label_read);
  EXPECT_EQ(result.unreadable, "");
  EXPECT_EQ(result.prompt_tokens, 10);
  EXPECT_EQ(result.generated_tokens, 3);
}

TEST(ChatSteps, ACutCritiqueIsClosedAndFlagged) {
  const Request request = critique_request();
  ChatSteps steps(request, kind("vllm"), true);
  ChatAnswer answer = answer_of("It goes on");
  answer.cut = true;
  steps.take(answer);
  EXPECT_EQ(steps.call().messages[1].content, "**Reasoning:** It goes on\n\n**Result:**");
  EXPECT_TRUE(steps.take_result().truncated);
}

TEST(ChatSteps, AServerThatRepeatsTheStartOrIgnoresTheStop) {
  const Request request = critique_request();
  ChatSteps steps(request, kind("sglang"), true);
  steps.take(answer_of("**Reasoning:** Good. **Result:** Yes"));
  EXPECT_EQ(steps.call().messages[1].content, "**Reasoning:** Good.\n\n**Result:**");
}

TEST(ChatSteps, VerdictOnlyIsOneCall) {
  const Request request = verdict_request();
  ChatSteps steps(request, kind("llama-server"), true);
  EXPECT_TRUE(steps.scoring());
  const ChatCall call = steps.call();
  EXPECT_EQ(call.messages[1].content, "**Result:**");
  EXPECT_EQ(call.grammar, R"(root ::= " Yes" | " No")");
  steps.take(answer_of(
      " No", {token(" ", {{" ", 0.9}, {" No", 0.05}}), token("No", {{"No", 0.6}, {"Yes", 0.4}})}));
  ASSERT_TRUE(steps.ended());
  const Result result = steps.take_result();
  EXPECT_NEAR(std::exp(result.label_log_probs.at(0)), 0.9 * 0.4, 1e-12);
  EXPECT_NEAR(std::exp(result.label_log_probs.at(1)), 0.05 + 0.9 * 0.6, 1e-12);
  EXPECT_EQ(result.generated_tokens, 0);
  EXPECT_EQ(result.text, "");
}

TEST(ChatSteps, RescoringAStoredCritiqueIsTheLabelCallAlone) {
  Request request = verdict_request();
  request.answer_start = "**Reasoning:** Stored.";
  const ChatSteps steps(request, kind("vllm"), true);
  EXPECT_EQ(steps.call().messages[1].content, "**Reasoning:** Stored.\n\n**Result:**");
}

TEST(ChatSteps, GenerationAloneHasNoLabelCall) {
  Request request = critique_request();
  request.labels.clear();
  request.answer_start = "";
  ChatSteps steps(request, kind("vllm"), true);
  EXPECT_EQ(steps.call().messages.size(), 1u);
  EXPECT_FALSE(steps.call().continues_last);
  steps.take(answer_of("Text."));
  EXPECT_TRUE(steps.ended());
  EXPECT_EQ(steps.take_result().text, "Text.");
}

TEST(ChatSteps, NothingToDoIsNoCall) {
  Request request = verdict_request();
  request.labels.clear();
  EXPECT_TRUE(ChatSteps(request, kind("vllm"), true).ended());
  EXPECT_TRUE(ChatSteps(request, kind("other"), true).ended());
}

TEST(ChatSteps, AsksWhatFollowsAnOpenLabel) {
  Request request = verdict_request();
  request.labels = {"1", "2", "10"};
  ChatSteps steps(request, kind("llama-server"), true);
  steps.take(answer_of(" 2", {token(" ", {{" ", 1.0}}), token("2", {{"2", 0.5}, {"1", 0.4}})}));
  ASSERT_FALSE(steps.ended());
  EXPECT_TRUE(steps.scoring());
  const ChatCall call = steps.call();
  EXPECT_EQ(call.messages[1].content, "**Result:** 1");
  EXPECT_EQ(call.grammar, R"(root ::= "0")");
  steps.take(answer_of("0", {token("0", {{"0", 0.75}, {"\n", 0.25}})}));
  ASSERT_TRUE(steps.ended());
  const Result result = steps.take_result();
  EXPECT_NEAR(std::exp(result.label_log_probs.at(0)), 0.1, 1e-12);
  EXPECT_NEAR(std::exp(result.label_log_probs.at(2)), 0.3, 1e-12);
}

TEST(ChatSteps, AServerThatRepeatsWhatItContinues) {
  const Request request = verdict_request();
  ChatSteps steps(request, kind("llama-server"), false);
  steps.take(answer_of("**Result:** No"));
  EXPECT_EQ(steps.take_result().label_read, 1u);
}

TEST(ChatSteps, AServerThatStopsListingLeavesTheLabelThatIsRead) {
  Request request = verdict_request();
  request.labels = {"1", "10"};
  ChatSteps steps(request, kind("vllm"), true);
  steps.take(answer_of(" 10\n", {token(" ", {{" ", 1.0}}), token("1", {{"1", 1.0}})}));
  ASSERT_FALSE(steps.ended());
  steps.take(answer_of("0"));
  ASSERT_TRUE(steps.ended());
  const Result result = steps.take_result();
  EXPECT_TRUE(result.label_log_probs.empty());
  EXPECT_EQ(result.label_read, 1u);
}

TEST(ChatSteps, AsksForMoreWhereALabelIsNotListed) {
  const Request request = verdict_request();
  ChatSteps steps(request, kind("llama-server"), true);
  EXPECT_EQ(steps.call().alternatives, 100);
  const AnswerToken short_list = token(" Yes", {{" Yes", 0.3}, {" the", 0.2}});
  steps.take(answer_of(" Yes", {short_list}));
  ASSERT_FALSE(steps.ended());
  EXPECT_TRUE(steps.scoring());
  EXPECT_EQ(steps.call().alternatives, 5000);
  EXPECT_EQ(steps.call().max_tokens, 11);
  steps.take(answer_of(" Yes", {token(" Yes", {{" Yes", 0.3}, {" the", 0.2}, {" No", 0.01}})}));
  ASSERT_TRUE(steps.ended());
  const Result result = steps.take_result();
  ASSERT_EQ(result.label_log_probs.size(), 2u);
  EXPECT_NEAR(std::exp(result.label_log_probs[0]), 0.3, 1e-9);
  EXPECT_NEAR(std::exp(result.label_log_probs[1]), 0.01, 1e-9);
  // Once more and no more; nor where the server lists no more, or nothing.
  ChatSteps again(request, kind("llama-server"), true);
  for (int i = 0; i < 2; ++i) again.take(answer_of(" Yes", {short_list}));
  EXPECT_TRUE(again.ended());
  ChatSteps vllm(request, kind("vllm"), true);
  vllm.take(answer_of(" Yes", {short_list}));
  EXPECT_TRUE(vllm.ended());
  ChatSteps silent(request, kind("llama-server"), true);
  silent.take(answer_of(" Yes"));
  EXPECT_TRUE(silent.ended());
}

TEST(ChatSteps, WithoutLogProbabilitiesTheLabelIsRead) {
  const Request request = verdict_request();
  for (const bool ask : {true, false}) {
    ChatSteps steps(request, kind("vllm"), ask);
    EXPECT_EQ(steps.call().alternatives > 0, ask);
    steps.take(answer_of(" No\nBecause"));
    ASSERT_TRUE(steps.ended());
    const Result result = steps.take_result();
    EXPECT_EQ(result.label_read, 1u);
    EXPECT_TRUE(result.label_log_probs.empty());
    EXPECT_EQ(result.unreadable, "");
  }
  ChatSteps steps(request, kind("vllm"), true);
  steps.take(answer_of(" maybe"));
  EXPECT_EQ(steps.take_result().unreadable,
            "the text after the result mark is none of the labels: 'maybe'");
}

TEST(ChatSteps, ADistributionNeedsNoReadableText) {
  const Request request = verdict_request();
  ChatSteps steps(request, kind("vllm"), true);
  steps.take(
      answer_of(" Maybe", {token(" Maybe", {{" Maybe", 0.5}, {" Yes", 0.3}, {" No", 0.2}})}));
  const Result result = steps.take_result();
  EXPECT_EQ(result.label_log_probs.size(), 2u);
  EXPECT_EQ(result.unreadable, "");
}

TEST(ChatSteps, OneCallWritesAllWhereTheServerDoesNotContinue) {
  const Request request = critique_request();
  ChatSteps steps(request, kind("other"), true);
  const ChatCall call = steps.call();
  ASSERT_EQ(call.messages.size(), 1u);
  EXPECT_EQ(call.messages[0].content, "Judge this.");
  EXPECT_FALSE(call.continues_last);
  EXPECT_EQ(call.stop, "");
  EXPECT_GT(call.max_tokens, 128);
  EXPECT_EQ(call.sampling.temperature, 0.7);
  EXPECT_EQ(call.alternatives, 20);
  steps.take(answer_of("**Reasoning:** He wrote \"**Result:** No\".\n\n**Result:** Yes",
                       {token("**Reasoning:** He wrote \"", {}), token("**Result:**", {}),
                        token(" No", {{" No", 0.9}}), token("\".\n\n", {}),
                        token("**Result:**", {}), token(" Yes", {{" Yes", 0.6}, {" No", 0.4}})}));
  ASSERT_TRUE(steps.ended());
  const Result result = steps.take_result();
  EXPECT_EQ(result.text, "He wrote \"**Result:** No\".");
  EXPECT_NEAR(std::exp(result.label_log_probs.at(0)), 0.6, 1e-12);
  EXPECT_EQ(result.generated_tokens, 3);
}

TEST(ChatSteps, AnUnreadableAnswerKeepsItsText) {
  const Request request = critique_request();
  ChatSteps steps(request, kind("other"), true);
  ChatAnswer answer = answer_of("**Reasoning:** It goes on and on");
  answer.cut = true;
  steps.take(answer);
  const Result result = steps.take_result();
  EXPECT_EQ(result.text, "It goes on and on");
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.unreadable, "cut at max_tokens before the result mark");
  EXPECT_FALSE(result.label_read);
}

TEST(ChatSteps, TheVerdictAloneIsAskedForWhereTheServerDoesNotContinue) {
  Request request = verdict_request();
  const std::string line = "Answer with \"**Result:** <label>\" alone, without reasoning.";
  ChatSteps steps(request, kind("other"), false);
  EXPECT_EQ(steps.call().messages.back().content, "Judge this.\n\n" + line);
  steps.take(answer_of("**Result:** No"));
  const Result result = steps.take_result();
  EXPECT_EQ(result.label_read, 1u);
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.generated_tokens, 0);

  request.answer_start = "**Reasoning:** Stored.";
  const ChatCall rescoring = ChatSteps(request, kind("other"), false).call();
  ASSERT_EQ(rescoring.messages.size(), 3u);
  EXPECT_EQ(rescoring.messages[1].content, "**Reasoning:** Stored.");
  EXPECT_EQ(rescoring.messages[2].content, line);
}

TEST(ChatSteps, ARefusedRequestIsUnreadableAndKeepsItsCritique) {
  const Request request = critique_request();
  ChatSteps steps(request, kind("vllm"), true);
  steps.take(answer_of("Good."));
  steps.refuse("too long");
  EXPECT_TRUE(steps.ended());
  const Result result = steps.take_result();
  EXPECT_EQ(result.unreadable, "too long");
  EXPECT_EQ(result.text, "Good.");
}

}  // namespace
}  // namespace selene::engine
