// Sets of shingles with many near duplicates among them, for tests of what finds those.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <vector>

#include "core/random.h"

namespace selene::testing {

using ShingleSet = std::vector<std::uint64_t>;

inline ShingleSet hashed(const std::set<std::uint64_t>& numbers) {
  ShingleSet set;
  for (const std::uint64_t number : numbers) set.push_back(Random(number).next());
  std::sort(set.begin(), set.end());
  return set;
}

// Sets of many sizes over a vocabulary with common and rare members; some are copies of earlier
// ones with a few members changed, or none.
inline std::vector<ShingleSet> random_sets(std::uint64_t seed, size_t count, size_t largest = 40,
                                           std::uint64_t vocabulary = 2000) {
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
        if (random.uniform() < 0.5) set.insert(random.next() % vocabulary);
      }
    } else {
      const size_t size = random.next() % largest;
      while (set.size() < size)
        set.insert(random.next() % (random.uniform() < 0.5 ? 20 + largest : vocabulary));
    }
    all.push_back(set);
  }
  std::vector<ShingleSet> sets;
  for (const auto& set : all) sets.push_back(hashed(set));
  return sets;
}

}  // namespace selene::testing
