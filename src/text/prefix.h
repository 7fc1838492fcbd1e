// What searches for near duplicates, exactly, are made of: prefixes (Bayardo, Ma and Srikant,
// "Scaling up all pairs similarity search", WWW 2007; Xiao, Wang, Lin and Yu, "Efficient similarity
// joins for near duplicate detection", WWW 2008). With all shingles in one order, two sets of n and
// m that are similar by t share one of the first n - ceil(tn) + 1 and m - ceil(tm) + 1. The order
// puts rare shingles first, so that few sets share one and are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace selene::text {

// How often shingles occur, roughly, in a fixed 16 MiB: what puts the rare ones first. A wrong
// count costs time and no exactness, but all searches of one collection need the same counts.
class ShingleCounts {
 public:
  ShingleCounts() : counts_(size_t{1} << kBits) {}
  void add(std::span<const std::uint64_t> set) {
    for (const std::uint64_t shingle : set) {
      std::uint32_t& count = counts_[shingle >> (64 - kBits)];
      count += count < 0xFFFFFFFF;
    }
  }
  std::uint32_t of(std::uint64_t shingle) const { return counts_[shingle >> (64 - kBits)]; }

 private:
  static constexpr int kBits = 22;
  std::vector<std::uint32_t> counts_;
};

// The least number of shared shingles with which sets of these sizes have a Jaccard similarity of
// `threshold`: the least whole s with s / (a + b - s) >= threshold, by the division that gives the
// similarity. More than the lesser size where no number is enough.
size_t least_shared(double threshold, size_t a, size_t b);

// How many of the first shingles of a set of `size` (1 or more) hold one of every similar set.
size_t prefix_length(double threshold, size_t size);

// A count and a shingle; the lesser is the first in the order.
using Ranked = std::pair<std::uint32_t, std::uint64_t>;
// The first `length` of a set's shingles (1 or more; all where it has fewer), in order.
void first_shingles(std::span<const std::uint64_t> set, const ShingleCounts& counts, size_t length,
                    std::vector<Ranked>& first);

}  // namespace selene::text
