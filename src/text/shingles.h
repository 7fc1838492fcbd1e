// Shingles: the runs of n words of a text, as a set of hashes (Broder, "On the resemblance and
// containment of documents", 1997).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::text {

// Hashes of every run of `size` words, 64 bits each, as they come. The hash of a run is computed
// from that of the run before it.
class RunHasher {
 public:
  // `size` is at least 1.
  explicit RunHasher(size_t size);

  size_t size() const { return ring_.size(); }

  // `each(hash, begin, end)` for each run of the words (of words_of), with its first byte and the
  // one behind its last. Nothing where there are fewer words. Stops where `each` gives false.
  template <typename Each>
  void runs(std::string_view words, const Each& each);

 private:
  struct Word {
    std::uint64_t hash = 0;
    size_t begin = 0;
  };
  static std::uint64_t hash_of(std::string_view word);
  static std::uint64_t mix(std::uint64_t hash);

  static constexpr std::uint64_t kBase = 0x9E3779B97F4A7C15ull;  // Odd.
  std::uint64_t out_;                                            // kBase to the power of the size.
  std::vector<Word> ring_;
};

// The set of the runs of `size` words of a text, sorted; of a text of fewer words the one run of
// all of them, and of one without words nothing.
class Shingler {
 public:
  explicit Shingler(size_t size) : hasher_(size) {}
  void shingles(std::string_view text, std::vector<std::uint64_t>& set);

 private:
  RunHasher hasher_;
  std::string words_;
};

// How many two sorted sets share; where that is below `least`, any number below it.
size_t shared(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, size_t least = 0);

// Of two sorted sets: the size of what they share over the size of both together. 1 of two that
// are empty.
double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b);

template <typename Each>
void RunHasher::runs(std::string_view words, const Each& each) {
  std::uint64_t sum = 0;  // Of hash * kBase^(words after it).
  size_t count = 0;
  const size_t size = ring_.size();
  for (size_t begin = 0; begin < words.size();) {
    size_t end = words.find(' ', begin);
    if (end == std::string_view::npos) end = words.size();
    Word& slot = ring_[count % size];  // That of the word which leaves.
    const std::uint64_t leaves = count >= size ? slot.hash : 0;
    slot = {hash_of(words.substr(begin, end - begin)), begin};
    sum = sum * kBase + slot.hash - leaves * out_;
    ++count;
    if (count >= size && !each(mix(sum), ring_[count % size].begin, end)) return;
    begin = end + 1;
  }
}

}  // namespace selene::text
