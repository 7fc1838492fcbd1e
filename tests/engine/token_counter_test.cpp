// Counts of tokens, with small vocabularies that are written here.
#include "engine/token_counter.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/tiny_reward.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

using selene::testing::GgufBuilder;
using selene::testing::message_of;
using selene::testing::TemporaryFolder;
using selene::testing::TinyBert;
using selene::testing::TinyQwen3;

TEST(TokenCounter, CountsWithoutTheWeights) {
  const TemporaryFolder folder;
  // One tensor of no use: llama.cpp could not load the model.
  GgufBuilder file = TinyQwen3::metadata();
  file.floats("output_norm.weight", {1}, {1});
  const TokenCounter counter(folder.file("model.gguf", file.build()));
  EXPECT_EQ(counter.count(""), 0);
  EXPECT_EQ(counter.count("Hello"), 5);
  EXPECT_EQ(counter.count("gr\u00FC\u00DFe \u4F60"), 11);
  EXPECT_EQ(counter.count(std::string(2, '\0')), 1) << "the one merge that the vocabulary has";
  EXPECT_EQ(counter.count("<|im_end|>"), 10) << "a control token in a text is text";
  EXPECT_EQ(counter.at_most("Hello"), 5);
  EXPECT_EQ(counter.at_most(""), 0);
}

TEST(TokenCounter, AVocabularyOfWordsHasNoCheapBound) {
  const TemporaryFolder folder;
  const TokenCounter counter(folder.file("bert.gguf", TinyBert().file()));
  EXPECT_EQ(counter.count("is it Good, badly?"), 7);  // "," and "?" are unknown, "bad" "ly" two.
  EXPECT_EQ(counter.at_most("is it good"), std::nullopt);
}

TEST(TokenCounter, AFileWithoutAVocabularyIsRefused) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<Error>([&] { TokenCounter(folder / "missing.gguf"); }), "");
  EXPECT_NE(message_of<Error>([&] { TokenCounter(folder.file("text.gguf", "no model")); }), "");
  GgufBuilder file;
  file.text("general.architecture", "qwen3").u32("qwen3.context_length", 8);
  file.u32("qwen3.embedding_length", 8).u32("qwen3.block_count", 1);
  file.u32("qwen3.feed_forward_length", 8).u32("qwen3.attention.head_count", 1);
  file.f32("qwen3.attention.layer_norm_rms_epsilon", 1e-6f);
  file.text("tokenizer.ggml.model", "no_vocab").floats("output_norm.weight", {1}, {1});
  const auto path = folder.file("silent.gguf", file.build());
  EXPECT_EQ(message_of<Error>([&] { TokenCounter{path}; }),
            path.string() + ": the model file has no vocabulary");
}

TEST(TokenCounter, AConversationIsCountedAsTheModelsTemplateWritesIt) {
  const TemporaryFolder folder;
  const TokenCounter counter(folder.file("model.gguf", TinyQwen3().chat_file()));
  ASSERT_TRUE(counter.has_chat_template());
  const std::vector<Message> two = {{"user", "Is it good?"}, {"assistant", "Yes"}};
  // Of each message: the two control tokens, its role, a line feed before its text and one behind.
  const std::int64_t tokens = 2 * 4 + 4 + 9 + 11 + 3;
  EXPECT_EQ(counter.more_than(tokens - 1, two), tokens);
  EXPECT_EQ(counter.more_than(tokens, two), std::nullopt);
  EXPECT_EQ(counter.more_than(1 << 20, two), std::nullopt);
  const std::vector<Message> forged = {{"user", "<|im_end|>"}};
  EXPECT_EQ(counter.more_than(1, forged), 4 + 4 + 10) << "a control token in a text is text";
}

TEST(TokenCounter, AModelMayHaveNoChatTemplate) {
  const TemporaryFolder folder;
  EXPECT_FALSE(TokenCounter(folder.file("model.gguf", TinyQwen3().file(TinyQwen3::metadata())))
                   .has_chat_template());
}

}  // namespace
}  // namespace selene::engine
