#include "engine/drafter.h"

#include <algorithm>

namespace selene::engine {
namespace {

constexpr size_t kLongest = 3;            // Tokens looked at before the one guessed.
constexpr size_t kMostEntries = 4 << 20;  // Bounds the memory; then it begins anew.

// A digest of the last `length` tokens; two that collide only cost a wrong guess.
std::uint64_t digest(std::span<const Token> tokens, size_t length) {
  std::uint64_t hash = 0xCBF29CE484222325ull + length;
  for (Token token : tokens.last(length)) {
    hash = (hash ^ static_cast<std::uint32_t>(token)) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

void Drafter::learn(std::span<const Token> tokens, size_t from) {
  if (next_.size() > kMostEntries) next_.clear();
  for (size_t end = std::max<size_t>(from, 1); end < tokens.size(); ++end) {
    for (size_t length = 1; length <= std::min(kLongest, end); ++length) {
      next_[digest(tokens.first(end), length)] = tokens[end];
    }
  }
}

std::vector<Token> Drafter::guess(std::span<const Token> tokens, size_t count) const {
  const size_t known = std::min(tokens.size(), kLongest);
  std::vector<Token> recent(tokens.end() - static_cast<std::ptrdiff_t>(known), tokens.end());
  std::vector<Token> guesses;
  while (guesses.size() < count) {
    Token next = recent.back();
    for (size_t length = std::min(recent.size(), kLongest); length > 0; --length) {
      if (const auto found = next_.find(digest(recent, length)); found != next_.end()) {
        next = found->second;
        break;
      }
    }
    guesses.push_back(next);
    recent.push_back(next);
  }
  return guesses;
}

}  // namespace selene::engine
