// Which texts share a run of n words with a collection of documents: the usual test of whether
// training data holds a benchmark (13 words: Brown et al., arXiv 2005.14165, appendix C).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/shingles.h"

namespace selene::text {

class NgramIndex {
 public:
  explicit NgramIndex(size_t words = 13);

  // `document` is any number of the caller's, given back with a hit. Throws Error above 4 GiB of
  // words.
  void add(std::string_view text, std::uint32_t document);

  size_t ngrams() const { return used_; }  // That differ.

  struct Hit {
    std::uint32_t document;  // The first that was added with this run.
    std::string ngram;
  };
  // Finds in texts; one a thread.
  class Finder {
   public:
    explicit Finder(const NgramIndex& index) : index_(index), hasher_(index.hasher_.size()) {}
    // The first run of the text that a document has too. Exact: words are compared, not hashes.
    std::optional<Hit> find(std::string_view text);

   private:
    const NgramIndex& index_;
    RunHasher hasher_;
    std::string words_;
  };

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t place = kEmpty;  // Of the run's first byte in words_.
  };
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  // The slot with this run, or the empty one where it belongs.
  size_t slot_of(std::uint64_t hash, std::string_view ngram) const;
  bool may_have(std::uint64_t hash) const;
  void grow();
  void insert(std::uint64_t hash, std::uint32_t place, size_t length);

  RunHasher hasher_;
  std::string normalised_;  // Scratch.
  std::string words_;       // Of all documents, a line feed behind each.
  struct Document {
    std::uint32_t place;  // In words_.
    std::uint32_t number;
  };
  std::vector<Document> documents_;
  std::vector<Slot> slots_;  // Open addressing, at most half full.
  int shift_;                // Of a hash to a slot.
  size_t used_ = 0;
  std::vector<std::uint64_t> filter_;  // A bit a hash, 16 bits a run: most lookups end here.
};

}  // namespace selene::text
