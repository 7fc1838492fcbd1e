#include "text/near_duplicates.h"

#include <gtest/gtest.h>

#include "core/parallel.h"
#include "text/random_sets.h"
#include "text/shingles.h"

namespace selene::text {
namespace {

using testing::hashed;
using testing::random_sets;
using Set = testing::ShingleSet;

// The first set of the collection that is similar, by comparing with each.
int plainly(const std::vector<Set>& collection, const Set& set, double threshold) {
  for (size_t i = 0; i < collection.size(); ++i) {
    if (!set.empty() && jaccard(set, collection[i]) >= threshold) return static_cast<int>(i);
  }
  return -1;
}

TEST(NearDuplicates, AreThoseOfThePlainWay) {
  for (const double threshold : {0.3, 0.5, 2.0 / 3, 0.8, 0.9, 1.0}) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const std::vector<Set> all = random_sets(seed, 400);
      const std::vector<Set> collection(all.begin(), all.begin() + 200);
      ShingleCounts counts;
      for (const Set& set : collection) counts.add(set);
      NearDuplicates search(threshold, counts);
      for (size_t i = 0; i < collection.size(); ++i)
        search.add(collection[i], static_cast<std::uint32_t>(i));
      NearDuplicates::Scratch scratch;
      size_t found = 0;
      for (const Set& set : all) {
        const auto match = search.find(set, scratch);
        ASSERT_EQ(match ? static_cast<int>(match->row) : -1, plainly(collection, set, threshold))
            << threshold << ", seed " << seed;
        if (!match) continue;
        ++found;
        EXPECT_DOUBLE_EQ(match->similarity, jaccard(set, collection[match->row]));
      }
      EXPECT_GT(found, 200u);
    }
  }
}

TEST(NearDuplicates, AreFoundFromSeveralThreads) {
  const std::vector<Set> all = random_sets(3, 2000);
  ShingleCounts counts;
  for (const Set& set : all) counts.add(set);
  NearDuplicates search(0.7, counts);
  for (size_t i = 0; i < all.size(); i += 2) search.add(all[i], static_cast<std::uint32_t>(i));
  const auto find_all = [&](size_t threads) {
    std::vector<NearDuplicates::Scratch> scratch(threads);
    std::vector<std::uint32_t> rows(all.size());
    in_batches(all.size(), 10, threads, [&](size_t worker, size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const auto match = search.find(all[i], scratch[worker]);
        rows[i] = match ? match->row : 0xFFFFFFFF;
      }
    });
    return rows;
  };
  EXPECT_EQ(find_all(4), find_all(1));
}

// Sets just at the threshold and just below it.
TEST(NearDuplicates, TheThresholdItselfIsSimilar) {
  std::set<std::uint64_t> eight{1, 2, 3, 4, 5, 6, 7, 8};
  std::set<std::uint64_t> ten = eight;
  ten.insert({9, 10});  // 8 of 10.
  std::set<std::uint64_t> eleven = ten;
  eleven.insert(11);  // 8 of 11.
  ShingleCounts counts;
  NearDuplicates search(0.8, counts);
  search.add(hashed(eight), 80);
  EXPECT_EQ(search.size(), 1u);
  NearDuplicates::Scratch scratch;
  const auto match = search.find(hashed(ten), scratch);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->row, 80u);
  EXPECT_DOUBLE_EQ(match->similarity, 0.8);
  EXPECT_FALSE(search.find(hashed(eleven), scratch));
}

// Rare or common, counted or not: the counts are for speed alone.
TEST(NearDuplicates, CountsChangeNothing) {
  const std::vector<Set> all = random_sets(1, 200);
  ShingleCounts none;
  ShingleCounts odd;
  for (size_t i = 0; i < all.size(); i += 3) odd.add(all[i]);
  NearDuplicates with_none(0.6, none);
  NearDuplicates with_odd(0.6, odd);
  NearDuplicates::Scratch scratch;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto a = with_none.find(all[i], scratch);
    const auto b = with_odd.find(all[i], scratch);
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a) {
      EXPECT_EQ(a->row, b->row);
    }
    with_none.add(all[i], static_cast<std::uint32_t>(i));
    with_odd.add(all[i], static_cast<std::uint32_t>(i));
  }
}

TEST(NearDuplicates, AnEmptySetIsSimilarToNone) {
  ShingleCounts counts;
  NearDuplicates search(0.8, counts);
  NearDuplicates::Scratch scratch;
  search.add({}, 1);
  EXPECT_EQ(search.size(), 0u);
  EXPECT_FALSE(search.find({}, scratch));
}

}  // namespace
}  // namespace selene::text
