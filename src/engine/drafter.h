// Guesses of the next tokens from what was written before. A guess never changes a result: the
// model checks it in the pass that computes the token before it (speculative decoding by look-up,
// as in prompt lookup decoding and arXiv 2211.17192 with a table for a draft model). Critiques
// repeat the prompt and one another, so many guesses hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/label_tree.h"

namespace selene::engine {

class Drafter {
 public:
  // Learns from `tokens` the ends of all runs of two, three and four tokens that end at or after
  // `from`.
  void learn(std::span<const Token> tokens, size_t from);
  // `count` guesses of what follows `tokens` (not empty). Where nothing is known the last token is
  // repeated.
  std::vector<Token> guess(std::span<const Token> tokens, size_t count) const;

 private:
  std::unordered_map<std::uint64_t, Token> next_;  // Of a digest of the tokens before.
};

}  // namespace selene::engine
