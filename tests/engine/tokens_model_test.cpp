// Token ids of the default model's chat template, against ids that transformers made
// (make_chat_ids.py).
#include "engine/tokens.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "chat_cases.h"
#include "core/digest.h"
#include "core/lock.h"
#include "default_model.h"
#include "vocab.h"

namespace selene::engine {
namespace {

namespace fs = std::filesystem;
using selene::testing::fixture_rows;
using selene::testing::json_rows;
using selene::testing::messages_of;
using selene::testing::Vocab;

class DefaultTokens : public selene::testing::DefaultModelTest {
 protected:
  void SetUp() override {
    DefaultModelTest::SetUp();
    if (IsSkipped()) return;
    if (sha256_file_cached(path_) != lock_value("smollm2-135m-instruct", "q8_0_sha256")) {
      GTEST_SKIP() << "SKIPPED: SELENE_MODEL is not the default model; unset it, then: selene "
                      "models pull default";
    }
    vocab_ = std::make_unique<Vocab>(path_);
    tokenizer_ = std::make_unique<Tokenizer>(vocab_->get());
    chat_template_ = std::make_unique<ChatTemplate>(ChatTemplate::Options{
        .source = vocab_->chat_template(), .bos_token = vocab_->bos(), .eos_token = vocab_->eos()});
  }

  std::vector<Token> ids(const std::vector<Message>& messages) const {
    return tokenizer_->tokens(tokenizer_->prompt(chat_template_->render(messages)), "");
  }

  std::unique_ptr<Vocab> vocab_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<ChatTemplate> chat_template_;
};

TEST_F(DefaultTokens, OfEveryConversationAreThoseOfTransformers) {
  const auto rows = fixture_rows("chat_ids.jsonl");
  EXPECT_GE(rows.size(), 60u);
  for (const auto& row : rows) {
    EXPECT_EQ(ids(messages_of(row)), row.at("ids").get<std::vector<Token>>()) << row.at("name");
  }
}

TEST_F(DefaultTokens, OfEveryOfficialPromptAreThoseOfTransformers) {
  const fs::path work = fs::path(SELENE_SOURCE_DIR) / "../shared/perf/judge_work.jsonl";
  if (!fs::exists(work))
    GTEST_SKIP() << "SKIPPED: no " << work << "; the prompts are not part of the repository";
  const auto prompts = json_rows(work);
  const auto expected = fixture_rows("judge_work_ids.jsonl");
  ASSERT_EQ(prompts.size(), expected.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<Token> tokens = ids({{"user", prompts[i].at("prompt").get<std::string>()}});
    EXPECT_EQ(expected[i].at("id"), prompts[i].at("id"));
    EXPECT_EQ(tokens.size(), expected[i].at("tokens").get<size_t>());
    EXPECT_EQ(sha256(fmt::format("{}", fmt::join(tokens, ","))), expected[i].at("sha256"))
        << prompts[i].at("id");
  }
}

// Whatever a message says, the control ids of a prompt are the template's own, in its order.
TEST_F(DefaultTokens, ControlTokensInMessagesNeverBecomeControlIds) {
  constexpr Token kFirstText = 17;  // SmolLM2's control tokens are 0 to 16.
  std::vector<std::string> hostile;
  for (Token token = 0; token < kFirstText; ++token) {
    const std::string text = vocab_->text(token);
    hostile.insert(hostile.end(), {text, "a" + text + "b", text + text, "\n" + text + "assistant\n",
                                   text.substr(1)});
  }
  const auto control_ids = [](const std::vector<Token>& tokens) {
    std::vector<Token> found;
    std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(found),
                 [](Token t) { return t < kFirstText; });
    return found;
  };
  const auto chat = [](const std::string& text) {
    return std::vector<Message>{
        {"system", text}, {"user", text}, {"assistant", text}, {"user", text}};
  };
  const std::vector<Token> expected = control_ids(ids(chat("x")));
  EXPECT_EQ(expected, (std::vector<Token>{1, 2, 1, 2, 1, 2, 1, 2, 1}));
  for (const std::string& text : hostile) EXPECT_EQ(control_ids(ids(chat(text))), expected) << text;
}

TEST_F(DefaultTokens, TheAnswerIsTokenisedWithThePromptAsOneText) {
  const PromptText prompt =
      tokenizer_->prompt(chat_template_->render(std::vector<Message>{{"user", "Hi"}}));
  EXPECT_EQ(prompt.tail, "assistant\n");
  EXPECT_EQ(prompt.head.back(), 1);
  // The template's line break and the answer's first become one token; cut between them they would
  // be two.
  const std::vector<Token> tokens = tokenizer_->tokens(prompt, "\n\nYes");
  std::vector<Token> cut = tokenizer_->tokens(prompt, "");
  const std::vector<Token> answer = tokenizer_->tokens({}, "\n\nYes");
  cut.insert(cut.end(), answer.begin(), answer.end());
  EXPECT_EQ(tokens, tokenizer_->tokens({prompt.head, "assistant\n\n\nYes"}, ""));
  EXPECT_LT(tokens.size(), cut.size());
}

TEST_F(DefaultTokens, AnswersEndAtControlTokensOnly) {
  EXPECT_TRUE(tokenizer_->ends_answer(0));
  EXPECT_TRUE(tokenizer_->ends_answer(2));
  EXPECT_TRUE(tokenizer_->ends_answer(16));
  EXPECT_FALSE(tokenizer_->ends_answer(17));
  EXPECT_EQ(tokenizer_->piece(2), "");
  EXPECT_EQ(tokenizer_->control_text(2), "<|im_end|>");
  EXPECT_EQ(tokenizer_->control_text(-1), "");
}

}  // namespace
}  // namespace selene::engine
