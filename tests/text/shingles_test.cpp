#include "text/shingles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

namespace selene::text {
namespace {

using Set = std::vector<std::uint64_t>;

Set shingles(std::string_view text, size_t size = 2) {
  Set set;
  Shingler(size).shingles(text, set);
  return set;
}

std::vector<std::uint64_t> runs(RunHasher& hasher, std::string_view text) {
  Words words;
  words.read(text);
  const auto found = hasher.runs(words);
  return {found.begin(), found.end()};
}

// A hash says which words in which order, wherever they stand, and a second text does not
// remember the first.
TEST(RunHasher, ARunHasOneHashWhereverItStands) {
  RunHasher hasher(3);
  const auto long_text = runs(hasher, "x y a b c z");
  ASSERT_EQ(long_text.size(), 4u);
  EXPECT_EQ(runs(hasher, "a b c"), std::vector{long_text[2]});
  EXPECT_NE(runs(hasher, "c b a"), std::vector{long_text[2]});
  EXPECT_TRUE(runs(hasher, "a b").empty());
  EXPECT_TRUE(runs(hasher, "").empty());
  RunHasher single(1);
  EXPECT_EQ(runs(single, "a bb a").size(), 3u);
}

// Words of every length up to 40, of one letter and each with one letter changed.
TEST(RunHasher, EveryLetterOfAWordCounts) {
  RunHasher hasher(1);
  std::set<std::uint64_t> hashes;
  size_t words = 0;
  for (size_t length = 1; length <= 40; ++length) {
    const std::string word(length, 'a');
    for (size_t at = 0; at <= length; ++at) {
      std::string changed = word;
      if (at < length) changed[at] = 'b';
      const auto hash = runs(hasher, changed + " the next");
      hashes.insert(hash[0]);
      ++words;
      EXPECT_EQ(runs(hasher, "before " + changed)[1], hash[0]);
    }
  }
  EXPECT_EQ(hashes.size(), words);
}

// Three words of a hundred: all of the million runs differ.
TEST(RunHasher, HashesOfRunsDiffer) {
  std::string text;
  RunHasher hasher(3);
  std::vector<std::uint64_t> hashes;
  for (int a = 0; a < 100; ++a) {
    for (int b = 0; b < 100; ++b) {
      text.clear();
      for (int c = 0; c < 100; ++c) text += fmt::format("{} {} {} ", a, b, c);
      const auto found = runs(hasher, text);
      for (size_t i = 0; i < found.size(); i += 3) hashes.push_back(found[i]);
    }
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()) - hashes.begin(), 1000000);
}

TEST(Shingler, GivesASortedSet) {
  const Set set = shingles("a b a b a b");
  EXPECT_EQ(set.size(), 2u);
  EXPECT_TRUE(std::is_sorted(set.begin(), set.end()));
  EXPECT_EQ(set, shingles("A, b... a b"));
}

TEST(Shingler, AShortTextIsOneShingle) {
  EXPECT_EQ(shingles("yes").size(), 1u);
  EXPECT_NE(shingles("yes"), shingles("no"));
  EXPECT_EQ(shingles("Yes!"), shingles("yes"));
  EXPECT_TRUE(shingles("?!").empty());
}

// Where there are no spaces a change of a character is as small as one of a word elsewhere.
TEST(Shingler, TakesCharactersWhereThereAreNoSpaces) {
  const struct {
    const char* text;
    const char* changed;  // One character.
    size_t shingles;      // Of three characters: two fewer than those.
  } cases[] = {
      {"今日は天気がいいので、公園まで歩いて行きました。",
       "今日は天気がいいので、駅前まで歩いて行きました。", 20},
      {"这个回答很清楚，但是没有说明数据来自哪里。", "这个回答很清楚，但是没有说明数字来自哪里。",
       17},
      {"คำตอบชัดเจน แต่ไม่ได้บอกว่าตัวเลขมาจากไหน", "คำตอบชัดเจน แต่ไม่ได้บอกว่าตัวเลขมาจากใหน", 32},
  };
  for (const auto& one : cases) {
    const Set set = shingles(one.text, 3);
    EXPECT_EQ(set.size(), one.shingles) << one.text;
    const double similarity = jaccard(set, shingles(one.changed, 3));
    EXPECT_GT(similarity, 0.5) << one.text;
    EXPECT_LT(similarity, 1) << one.text;
    EXPECT_EQ(jaccard(set, shingles(std::string(one.text) + "\n", 3)), 1);
  }
}

TEST(Jaccard, IsSharedOverAll) {
  EXPECT_DOUBLE_EQ(jaccard(Set{1, 2, 3}, Set{2, 3, 4}), 2.0 / 4);
  EXPECT_DOUBLE_EQ(jaccard(Set{1, 2}, Set{1, 2}), 1);
  EXPECT_DOUBLE_EQ(jaccard(Set{1}, Set{}), 0);
  EXPECT_DOUBLE_EQ(jaccard(Set{}, Set{}), 1);
}

}  // namespace
}  // namespace selene::text
