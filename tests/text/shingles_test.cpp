#include "text/shingles.h"

#include <gtest/gtest.h>

#include <set>

namespace selene::text {
namespace {

using Set = std::vector<std::uint64_t>;

std::vector<std::string> runs_of(std::string_view words, size_t size) {
  RunHasher hasher(size);
  std::vector<std::string> runs;
  hasher.runs(words, [&](std::uint64_t, size_t begin, size_t end) {
    runs.emplace_back(words.substr(begin, end - begin));
    return true;
  });
  return runs;
}

Set shingles(std::string_view text, size_t size = 2) {
  Set set;
  Shingler(size).shingles(text, set);
  return set;
}

TEST(RunHasher, GivesEveryRunInOrder) {
  EXPECT_EQ(runs_of("a bb c d", 2), (std::vector<std::string>{"a bb", "bb c", "c d"}));
  EXPECT_EQ(runs_of("a bb c", 3), std::vector<std::string>{"a bb c"});
  EXPECT_EQ(runs_of("a bb c", 1), (std::vector<std::string>{"a", "bb", "c"}));
  EXPECT_TRUE(runs_of("a bb", 3).empty());
  EXPECT_TRUE(runs_of("", 1).empty());
}

// A hash says which words in which order, wherever they stand, and a second text does not
// remember the first.
TEST(RunHasher, ARunHasOneHashWhereverItStands) {
  RunHasher hasher(3);
  std::vector<std::uint64_t> hashes;
  const auto add = [&](std::uint64_t hash, size_t, size_t) {
    hashes.push_back(hash);
    return true;
  };
  hasher.runs("x y a b c z", add);
  hasher.runs("a b c", add);
  hasher.runs("c b a", add);
  ASSERT_EQ(hashes.size(), 6u);
  EXPECT_EQ(hashes[2], hashes[4]);
  EXPECT_EQ(std::set(hashes.begin(), hashes.end()).size(), 5u);
}

TEST(RunHasher, StopsWhenTold) {
  RunHasher hasher(1);
  size_t seen = 0;
  hasher.runs("a b c", [&](std::uint64_t, size_t, size_t) { return ++seen < 2; });
  EXPECT_EQ(seen, 2u);
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

TEST(Jaccard, IsSharedOverAll) {
  EXPECT_DOUBLE_EQ(jaccard({1, 2, 3}, {2, 3, 4}), 2.0 / 4);
  EXPECT_DOUBLE_EQ(jaccard({1, 2}, {1, 2}), 1);
  EXPECT_DOUBLE_EQ(jaccard({1}, {}), 0);
  EXPECT_DOUBLE_EQ(jaccard({}, {}), 1);
}

}  // namespace
}  // namespace selene::text
