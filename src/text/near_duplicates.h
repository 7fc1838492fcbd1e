// Which texts are near duplicates of one of a collection that is kept in memory, such as the texts
// of benchmarks: exactly, with no probability of missing one (prefix.h). For texts among
// themselves, as many as a disk holds, there is NearDuplicateJoin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/prefix.h"

namespace selene::text {

class NearDuplicates {
 public:
  // `counts` outlives it and does not change; those of the collection's own shingles do.
  // `threshold` is above 0 and at most 1.
  NearDuplicates(double threshold, const ShingleCounts& counts);

  // `set` is sorted and without repetition (Shingler); `row` is any number, given back with a
  // match. An empty set is similar to none.
  void add(std::span<const std::uint64_t> set, std::uint32_t row);

  size_t size() const { return rows_.size(); }
  // Bytes that it holds.
  size_t memory() const;

  struct Match {
    std::uint32_t row;
    double similarity;
  };
  // What a search needs beside the collection, 4 bytes a set of it; one a thread.
  class Scratch {
   private:
    friend class NearDuplicates;
    std::vector<Ranked> prefix_;
    std::vector<std::uint32_t> seen_by_;  // By set: the last search that compared it.
    std::uint32_t search_ = 0;
  };
  // The first set that was added of those that are similar to `set`. From any number of threads.
  std::optional<Match> find(std::span<const std::uint64_t> set, Scratch& scratch) const;

 private:
  struct Slot {
    std::uint32_t tag = 0;       // The shingle's upper half.
    std::uint32_t last = kNone;  // Into entries_.
  };
  // A set that has a shingle in its prefix.
  struct Entry {
    std::uint32_t set;
    std::uint32_t before;  // Into entries_: another set with it.
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::span<const std::uint64_t> set_at(std::uint32_t set) const;
  size_t slot_of(std::uint64_t shingle) const;
  void grow();

  double threshold_;
  const ShingleCounts& counts_;
  std::vector<std::uint32_t> rows_;      // By set.
  std::vector<std::uint64_t> starts_;    // By set, into shingles_; one more at the end.
  std::vector<std::uint64_t> shingles_;  // Of all sets.
  std::vector<Slot> slots_;              // By shingle; open addressing, at most half full.
  int shift_;
  size_t used_ = 0;
  std::vector<Entry> entries_;
  std::vector<Ranked> prefix_;  // Scratch.
};

}  // namespace selene::text
