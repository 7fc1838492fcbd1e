// Shingles: the runs of n words of a text, as a set of hashes (Broder, "On the resemblance and
// containment of documents", 1997).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/words.h"

namespace selene::text {

// Hashes of every run of `size` words, 64 bits each, as they come. The hash of a run is computed
// from that of the run before it. One a thread.
class RunHasher {
 public:
  // `size` is at least 1.
  explicit RunHasher(size_t size);

  size_t size() const { return size_; }

  // The hash of the run from each word on that has size() - 1 words behind it; of fewer words,
  // nothing. Until the next call.
  std::span<const std::uint64_t> runs(const Words& words);

 private:
  size_t size_;
  std::uint64_t out_;  // The base to the power of the size.
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> runs_;
};

// The set of the runs of `size` words of a text, sorted; of a text of fewer words the one run of
// all of them, and of one without words nothing. Where a text has no spaces its words are
// characters (Words), and its shingles runs of these. One a thread.
class Shingler {
 public:
  explicit Shingler(size_t size) : hasher_(size) {}
  void shingles(std::string_view text, std::vector<std::uint64_t>& set);

 private:
  RunHasher hasher_;
  Words words_;
};

// How many two sorted sets share; where that is below `least`, any number below it.
size_t shared(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, size_t least = 0);

// Of two sorted sets: the size of what they share over the size of both together. 1 of two that
// are empty.
double jaccard(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);

}  // namespace selene::text
