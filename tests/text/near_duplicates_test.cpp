#include "text/near_duplicates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/random.h"
#include "text/shingles.h"

namespace selene::text {
namespace {

using Set = std::vector<std::uint64_t>;

std::uint64_t hash_of(std::uint64_t number) { return Random(number).next(); }

Set set_of(const std::set<std::uint64_t>& numbers) {
  Set set;
  for (const std::uint64_t number : numbers) set.push_back(hash_of(number));
  std::sort(set.begin(), set.end());
  return set;
}

// Sets of many sizes over a vocabulary with common and rare members; some are copies of earlier
// ones with a few members changed.
std::vector<Set> sets(std::uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<std::set<std::uint64_t>> all;
  for (size_t i = 0; i < count; ++i) {
    std::set<std::uint64_t> set;
    if (i > 0 && random.uniform() < 0.5) {
      set = all[random.next() % i];
      const size_t changes = random.next() % (1 + set.size() / 3);
      for (size_t change = 0; change < changes; ++change) {
        if (!set.empty())
          set.erase(
              std::next(set.begin(), static_cast<std::ptrdiff_t>(random.next() % set.size())));
        if (random.uniform() < 0.5) set.insert(random.next() % 2000);
      }
    } else {
      const size_t size = random.next() % 40;
      while (set.size() < size)
        set.insert(random.uniform() < 0.5 ? random.next() % 20 : random.next() % 2000);
    }
    all.push_back(set);
  }
  std::vector<Set> hashed;
  for (const auto& set : all) hashed.push_back(set_of(set));
  return hashed;
}

// Each set against every one that was kept before.
std::vector<int> plainly(const std::vector<Set>& all, double threshold) {
  std::vector<int> matches;
  std::vector<size_t> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    int match = -1;
    for (const size_t other : kept) {
      if (all[i].empty() || jaccard(all[i], all[other]) < threshold) continue;
      match = static_cast<int>(other);
      break;
    }
    if (match < 0 && !all[i].empty()) kept.push_back(i);
    matches.push_back(match);
  }
  return matches;
}

TEST(NearDuplicates, AreThoseOfThePlainWay) {
  for (const double threshold : {0.3, 0.5, 2.0 / 3, 0.8, 0.9, 1.0}) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const std::vector<Set> all = sets(seed, 300);
      ShingleCounts counts;
      for (const Set& set : all) counts.add(set);
      NearDuplicates search(threshold, counts);
      std::vector<int> found;
      for (size_t i = 0; i < all.size(); ++i) {
        const auto match = search.add(all[i], static_cast<std::uint32_t>(i));
        found.push_back(match ? static_cast<int>(match->row) : -1);
        if (match) {
          EXPECT_DOUBLE_EQ(match->similarity, jaccard(all[i], all[match->row]));
          EXPECT_GE(match->similarity, threshold);
        }
      }
      EXPECT_EQ(found, plainly(all, threshold)) << threshold << ", seed " << seed;
      EXPECT_GT(std::count_if(found.begin(), found.end(), [](int row) { return row >= 0; }), 10);
    }
  }
}

// Sets just at the threshold and just below it.
TEST(NearDuplicates, TheThresholdItselfIsSimilar) {
  std::set<std::uint64_t> eight{1, 2, 3, 4, 5, 6, 7, 8};
  std::set<std::uint64_t> ten = eight;
  ten.insert({9, 10});  // 8 of 10.
  std::set<std::uint64_t> eleven = ten;
  eleven.insert(11);  // 8 of 11; 10 of 11.
  ShingleCounts counts;
  NearDuplicates search(0.8, counts);
  EXPECT_FALSE(search.add(set_of(eight), 80));
  const auto match = search.add(set_of(ten), 100);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->row, 80u);
  EXPECT_DOUBLE_EQ(match->similarity, 0.8);
  EXPECT_FALSE(search.add(set_of(eleven), 110));
  EXPECT_EQ(search.kept(), 2u);
}

// Rare or common, counted or not: the counts are for speed alone.
TEST(NearDuplicates, CountsChangeNothing) {
  const std::vector<Set> all = sets(1, 200);
  ShingleCounts none;
  ShingleCounts odd;
  for (size_t i = 0; i < all.size(); i += 3) odd.add(all[i]);
  NearDuplicates with_none(0.6, none);
  NearDuplicates with_odd(0.6, odd);
  for (size_t i = 0; i < all.size(); ++i) {
    const auto a = with_none.add(all[i], static_cast<std::uint32_t>(i));
    const auto b = with_odd.add(all[i], static_cast<std::uint32_t>(i));
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a) {
      EXPECT_EQ(a->row, b->row);
    }
  }
}

TEST(NearDuplicates, AnEmptySetIsSimilarToNone) {
  ShingleCounts counts;
  NearDuplicates search(0.8, counts);
  EXPECT_FALSE(search.add({}, 1));
  EXPECT_FALSE(search.add({}, 2));
  EXPECT_EQ(search.kept(), 0u);
}

}  // namespace
}  // namespace selene::text
