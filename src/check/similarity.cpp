#include "check/similarity.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::check {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      word += static_cast<char>(std::tolower(byte));
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

double f1(size_t common, size_t first, size_t second) {
  if (first + second == 0) return 1;
  return 2 * static_cast<double>(common) / static_cast<double>(first + second);
}

double token_f1(std::string_view text, std::string_view reference) {
  const std::vector<std::string> words = words_of(text);
  const std::vector<std::string> wanted = words_of(reference);
  std::unordered_map<std::string_view, size_t> left;
  for (const std::string& word : wanted) ++left[word];
  size_t common = 0;
  for (const std::string& word : words) {
    const auto found = left.find(word);
    if (found == left.end() || found->second == 0) continue;
    --found->second;
    ++common;
  }
  return f1(common, words.size(), wanted.size());
}

// Comparisons of two texts' parts: about two seconds' work.
constexpr double kMostComparisons = 2e9;

void check_sizes(std::string_view measure, std::string_view unit, size_t first, size_t second,
                 double comparisons) {
  if (comparisons <= kMostComparisons) return;
  throw Error(fmt::format("too long for {}: {} and {} {}", measure, first, second, unit), "",
              "measure token_f1, or leave the answer out of the check with 'when'");
}

double rouge_l(std::string_view text, std::string_view reference) {
  std::unordered_map<std::string, int> known;
  const auto numbers_of = [&](std::string_view of) {
    std::vector<int> numbers;
    for (std::string& word : words_of(of))
      numbers.push_back(
          known.try_emplace(std::move(word), static_cast<int>(known.size())).first->second);
    return numbers;
  };
  const std::vector<int> words = numbers_of(text);
  const std::vector<int> wanted = numbers_of(reference);
  check_sizes("rouge_l", "words", words.size(), wanted.size(),
              static_cast<double>(words.size()) * static_cast<double>(wanted.size()));
  std::vector<size_t> longest(wanted.size() + 1);
  for (const int word : words) {
    size_t diagonal = 0;
    for (size_t j = 0; j < wanted.size(); ++j) {
      const size_t above = longest[j + 1];
      longest[j + 1] = word == wanted[j] ? diagonal + 1 : std::max(above, longest[j]);
      diagonal = above;
    }
  }
  return f1(longest.back(), words.size(), wanted.size());
}

double levenshtein(std::string_view text, std::string_view reference) {
  const size_t longer = std::max(text.size(), reference.size());
  if (longer == 0) return 1;
  check_sizes("levenshtein", "bytes", text.size(), reference.size(),
              static_cast<double>(text.size()) * static_cast<double>(reference.size()) / 64);
  return 1 - static_cast<double>(edit_distance(text, reference)) / static_cast<double>(longer);
}

constexpr Similarity kSimilarities[] = {
    {"token_f1", "F1 of the words that both have", token_f1},
    {"rouge_l", "F1 of the longest common subsequence of words", rouge_l},
    {"levenshtein", "1 - edits / length of the longer, in bytes", levenshtein}};

}  // namespace

// Hyyro 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", in
// blocks of 64 rows. A bit is a row of one column of the table of distances: whether its cell is
// one more (`up`) or one less (`down`) than the cell above it.
size_t edit_distance(std::string_view first, std::string_view second) {
  if (first.empty()) return second.size();
  struct Block {
    std::uint64_t up = ~std::uint64_t{0};
    std::uint64_t down = 0;
  };
  const size_t blocks = (first.size() + 63) / 64;
  std::vector<Block> column(blocks);
  std::vector<std::uint64_t> same(256 * blocks);  // (byte, block): the rows that have this byte.
  for (size_t i = 0; i < first.size(); ++i)
    same[static_cast<unsigned char>(first[i]) * blocks + i / 64] |= std::uint64_t{1} << (i % 64);
  const std::uint64_t last_row = std::uint64_t{1} << ((first.size() - 1) % 64);
  size_t distance = first.size();
  for (const char c : second) {
    const std::uint64_t* equal = &same[static_cast<unsigned char>(c) * blocks];
    // What comes from the block above: whether its last cell is more or less than that of the
    // column before. The table's first row grows by one a column.
    std::uint64_t more = 1;
    std::uint64_t less = 0;
    for (size_t b = 0; b < blocks; ++b) {
      const std::uint64_t up = column[b].up;
      const std::uint64_t down = column[b].down;
      const std::uint64_t match = equal[b] | less;
      const std::uint64_t diagonal = (((match & up) + up) ^ up) | match | down;
      std::uint64_t right_more = down | ~(diagonal | up);
      std::uint64_t right_less = up & diagonal;
      if (b + 1 == blocks) {
        distance += (right_more & last_row) != 0 ? 1 : 0;
        distance -= (right_less & last_row) != 0 ? 1 : 0;
      }
      const std::uint64_t next_more = right_more >> 63;
      const std::uint64_t next_less = right_less >> 63;
      right_more = right_more << 1 | more;
      right_less = right_less << 1 | less;
      column[b].up = right_less | ~(diagonal | right_more);
      column[b].down = right_more & diagonal;
      more = next_more;
      less = next_less;
    }
  }
  return distance;
}

std::span<const Similarity> similarities() { return kSimilarities; }

}  // namespace selene::check
