#include "check/similarity.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

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

double rouge_l(std::string_view text, std::string_view reference) {
  const std::vector<std::string> words = words_of(text);
  const std::vector<std::string> wanted = words_of(reference);
  std::vector<size_t> longest(wanted.size() + 1);
  for (const std::string& word : words) {
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
  return 1 - static_cast<double>(edit_distance(text, reference)) / static_cast<double>(longer);
}

constexpr Similarity kSimilarities[] = {
    {"token_f1", "F1 of the words that both have", token_f1},
    {"rouge_l", "F1 of the longest common subsequence of words", rouge_l},
    {"levenshtein", "1 - edits / length of the longer, in bytes", levenshtein}};

}  // namespace

size_t edit_distance(std::string_view first, std::string_view second) {
  std::vector<size_t> row(second.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < first.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < second.size(); ++j) {
      const size_t changed = diagonal + (first[i] == second[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::span<const Similarity> similarities() { return kSimilarities; }

}  // namespace selene::check
