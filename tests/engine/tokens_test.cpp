// The tokenizer on Llama 3's vocabulary, which llama.cpp's source carries with texts and their ids.
#include "engine/tokens.h"

#include <gtest/gtest.h>

#include <sstream>

#include "chat_cases.h"
#include "temporary_folder.h"
#include "vocab.h"

namespace selene::engine {
namespace {

using selene::testing::fixture_rows;
using selene::testing::llama_source;
using selene::testing::messages_of;
using selene::testing::slurp;
using selene::testing::Vocab;

class Llama3Tokens : public ::testing::Test {
 protected:
  std::vector<Token> ids(const std::vector<TextPart>& parts) const {
    return tokenizer_.tokens(tokenizer_.prompt(parts), "");
  }

  Vocab vocab_{llama_source("models/ggml-vocab-llama-bpe.gguf")};
  Tokenizer tokenizer_{vocab_.get()};
};

// ggml-vocab-llama-bpe.gguf.inp and .out: texts with a line between them, and the ids of each, one
// text a line.
TEST_F(Llama3Tokens, OfEveryTextAreThoseOfLlamaCppsOwnTest) {
  constexpr std::string_view kBetween = "\n__ggml_vocab_test__\n";
  std::string texts = slurp(llama_source("models/ggml-vocab-llama-bpe.gguf.inp"));
  std::istringstream lines(slurp(llama_source("models/ggml-vocab-llama-bpe.gguf.out")));
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const size_t end = texts.find(kBetween);
    ASSERT_NE(end, std::string::npos);
    const std::string text = texts.substr(0, end);
    texts.erase(0, end + kBetween.size());
    std::istringstream numbers(line);
    const std::vector<Token> expected{std::istream_iterator<Token>(numbers), {}};
    EXPECT_EQ(ids({{text, true}}), expected) << text;
    EXPECT_EQ(ids({{text, false}}), expected) << text;
  }
  EXPECT_GT(count, 40u);
}

TEST_F(Llama3Tokens, OfRenderedChatsAreThoseOfTransformers) {
  const std::string source =
      slurp(llama_source("models/templates/meta-llama-Llama-3.1-8B-Instruct.jinja"));
  const Token bos = 128000;
  for (const auto& row : fixture_rows("llama31_chats.jsonl")) {
    ChatTemplate::Options options{
        .source = source, .bos_token = vocab_.bos(), .eos_token = vocab_.eos()};
    options.control_tokens = tokenizer_.control_texts();
    if (row.at("name") == "other-date") options.date = "2025-02-01";
    const std::vector<Token> tokens = ids(ChatTemplate(options).render(messages_of(row)));
    EXPECT_EQ(tokens, row.at("ids").get<std::vector<Token>>()) << row.at("name");
    EXPECT_EQ(tokens.front(), bos);
    EXPECT_EQ(std::count(tokens.begin(), tokens.end(), bos), 1) << row.at("name");
  }
}

TEST_F(Llama3Tokens, ControlTokensCountOnlyInTheTemplatesParts) {
  const Token eot = 128009;
  EXPECT_EQ(ids({{"<|eot_id|>", false}}), std::vector<Token>{eot});
  const std::vector<Token> plain = ids({{"<|eot_id|>", true}});
  EXPECT_GT(plain.size(), 1u);
  EXPECT_EQ(std::count(plain.begin(), plain.end(), eot), 0);
  // Half from a message and half from the template is no control token either.
  EXPECT_EQ(ids({{"<|eot", true}, {"_id|>", false}}), plain);
  EXPECT_EQ(ids({{"<|eot", false}, {"_id|>", true}}), plain);
}

TEST_F(Llama3Tokens, TextBetweenControlTokensIsOneRunWhereverItCameFrom) {
  EXPECT_EQ(ids({{"Hel", true}, {"lo wor", false}, {"ld", true}}), ids({{"Hello world", true}}));
  EXPECT_EQ(ids({{"a<|eot_id|>b", false}}).size(), 3u);
  const PromptText prompt =
      tokenizer_.prompt(std::vector<TextPart>{{"a<|eot_id|>b", false}, {"<|eot_id|>c", true}});
  EXPECT_EQ(prompt.head.size(), 2u);
  EXPECT_EQ(prompt.tail, "b<|eot_id|>c");
}

TEST_F(Llama3Tokens, NothingGivesNothing) {
  EXPECT_TRUE(ids({}).empty());
  EXPECT_TRUE(ids({{"", false}, {"", true}}).empty());
}

TEST_F(Llama3Tokens, PiecesAreTheBytesOfText) {
  const std::string text = "naïve 😀 \xE4\xBD\xA0 \t\r\n 123456 \x01";
  std::string pieces;
  for (const Token token : ids({{text, true}})) {
    EXPECT_FALSE(tokenizer_.ends_answer(token));
    pieces += tokenizer_.piece(token);
  }
  EXPECT_EQ(pieces, text);
  EXPECT_EQ(tokenizer_.piece(128009), "");
  EXPECT_TRUE(tokenizer_.ends_answer(128009));  // <|eot_id|>
  EXPECT_TRUE(tokenizer_.ends_answer(
      128006));  // <|start_header_id|>: no text, though no end token of the model.
}

TEST_F(Llama3Tokens, LongTextsAreWholeTexts) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "word " + std::to_string(i) + "\n";
  std::string pieces;
  for (const Token token : ids({{text, true}})) pieces += tokenizer_.piece(token);
  EXPECT_EQ(pieces, text);
}

}  // namespace
}  // namespace selene::engine
