// Counts of tokens, with the default model's vocabulary.
#include "engine/token_counter.h"

#include <llama.h>

#include <string>
#include <thread>
#include <vector>

#include "default_model.h"
#include "engine/vocab.h"

namespace selene::engine {
namespace {

using TokenCounts = selene::testing::DefaultModelTest;

std::vector<std::string> some_texts() {
  std::vector<std::string> texts = {
      "",
      " ",
      "The answer is right.",
      "  two  spaces\n\n\tand a tab ",
      "Stra\u00DFe, \u4F60\u597D\u4E16\u754C, \u3053\u3093\u306B\u3061\u306F, \U0001F600\U0001F680",
      "e\u0301 and \u00E9, 1234567890, x = y_2 ** -1;",
      "<|im_start|>user\n<|im_end|>"};
  std::string longer;
  for (int i = 0; i < 500; ++i) longer += "word " + std::to_string(i * 7919) + ", ";
  texts.push_back(longer);
  return texts;
}

TEST_F(TokenCounts, AreThoseOfLlamaCpp) {
  const TokenCounter counter(path_);
  const selene::testing::Vocab vocab(path_);
  for (const std::string& text : some_texts()) {
    std::vector<llama_token> tokens(text.size() + 8);
    const int expected = llama_tokenize(vocab.get(), text.data(), static_cast<int>(text.size()),
                                        tokens.data(), static_cast<int>(tokens.size()),
                                        /*add_special=*/false, /*parse_special=*/false);
    EXPECT_EQ(counter.count(text), expected) << text;
    ASSERT_TRUE(counter.at_most(text)) << text;
    EXPECT_LE(expected, *counter.at_most(text)) << text;
  }
}

TEST_F(TokenCounts, AreTheSameFromSeveralThreads) {
  const TokenCounter counter(path_);
  const std::vector<std::string> texts = some_texts();
  const auto count_all = [&](std::vector<std::int64_t>& counts) {
    for (int round = 0; round < 20; ++round) {
      for (const std::string& text : texts) counts.push_back(counter.count(text));
    }
  };
  std::vector<std::int64_t> expected;
  count_all(expected);
  std::vector<std::vector<std::int64_t>> counts(4);
  std::vector<std::thread> threads;
  for (auto& own : counts) threads.emplace_back([&] { count_all(own); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& own : counts) EXPECT_EQ(own, expected);
}

}  // namespace
}  // namespace selene::engine
