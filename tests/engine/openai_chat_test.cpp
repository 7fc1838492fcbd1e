#include "engine/openai_chat.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

using testing::message_of;

TEST(OpenAiChat, KnowsLlamaServer) {
  const ServedModel served = parse_models(
      R"({"object":"list","data":[{"id":"smol.gguf","aliases":["smol"],"owned_by":"llamacpp",
          "meta":{"n_params":134515008,"size":143000000}}]})",
      "judge");
  EXPECT_EQ(served.kind->name, "llama-server");
  EXPECT_TRUE(served.kind->continues);
  EXPECT_EQ(served.model, "judge");
  EXPECT_EQ(served.details, "smol.gguf, n_params 134515008, size 143000000");
}

TEST(OpenAiChat, KnowsVllmAndItsModelAmongOthers) {
  const char* body = R"({"data":[{"id":"base","owned_by":"vllm","root":"/models/meta/base"},
                                 {"id":"judge","owned_by":"vllm","root":"AtlaAI/Selene-1-Mini","parent":"base"}]})";
  const ServedModel served = parse_models(body, "judge");
  EXPECT_EQ(served.kind->name, "vllm");
  EXPECT_EQ(served.details, "AtlaAI/Selene-1-Mini");
  EXPECT_EQ(parse_models(body, "base").details, "");  // A folder's name says nothing more.
  // Not listed: the server will say so itself.
  EXPECT_EQ(parse_models(body, "other").model, "other");
}

TEST(OpenAiChat, ADateMayFollowTheNameOfTheModel) {
  for (const char* same : {"gpt-4", "gpt-4-0613", "gpt-4-2024-08-06", "gpt-4:latest"})
    EXPECT_TRUE(is_same_model("gpt-4", same)) << same;
  for (const char* other : {"gpt-4-turbo", "gpt-4-1106-preview", "gpt-4o", "gpt-", "gpt-4-", ""})
    EXPECT_FALSE(is_same_model("gpt-4", other)) << other;
}

// One file is one model wherever it lies.
TEST(OpenAiChat, FoldersAreNoPartOfAName) {
  const auto served = [](const std::string& id, const std::string& asked) {
    return parse_models(nlohmann::json{{"data", {{{"id", id}, {"owned_by", "llamacpp"}}}}}.dump(),
                        asked);
  };
  for (const char* folder : {"/a/models/", "/b/", "./", "models/", "C:\\models\\", ""}) {
    SCOPED_TRACE(folder);
    const std::string id = std::string(folder) + "m.gguf";
    EXPECT_EQ(served(id, "").model, id);
    EXPECT_EQ(served(id, "").name, "m.gguf");
    EXPECT_EQ(served(id, "").details, "");
    EXPECT_EQ(served(id, id).name, "m.gguf");
    EXPECT_EQ(served(id, "judge").name, "judge");
    EXPECT_EQ(served(id, "judge").details, "m.gguf");
  }
  EXPECT_EQ(served("/models/base", "").name, "base");
  EXPECT_EQ(served("AtlaAI/Selene-1-Mini", "").name, "AtlaAI/Selene-1-Mini");
}

TEST(OpenAiChat, TheOnlyModelNeedsNoName) {
  EXPECT_EQ(parse_models(R"({"data":[{"id":"m","owned_by":"library"}]})", "").model, "m");
  EXPECT_EQ(message_of<Error>([] { parse_models(R"({"data":[{"id":"a"},{"id":"b"}]})", ""); }),
            "the server has several models: a, b; name one: URL#model");
  EXPECT_EQ(message_of<Error>([] { parse_models(R"({"data":[]})", ""); }),
            "the server has no list of its models; name one: URL#model");
}

TEST(OpenAiChat, AnUnknownServerIsAnyOther) {
  for (const char* owner : {"library", "organization_owner", "me", ""}) {
    const auto served =
        parse_models(nlohmann::json{{"data", {{{"id", "m"}, {"owned_by", owner}}}}}.dump(), "m");
    EXPECT_EQ(served.kind->name, "other") << owner;
    EXPECT_FALSE(served.kind->continues);
  }
  EXPECT_EQ(
      parse_models(R"({"data":[{"id":"gpt","owned_by":"system"}]})", "gpt").kind->max_tokens_field,
      "max_completion_tokens");
}

TEST(OpenAiChat, SaysWhatIsNoListOfModels) {
  EXPECT_EQ(parse_models("<html>hello</html>", "m").unclear,
            "the answer is no JSON: '<html>hello</html>'");
  EXPECT_EQ(parse_models(R"({"data":1})", "m").unclear,
            R"(the answer is not a list of models: '{"data":1}')");
  EXPECT_NE(parse_models("[]", "m").unclear, "");
  EXPECT_EQ(parse_models(R"({"data":[1]})", "").unclear,
            R"(the answer is not a list of models: '{"data":[1]}')");
  EXPECT_EQ(parse_models(R"({"data":[1, null, "x"]})", "m").unclear, "");
}

ServedModel served_by(std::string_view name) {
  for (const ServerKind& kind : server_kinds()) {
    if (kind.name == name) return {.kind = &kind, .model = "m"};
  }
  return {};
}

TEST(OpenAiChat, WritesACall) {
  ChatCall call;
  call.messages = {{"user", "Judge \"this\""}, {"assistant", "**Reasoning:**"}};
  call.continues_last = true;
  call.max_tokens = 128;
  call.stop = "**Result:**";
  EXPECT_EQ(
      chat_body(served_by("vllm"), call),
      R"({"model":"m","messages":[{"role":"user","content":"Judge \"this\""},)"
      R"({"role":"assistant","content":"**Reasoning:**"}],"continue_final_message":true,)"
      R"("add_generation_prompt":false,"max_tokens":128,"stop":["**Result:**"],"temperature":0.0})");
}

TEST(OpenAiChat, WritesSamplingLogProbabilitiesAndGrammarWhenAsked) {
  ChatCall call;
  call.messages = {{"user", "x"}};
  call.max_tokens = 3;
  call.sampling = {.temperature = 0.5, .seed = 0xFFFFFFFFFFFFFFFF};
  call.alternatives = 100;
  call.grammar = "root ::= \"x\"";
  EXPECT_EQ(
      chat_body(served_by("llama-server"), call),
      R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":3,"temperature":0.5,)"
      R"("seed":2147483647,"logprobs":true,"top_logprobs":100,"grammar":"root ::= \"x\""})");
}

TEST(OpenAiChat, TheGrammarQuotesItsChoices) {
  EXPECT_EQ(choice_grammar(std::vector<std::string>{" 1", "say \"\\\"", "a\nb", "可"}),
            R"(root ::= " 1" | "say \"\\\"" | "a\x0Ab" | "可")");
}

TEST(OpenAiChat, ReadsAnAnswer) {
  const ChatAnswer answer =
      parse_chat_answer(R"({"model":"m-2024","choices":[{"finish_reason":"length",
      "message":{"role":"assistant","content":" 4"},
      "logprobs":{"content":[{"token":" 4","logprob":-0.1,"bytes":[32,52],"top_logprobs":[
          {"token":" 4","logprob":-0.1,"bytes":[32,52]},{"token":"�","logprob":-3,"bytes":[229]},
          {"token":" 5","logprob":null}]}]}}],
      "usage":{"prompt_tokens":7,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":5}}})");
  EXPECT_EQ(answer.unclear, "");
  EXPECT_EQ(answer.text, " 4");
  EXPECT_TRUE(answer.cut);
  EXPECT_EQ(answer.model, "m-2024");
  EXPECT_TRUE(answer.has_usage);
  EXPECT_EQ(answer.prompt_tokens, 7);
  EXPECT_EQ(answer.cached_tokens, 5);
  EXPECT_EQ(answer.generated_tokens, 1);
  ASSERT_EQ(answer.tokens.size(), 1u);
  ASSERT_EQ(answer.tokens[0].alternatives.size(), 2u);
  EXPECT_EQ(answer.tokens[0].alternatives[1].text, "\xE5");
}

TEST(OpenAiChat, ReadsAnAnswerWithBytesThatAreNoUtf8) {
  ChatAnswer answer = parse_chat_answer("{\"choices\":[{\"message\":{\"content\":\"\xE5 4\"}}]}");
  EXPECT_EQ(answer.unclear, "");
  EXPECT_EQ(answer.text, "\uFFFD 4");
  EXPECT_TRUE(answer.invalid_utf8);
  // Outside of the text they say nothing of it.
  answer = parse_chat_answer("{\"id\":\"\xE5\",\"choices\":[{\"message\":{\"content\":\" 4\"}}]}");
  EXPECT_EQ(answer.text, " 4");
  EXPECT_FALSE(answer.invalid_utf8);
  answer = parse_chat_answer("{\"choices\":[{\"message\":{\"content\":\"\uFFFD\"}}]}");
  EXPECT_FALSE(answer.invalid_utf8);
  EXPECT_EQ(error_message("{\"error\":\"caf\xC3\"}"), "caf\uFFFD");
}

TEST(OpenAiChat, TheChosenTokenIsAmongTheAlternatives) {
  const auto alternatives = [](const char* log_prob) {
    return parse_chat_answer(
               fmt::format(R"({{"choices":[{{"message":{{"content":"x"}},"logprobs":{{"content":[
        {{"token":"x","logprob":{},"top_logprobs":[{{"token":"y","logprob":-0.1}}]}}]}}}}]}})",
                           log_prob))
        .tokens.at(0)
        .alternatives;
  };
  ASSERT_EQ(alternatives("-9").size(), 2u);
  EXPECT_EQ(alternatives("-9")[1].text, "x");
  EXPECT_EQ(alternatives("0").size(), 1u);  // Forced by a grammar: not its probability.
}

TEST(OpenAiChat, ReadsAnAnswerThatSaysLittle) {
  const ChatAnswer answer =
      parse_chat_answer(R"({"choices":[{"message":{"content":null,"refusal":"No."}}]})");
  EXPECT_EQ(answer.unclear, "");
  EXPECT_EQ(answer.text, "No.");
  EXPECT_FALSE(answer.cut);
  EXPECT_FALSE(answer.has_usage);
  EXPECT_TRUE(answer.tokens.empty());
}

TEST(OpenAiChat, SaysWhatIsNoAnswer) {
  EXPECT_EQ(parse_chat_answer("<html>").unclear, "the answer is no JSON: '<html>'");
  EXPECT_EQ(parse_chat_answer(R"({"choices":[)").unclear,
            R"(the answer is no JSON: '{"choices":[')");
  for (const char* body :
       {"1", "[]", "{}", R"({"choices":[]})", R"({"choices":[1]})",
        R"({"choices":[{"message":1}]})", R"({"choices":[{"message":{"content":[1]}}]})",
        R"({"choices":{"message":{}}})"}) {
    EXPECT_TRUE(
        parse_chat_answer(body).unclear.starts_with("the answer is not a chat completion: "))
        << body;
  }
  // A field of a wrong type is not there.
  EXPECT_EQ(
      parse_chat_answer(
          R"({"choices":[{"message":{"content":"x"},"logprobs":[1]}],"usage":"much","model":3})")
          .text,
      "x");
}

TEST(OpenAiChat, ACutAnswerIsNoAnswer) {
  const std::string whole =
      R"({"choices":[{"message":{"content":"x"},"logprobs":{"content":[{"token":"x","logprob":-1}]}}]})";
  EXPECT_EQ(parse_chat_answer(whole).unclear, "");
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(parse_chat_answer(whole.substr(0, length)).unclear, "") << length;
  }
}

TEST(OpenAiChat, NumbersThatCannotBeAreMadeOnesThatCan) {
  const ChatAnswer answer = parse_chat_answer(
      R"({"choices":[{"message":{"content":"x"},"logprobs":{"content":[{"token":"x","logprob":9,
      "top_logprobs":[{"token":"x","logprob":1e300}]}]}}],
      "usage":{"prompt_tokens":9223372036854775807,"completion_tokens":-5}})");
  EXPECT_EQ(answer.tokens.at(0).alternatives.at(0).log_prob, 0);
  EXPECT_EQ(answer.prompt_tokens, std::int64_t{1} << 40);
  EXPECT_EQ(answer.generated_tokens, 0);
}

TEST(OpenAiChat, FindsTheMessageOfAnError) {
  EXPECT_EQ(error_message(R"({"error":{"message":"too\nlong","type":"x"}})"), "too long");
  EXPECT_EQ(error_message(R"({"error":"no model"})"), "no model");
  EXPECT_EQ(error_message(R"({"object":"error","message":"bad"})"), "bad");
  EXPECT_EQ(error_message(R"({"detail":"not found"})"), "not found");
  EXPECT_EQ(error_message("<h1>Bad gateway</h1>"), "<h1>Bad gateway</h1>");
  EXPECT_LT(error_message(std::string(5000, 'x')).size(), 400u);
}

TEST(OpenAiChat, KnowsHowServersSayThatItIsTheRequest) {
  EXPECT_TRUE(is_about_the_request(
      R"({"error":{"code":400,"message":"request (9 tokens) exceeds the available context size (8
      tokens), try increasing it","type":"exceed_context_size_error"}})"));
  EXPECT_TRUE(is_about_the_request("This model's maximum context length is 4096 tokens."));
  EXPECT_TRUE(is_about_the_request(
      "The input (9 tokens) is longer than the model's context length (8 tokens)."));
  EXPECT_TRUE(is_about_the_request(R"({"error":{"code":"context_length_exceeded"}})"));
  EXPECT_TRUE(is_about_the_request(
      R"({"error":{"message":"The response was filtered","code":"content_filter"}})"));
  EXPECT_TRUE(is_about_the_request(R"({"error":{"code":"content_policy_violation"}})"));
  EXPECT_FALSE(is_about_the_request(R"({"error":{"message":"Invalid value for temperature"}})"));
}

}  // namespace
}  // namespace selene::engine
