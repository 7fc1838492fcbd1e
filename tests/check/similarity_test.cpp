#include "check/similarity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "check/failing.h"

namespace selene::check {
namespace {

double measure(std::string_view name, std::string_view text, std::string_view reference) {
  for (const Similarity& one : similarities()) {
    if (one.name == name) return one.measure(text, reference);
  }
  throw std::logic_error("no such measure");
}

TEST(Similarity, TokenF1CountsSharedWords) {
  // 2 of 3 and 2 of 2 words: 2 * 2 / (3 + 2).
  EXPECT_DOUBLE_EQ(measure("token_f1", "the cat sat", "The cat."), 0.8);
  EXPECT_DOUBLE_EQ(measure("token_f1", "a a a", "a"), 0.5);  // A word counts as often as in both.
}

TEST(Similarity, RougeLKeepsTheOrder) {
  // Lin 2004, section 3.1: "police killed the gunman" against "police kill the gunman" (3 of 4)
  // and "the gunman kill police" (2 of 4).
  EXPECT_DOUBLE_EQ(measure("rouge_l", "police kill the gunman", "police killed the gunman"), 0.75);
  EXPECT_DOUBLE_EQ(measure("rouge_l", "the gunman kill police", "police killed the gunman"), 0.5);
}

TEST(Similarity, LevenshteinIsOfTheLonger) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_DOUBLE_EQ(measure("levenshtein", "kitten", "sitting"), 1 - 3.0 / 7);
}

// The recurrence as Wagner and Fischer (1974) wrote it.
size_t plain_edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  std::iota(table[0].begin(), table[0].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j)
      table[i][j] = std::min({table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1),
                              table[i - 1][j] + 1, table[i][j - 1] + 1});
  }
  return table[a.size()][b.size()];
}

TEST(Similarity, EditsAreThoseOfTheTableWhateverTheLengths) {
  std::mt19937 random(7);
  const auto text = [&](size_t size) {
    std::string made;
    while (made.size() < size) made += static_cast<char>('a' + random() % 3);
    return made;
  };
  for (const size_t a : {0, 1, 63, 64, 65, 127, 128, 129, 200}) {
    for (const size_t b : {0, 1, 64, 70, 128, 190}) {
      const std::string first = text(a);
      const std::string second = text(b);
      EXPECT_EQ(edit_distance(first, second), plain_edit_distance(first, second)) << a << " " << b;
    }
  }
}

TEST(Similarity, LongTextsAreComparedAndHugeOnesRefused) {
  const std::string long_text(100'000, 'a');
  EXPECT_EQ(edit_distance(long_text, long_text + "b"), 1U);
  const std::string huge(2'000'000, 'a');
  EXPECT_EQ(testing::error_of([&] { measure("levenshtein", huge, huge); }),
            "too long for levenshtein: 2000000 and 2000000 bytes; measure token_f1, or leave the "
            "answer out of the check with 'when'");
  std::string words;
  for (int i = 0; i < 50'000; ++i) words += "a ";
  EXPECT_EQ(testing::error_of([&] { measure("rouge_l", words, words); }).substr(0, 46),
            "too long for rouge_l: 50000 and 50000 words; m");
}

TEST(Similarity, AllAreOneForEqualsAndZeroForStrangers) {
  for (const Similarity& one : similarities()) {
    EXPECT_EQ(one.measure("", ""), 1) << one.name;
    EXPECT_EQ(one.measure("caf\u00E9 one", "caf\u00E9 one"), 1) << one.name;
    EXPECT_EQ(one.measure("xyz", "abc"), 0) << one.name;
    EXPECT_EQ(one.measure("", "abc"), 0) << one.name;
  }
}

}  // namespace
}  // namespace selene::check
