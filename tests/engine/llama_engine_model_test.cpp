// The llama engine on the default model: label scores against a plain forward pass, and results
// that depend on their request alone, bit by bit.
#include "engine/llama_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>

#include "core/error.h"
#include "core/text.h"
#include "default_model.h"
#include "forward_pass.h"
#include "model/gguf_builder.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

using selene::testing::ForwardPass;
using selene::testing::GgufBuilder;
using selene::testing::message_of;
using selene::testing::TemporaryFolder;
using Labels = std::vector<std::string>;

const std::string kInput =
    "You compare two responses to one input and name the better one.\n\nInput:\n```\nHow many legs "
    "do 12 spiders have?\n```\n\n";

Request verdict_request(const std::string& response, Labels labels) {
  Request request;
  request.messages = {{"user", kInput + "Response:\n```\n" + response + "\n```"}};
  request.mark = "**Result:**";
  request.labels = std::move(labels);
  return request;
}

Request critique_request(const std::string& response, Labels labels, int max_tokens) {
  Request request = verdict_request(response, std::move(labels));
  request.answer_start = "**Reasoning:**";
  request.max_tokens = max_tokens;
  request.stop = request.mark;
  return request;
}

std::vector<Result> run_all(Engine& engine, const std::vector<Request>& requests) {
  std::vector<Result> results(requests.size());
  std::vector<int> times(requests.size());
  Events events;
  events.results = [&](std::span<Completed> completed) {
    for (Completed& one : completed) {
      ++times[one.request];
      results[one.request] = std::move(one.result);
    }
  };
  engine.run(requests, events);
  EXPECT_EQ(times, std::vector<int>(requests.size(), 1)) << "each request has one result";
  return results;
}

Result run_one(Engine& engine, const Request& request) {
  return run_all(engine, {request}).front();
}

std::vector<std::uint64_t> bits(const std::vector<double>& values) {
  std::vector<std::uint64_t> all;
  for (const double value : values) all.push_back(std::bit_cast<std::uint64_t>(value));
  return all;
}

void expect_same(const Result& result, const Result& expected) {
  EXPECT_EQ(result.text, expected.text);
  EXPECT_EQ(result.truncated, expected.truncated);
  EXPECT_EQ(result.prompt_tokens, expected.prompt_tokens);
  EXPECT_EQ(result.generated_tokens, expected.generated_tokens);
  EXPECT_EQ(bits(result.label_log_probs), bits(expected.label_log_probs));
}

class LlamaEngineTest : public selene::testing::DefaultModelTest {
 protected:
  std::unique_ptr<Engine> open(LlamaOptions options = {}) const {
    options.model = path_;
    if (options.threads == 0) options.threads = 1;  // Spinning threads are slow beside other tests.
    return open_llama_engine(options);
  }
  void expect_the_same_bits_everywhere(const std::string& adapter);
};

struct LabelSet {
  const char* name;
  Labels labels;
};

const std::vector<LabelSet>& label_sets() {
  static const std::vector<LabelSet> sets = {
      {"one token each", {"A", "B", "Tie"}},
      {"digits", {"1", "2", "3", "4", "5"}},
      {"some begin others", {"1", "10", "100", "2", "20"}},
      {"several tokens with a common beginning",
       {"needs improvement", "needs work", "needs", "fine", "finely balanced"}},
      {"words and marks", {"Yes", "Yes, but", "No", "n/a", "部分"}},
  };
  return sets;
}

TEST_F(LlamaEngineTest, LabelScoresAreThoseOfAPlainForwardPassForEachLabel) {
  const ForwardPass plain(path_);
  const auto engine = open();
  for (const LabelSet& set : label_sets()) {
    SCOPED_TRACE(set.name);
    const Request request = verdict_request("96 legs, since a spider has 8.", set.labels);
    EXPECT_EQ(bits(run_one(*engine, request).label_log_probs),
              bits(plain.label_log_probs(request)));
  }
}

TEST_F(LlamaEngineTest, AVerdictAfterACritiqueIsScoredAfterItsText) {
  const ForwardPass plain(path_);
  const auto engine = open();
  for (const LabelSet& set : label_sets()) {
    SCOPED_TRACE(set.name);
    const Request request = critique_request("96 legs, since a spider has 8.", set.labels, 12);
    const Result result = run_one(*engine, request);
    EXPECT_FALSE(result.text.empty());
    EXPECT_EQ(bits(result.label_log_probs), bits(plain.label_log_probs(request, result.text)));
  }
}

// A prompt of fewer than 64 tokens goes through the kernel of what follows it, as in a plain pass.
TEST_F(LlamaEngineTest, AShortPromptIsScoredAsAPlainForwardPassDoes) {
  const std::string bare = "{{ messages[0].content }}";
  const ForwardPass plain(path_, bare);
  const auto engine = open({.chat_template = bare});
  for (const int length : {2, 3, 31, 62, 63, 64, 65}) {
    SCOPED_TRACE(length);
    Request request = critique_request("", {"1", "10", "Yes, but"}, 0);
    request.messages = {{"user", "It"}};
    for (int i = 1; i < length; ++i) request.messages[0].content += " is";
    const PromptText prompt =
        plain.tokenizer().prompt(plain.chat_template().render(request.messages));
    ASSERT_EQ(plain.tokenizer().tokens(prompt, "").size(), static_cast<size_t>(length));
    EXPECT_EQ(bits(run_one(*engine, request).label_log_probs),
              bits(plain.label_log_probs(request)));
    request.max_tokens = 8;
    const Result written = run_one(*engine, request);
    EXPECT_EQ(bits(written.label_log_probs), bits(plain.label_log_probs(request, written.text)));
    expect_same(run_one(*open({.chat_template = bare}), request), written);
  }
}

TEST_F(LlamaEngineTest, LabelsLongerThanAPassAreScoredAsAPlainForwardPassDoes) {
  constexpr size_t kPass = 2 * 64;  // The smallest there is.
  const ForwardPass plain(path_);
  std::string longer_than_a_part = "The answer";
  for (int i = 0; i < 70; ++i) longer_than_a_part += " is";
  std::string longer_than_a_pass = longer_than_a_part;
  for (int i = 0; i < 70; ++i) longer_than_a_pass += " not";
  EXPECT_GT(plain.tokenizer().tokens({}, longer_than_a_pass).size(), kPass);
  const Labels labels{"Yes", longer_than_a_part, longer_than_a_pass, longer_than_a_part + " fine"};
  const auto engine = open({.batch_tokens = kPass});
  const Request verdict = verdict_request("96", labels);
  EXPECT_EQ(bits(run_one(*engine, verdict).label_log_probs), bits(plain.label_log_probs(verdict)));
  const Request critique = critique_request("96", labels, 8);
  const Result written = run_one(*engine, critique);
  EXPECT_EQ(bits(written.label_log_probs), bits(plain.label_log_probs(critique, written.text)));
}

// What greedy decoding writes is, token by token, the most probable token of a plain forward pass
// over its own text.
TEST_F(LlamaEngineTest, ACritiqueIsWhatThePlainModelWouldWrite) {
  const ForwardPass plain(path_);
  const Request request = critique_request("96 legs, since a spider has 8.", {}, 24);
  const Result result = run_one(*open(), request);
  const PromptText prompt =
      plain.tokenizer().prompt(plain.chat_template().render(request.messages));
  std::vector<Token> tokens = plain.tokenizer().tokens(prompt, request.answer_start);
  std::string text;
  for (int i = 0; i < request.max_tokens; ++i) {
    std::vector<double> row = plain.log_probs(tokens, tokens.size() - 1, prompt).front();
    // After the answer's start comes a space and something visible, as in the canonical critique.
    for (size_t t = 0; i == 0 && t < row.size(); ++t) {
      const std::string piece = plain.tokenizer().piece(static_cast<Token>(t));
      if (piece.size() < 2 || piece[0] != ' ' || trim(piece) != piece.substr(1)) row[t] = -1e30;
    }
    tokens.push_back(static_cast<Token>(std::max_element(row.begin(), row.end()) - row.begin()));
    if (plain.tokenizer().ends_answer(tokens.back())) break;
    text += plain.tokenizer().piece(tokens.back());
  }
  EXPECT_EQ(result.text, trim(text));
}

std::vector<Request> mixed_requests() {
  const std::string long_response =
      "A spider has eight legs and is therefore no insect. Twelve spiders have twelve times eight "
      "legs, which is 96. "
      "I counted them twice, once by hand and once by multiplying, and both ways gave me the same "
      "number: ninety-six.";
  std::vector<Request> requests = {
      verdict_request("96", {"A", "B"}),
      verdict_request(long_response, {"1", "10", "2"}),
      verdict_request(long_response + " So it is 96.", {"1", "10", "2"}),
      verdict_request("", {"needs improvement", "needs work", "fine"}),
      critique_request("96", {"A", "B"}, 16),
      critique_request("72 legs.", {"A", "B"}, 16),
      critique_request(long_response, {"1", "2", "3"}, 24),
      critique_request(long_response, {"1", "2", "3"}, 5),
      critique_request("It has\n\nno legs at all.", {}, 12),
      critique_request("96", {"A", "B"}, 16),
  };
  for (const std::uint64_t seed : {1, 2}) {
    requests.push_back(critique_request("96 legs", {"A", "B"}, 16));
    requests.back().sampling = {.temperature = 0.9, .seed = seed};
  }
  Request other;
  other.messages = {{"system", "You are terse."}, {"user", "Is water wet?"}};
  other.mark = "Answer:";
  other.labels = {"Yes", "No"};
  requests.push_back(other);
  return requests;
}

// The same requests under many circumstances, all of them with the adapter ("": none).
void LlamaEngineTest::expect_the_same_bits_everywhere(const std::string& adapter) {
  const auto opened = [&](LlamaOptions options) {
    options.adapter = adapter;
    return open(options);
  };
  const std::vector<Request> requests = mixed_requests();
  const std::vector<Result> expected = run_all(*opened({.threads = 1}), requests);

  const auto check = [&](const char* name, Engine& engine, const std::vector<size_t>& order) {
    std::vector<Request> arranged;
    for (const size_t i : order) arranged.push_back(requests[i]);
    const std::vector<Result> results = run_all(engine, arranged);
    for (size_t i = 0; i < order.size(); ++i) {
      SCOPED_TRACE(std::string(name) + ", request " + std::to_string(order[i]));
      expect_same(results[i], expected[order[i]]);
    }
  };
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), 0);

  check("two threads", *opened({.threads = 2}), order);
  check("one slot", *opened({.threads = 2, .kv_mib = 1}), order);
  check("many slots", *opened({.threads = 2, .kv_mib = 600}), order);
  check("three slots", *opened({.threads = 2, .max_slots = 3}), order);
  check("small batches", *opened({.threads = 2, .max_slots = 2, .batch_tokens = 40}), order);
  std::reverse(order.begin(), order.end());
  const auto engine = opened({.threads = 2});
  check("reversed", *engine, order);
  std::rotate(order.begin(), order.begin() + 5, order.end());
  check("warm, another order", *engine, order);
  for (size_t i = 0; i < requests.size(); ++i) check("warm, alone", *engine, {i});
  for (const size_t i : {1, 6, 10}) check("cold, alone", *opened({.threads = 2}), {i});
}

TEST_F(LlamaEngineTest, ResultsAreTheSameBitsWhateverElseIsComputed) {
  expect_the_same_bits_everywhere("");
}

TEST_F(LlamaEngineTest, AModelReadIntoMemoryGivesTheSameBitsAsAMappedOne) {
  const Request request = verdict_request("96", {"A", "B"});
  expect_same(run_one(*open({.mmap = false}), request), run_one(*open(), request));
}

TEST_F(LlamaEngineTest, AStoredCritiqueIsScoredAsItWasWhenWritten) {
  const auto engine = open();
  for (const int max_tokens : {3, 40}) {
    const Request request =
        critique_request("72 legs.", {"needs improvement", "needs work", "fine"}, max_tokens);
    const Result written = run_one(*engine, request);
    Request stored = request;
    stored.answer_start = answer_body(request, written.text);
    stored.max_tokens = 0;
    EXPECT_EQ(bits(run_one(*engine, stored).label_log_probs), bits(written.label_log_probs));
    EXPECT_EQ(bits(run_one(*open({.threads = 1}), stored).label_log_probs),
              bits(written.label_log_probs));
  }
}

TEST_F(LlamaEngineTest, ACritiqueCutByTheLimitIsSaidAndStillJudged) {
  const Result result = run_one(*open(), critique_request("72 legs.", {"A", "B"}, 3));
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.generated_tokens, 3);
  EXPECT_EQ(result.label_log_probs.size(), 2u);
}

TEST_F(LlamaEngineTest, GenerationEndsBeforeTheStopText) {
  const auto engine = open();
  Request request = critique_request("72 legs.", {}, 40);
  const std::string free = run_one(*engine, request).text;
  const size_t word = free.find(' ', 10) + 1;
  request.stop = free.substr(word, 5);
  const Result stopped = run_one(*engine, request);
  EXPECT_FALSE(stopped.truncated);
  EXPECT_EQ(stopped.text + " ", free.substr(0, free.find(request.stop))) << free;
}

TEST_F(LlamaEngineTest, PlainGenerationScoresNothing) {
  Request request;
  request.messages = {{"user", "Say hello."}};
  request.max_tokens = 100;
  const Result result = run_one(*open(), request);
  EXPECT_TRUE(result.label_log_probs.empty());
  EXPECT_FALSE(result.truncated) << "the model ends its answer itself: " << result.text;
  EXPECT_FALSE(result.text.empty());
  EXPECT_LT(result.generated_tokens, 100);
}

TEST_F(LlamaEngineTest, TextIsStreamedAsItIsWritten) {
  const auto engine = open();
  Request hello;
  hello.messages = {{"user", "Say hello."}};
  hello.max_tokens = 20;
  const std::vector<Request> requests = {critique_request("72 legs.", {"A", "B"}, 20),
                                         critique_request("96", {"A", "B"}, 20), hello};
  std::vector<std::string> streamed(requests.size());
  std::vector<std::string> texts(requests.size());
  Events events;
  events.text = [&](size_t request, std::string_view piece) { streamed[request] += piece; };
  events.results = [&](std::span<Completed> completed) {
    for (const Completed& one : completed) texts[one.request] = one.result.text;
  };
  engine->run(requests, events);
  for (size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(trim(streamed[i]), texts[i]);
}

TEST_F(LlamaEngineTest, TheSeedDecidesWhatIsSampled) {
  const auto engine = open();
  std::vector<Request> requests(4, critique_request("72 legs.", {"A", "B"}, 20));
  for (size_t i = 0; i < 4; ++i) requests[i].sampling = {.temperature = 1, .seed = i / 2};
  const std::vector<Result> results = run_all(*engine, requests);
  expect_same(results[1], results[0]);
  expect_same(results[3], results[2]);
  EXPECT_NE(results[0].text, results[2].text);
}

TEST_F(LlamaEngineTest, AVeryLowTemperatureIsGreedy) {
  const auto engine = open();
  Request request = critique_request("72 legs.", {"A", "B"}, 20);
  const Result greedy = run_one(*engine, request);
  request.sampling = {.temperature = 1e-6, .seed = 5};
  expect_same(run_one(*engine, request), greedy);
}

TEST_F(LlamaEngineTest, SharedBeginningsAreComputedOnce) {
  const auto engine = open();
  std::vector<Request> requests;
  for (int i = 0; i < 6; ++i) requests.push_back(verdict_request(std::to_string(i), {"A", "B"}));
  run_all(*engine, requests);
  const Counters counters = engine->counters();
  EXPECT_LT(counters.prompt_tokens_computed, counters.prompt_tokens / 2);
  EXPECT_GE(counters.prompt_tokens_computed, counters.prompt_tokens / 6);
  EXPECT_EQ(counters.generated_tokens, 0);
}

TEST_F(LlamaEngineTest, StopsSoonWhenTold) {
  const auto engine = open({.max_slots = 2});
  std::vector<Request> requests;
  for (int i = 0; i < 8; ++i)
    requests.push_back(critique_request(std::to_string(i), {"A", "B"}, 8));
  size_t results = 0;
  Events events;
  events.results = [&](std::span<Completed> completed) { results += completed.size(); };
  events.stop = [&] { return results > 0; };
  engine->run(requests, events);
  EXPECT_GE(results, 1u);
  EXPECT_LE(results, 4u);
  // The engine works on as if nothing had been.
  expect_same(run_one(*engine, requests[5]), run_one(*open(), requests[5]));
}

TEST_F(LlamaEngineTest, NothingToDoIsNothingDone) {
  const auto engine = open();
  EXPECT_TRUE(run_all(*engine, {}).empty());
  EXPECT_TRUE(engine->context_tokens({}).empty());
}

TEST_F(LlamaEngineTest, ARequestThatDoesNotFitIsRefusedWithBothNumbers) {
  const auto engine = open({.context_tokens = 512});
  std::string words;
  for (int i = 0; i < 600; ++i) words += "word ";
  const Request request = verdict_request(words, {"A", "B"});
  const std::int64_t need = engine->context_tokens(std::vector<Request>{request}).front();
  EXPECT_GT(need, 600);
  EXPECT_EQ(engine->context_limit(), 512);
  EXPECT_EQ(message_of<Error>([&] { run_one(*engine, request); }),
            "a request needs " + std::to_string(need) + " tokens, the context has 512");
}

// Without splitting it into tokens, which would take a gigabyte.
TEST_F(LlamaEngineTest, AHugeRequestIsKnownNotToFitByItsLength) {
  const Request request = verdict_request(std::string(30 << 20, 'x'), {"A", "B"});
  const auto engine = open();
  EXPECT_GT(engine->context_tokens(std::vector<Request>{request}).front(), engine->context_limit());
}

TEST_F(LlamaEngineTest, ARequestThatJustFitsRuns) {
  const Request request = critique_request("72 legs.", {"A", "B"}, 30);
  // Too small a context, so that the need is counted and not bounded.
  const std::int64_t need =
      open({.context_tokens = 128})->context_tokens(std::vector<Request>{request}).front();
  EXPECT_GT(need, 128);
  EXPECT_LT(need, open()->context_tokens(std::vector<Request>{request}).front());
  const auto engine = open({.context_tokens = need});
  expect_same(run_one(*engine, request), run_one(*open(), request));
}

// A chat template that takes messages to pieces, so that llama.cpp's engine forgets where they came
// from.
TEST_F(LlamaEngineTest, ControlTokensInDataStayTextWhateverTheTemplateDoes) {
  const auto engine = open(
      {.chat_template =
           "{% for part in messages[0].content.split(',') %}{{ part }}{% endfor %}<|im_end|>"});
  const auto prompt_tokens = [&](const std::string& content) {
    Request request;
    request.messages = {{"user", content}};
    request.mark = "Answer:";
    request.labels = {"Yes", "No"};
    return run_one(*engine, request).prompt_tokens;
  };
  EXPECT_EQ(prompt_tokens("a"), 2);
  // As text "<|im_end|>" is several tokens, as a control token it would be one.
  EXPECT_GT(prompt_tokens("<|im_end|>,a"), 5);
  EXPECT_EQ(prompt_tokens("<|im_end|>,a"), prompt_tokens("<|im_end|>a"));
}

TEST_F(LlamaEngineTest, AChatTemplateThatGivesNothingIsRefused) {
  const auto engine = open({.chat_template = "{{ messages[0].content }}"});
  Request request = verdict_request("", {"A", "B"});
  request.messages[0].content.clear();
  EXPECT_EQ(message_of<Error>([&] { run_one(*engine, request); }),
            path_.string() + ": the chat template gives an empty prompt");
}

// --- adapters ---

// A LoRA adapter on the query projection of the first layer.
std::string adapter_file(float value, std::uint64_t width, std::uint64_t rank = 2) {
  GgufBuilder file;
  file.text("general.architecture", "llama")
      .text("general.type", "adapter")
      .text("adapter.type", "lora");
  const float alpha = 2;
  file.entries.push_back(selene::testing::gguf_text("adapter.lora.alpha") +
                         selene::testing::le(std::uint32_t{6}) + selene::testing::le(alpha));
  std::vector<float> a(width * rank);
  std::vector<float> b(width * rank, value);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 7) / 70;
  file.floats("blk.0.attn_q.weight.lora_a", {width, rank}, a)
      .floats("blk.0.attn_q.weight.lora_b", {rank, width}, b);
  return file.build();
}

TEST_F(LlamaEngineTest, AnAdapterChangesScoresByItsScale) {
  const TemporaryFolder folder;
  const auto lora = folder.file("lora.gguf", adapter_file(0.05f, 576));
  const Request request = verdict_request("96", {"A", "B"});
  const std::vector<double> base = run_one(*open(), request).label_log_probs;
  const std::vector<double> adapted = run_one(*open({.adapter = lora}), request).label_log_probs;
  EXPECT_NE(bits(adapted), bits(base));
  EXPECT_EQ(bits(run_one(*open({.adapter = lora}), request).label_log_probs), bits(adapted));
  EXPECT_NE(bits(run_one(*open({.adapter = lora, .adapter_scale = 2}), request).label_log_probs),
            bits(adapted));
  const auto zero = folder.file("zero.gguf", adapter_file(0, 576));
  EXPECT_EQ(bits(run_one(*open({.adapter = zero}), request).label_log_probs), bits(base));
}

TEST_F(LlamaEngineTest, ResultsWithAnAdapterAreTheSameBitsWhateverElseIsComputed) {
  const TemporaryFolder folder;
  expect_the_same_bits_everywhere(folder.file("lora.gguf", adapter_file(0.01f, 576, 16)));
}

TEST_F(LlamaEngineTest, AnAdapterOfAnotherShapeIsRefused) {
  const TemporaryFolder folder;
  const auto lora = folder.file("lora.gguf", adapter_file(1, 64));
  const std::string message = message_of<Error>([&] {
    run_one(*open({.adapter = lora}), verdict_request("a", {"A", "B"}));
  });
  EXPECT_EQ(message.rfind(lora.string() + ": the adapter does not fit the model: ", 0), 0u)
      << message;
  EXPECT_NE(message.find("incorrect shape"), std::string::npos) << message;
}

}  // namespace
}  // namespace selene::engine
