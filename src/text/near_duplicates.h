// Near duplicates, exactly: every set of shingles whose Jaccard similarity with an earlier one is
// at least a threshold, with no probability of missing one.
//
// A set similarity join by prefixes (Bayardo, Ma and Srikant, "Scaling up all pairs similarity
// search", WWW 2007; Xiao, Wang, Lin and Yu, "Efficient similarity joins for near duplicate
// detection", WWW 2008): with all shingles in one order, two sets of n and m that are similar by t
// share one of the first n - ceil(tn) + 1 and m - ceil(tm) + 1. The order puts rare shingles first,
// so that few sets share one and are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace selene::text {

// How often shingles occur, roughly, in a fixed 16 MiB: what puts the rare ones first. A wrong
// count costs time and no exactness.
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

class NearDuplicates {
 public:
  // `counts` outlives it and does not change. `threshold` is above 0 and at most 1.
  NearDuplicates(double threshold, const ShingleCounts& counts);

  struct Match {
    std::uint32_t row;
    double similarity;
  };
  // `set` is sorted and without repetition (Shingler). Where a set that is kept is similar: the one
  // that was kept first, and this set is not kept. Else keeps it as `row` (any number). An empty
  // set is similar to none and not kept.
  std::optional<Match> add(std::span<const std::uint64_t> set, std::uint32_t row);

  size_t kept() const { return rows_.size(); }
  // Bytes that it holds.
  size_t memory() const;

 private:
  struct Slot {
    std::uint32_t tag = 0;       // The shingle's upper half.
    std::uint32_t last = kNone;  // Into entries_.
  };
  // A kept set that has a shingle in its prefix.
  struct Entry {
    std::uint32_t set;
    std::uint32_t before;  // Into entries_: another set with it.
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::span<const std::uint64_t> kept_set(std::uint32_t set) const;
  size_t prefix_length(size_t size) const;
  void order_prefix(std::span<const std::uint64_t> set);
  Slot& slot_of(std::uint64_t shingle);
  void keep(std::span<const std::uint64_t> set, std::uint32_t row);
  void grow();

  double threshold_;
  const ShingleCounts& counts_;
  std::vector<std::uint32_t> rows_;      // By kept set.
  std::vector<std::uint64_t> starts_;    // By kept set, into shingles_; one more at the end.
  std::vector<std::uint64_t> shingles_;  // Of all kept sets.
  std::vector<std::uint32_t> seen_by_;   // By kept set: the last set that was compared with it.
  std::vector<Slot> slots_;              // By shingle; open addressing, at most half full.
  int shift_;
  size_t used_ = 0;
  std::vector<Entry> entries_;
  std::uint32_t added_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> ordered_;  // Scratch: count and shingle.
};

}  // namespace selene::text
