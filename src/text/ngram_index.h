// Which texts share a run of n words with a collection of documents: the usual test of whether
// training data holds a benchmark (13 words: Brown et al., arXiv 2005.14165, appendix C).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/shingles.h"
#include "text/words.h"

namespace selene::text {

class NgramIndex {
 public:
  explicit NgramIndex(size_t words = 13);

  // `document` is any number of the caller's, given back with a hit. Documents with the same words
  // are kept once. Throws Error above 4 GiB of words.
  void add(std::string_view text, std::uint32_t document);
  // Once, after the last document and before the first search.
  void build(size_t threads);

  size_t ngrams() const { return used_; }  // That differ.
  // Bytes that it holds: the documents' words, and 12 to 24 bytes a run, repeated or not.
  size_t memory() const;

  struct Hit {
    std::uint32_t document;  // The first that was added with this run.
    std::string ngram;
  };
  // Finds in texts; one a thread.
  class Finder {
   public:
    explicit Finder(const NgramIndex& index) : index_(&index), hasher_(index.size_) {}
    // The first run of the text that a document has too. Exact: words are compared, not hashes.
    std::optional<Hit> find(std::string_view text);

   private:
    const NgramIndex* index_;
    RunHasher hasher_;
    Words words_;
  };

 private:
  struct Document {
    std::uint32_t place;  // In words_.
    std::uint32_t size;
    std::uint32_t number;
  };
  // A run's tag (the lower half of its hash) above the place of its first byte in words_, plus one;
  // 0 where there is none.
  using Slot = std::atomic<std::uint64_t>;

  std::string_view words_of(const Document& document) const {
    return std::string_view(words_).substr(document.place, document.size);
  }
  size_t insert_runs(size_t first, size_t last);
  bool insert(std::uint64_t hash, std::uint32_t place, std::string_view ngram);
  bool is_run(std::uint64_t slot, std::uint64_t hash, std::string_view ngram) const;
  std::optional<std::uint32_t> place_of(std::uint64_t hash, std::string_view ngram) const;
  size_t filter_word(std::uint64_t hash) const { return hash >> filter_shift_; }
  static std::uint64_t filter_bits(std::uint64_t hash);

  size_t size_;
  Words scratch_;
  std::string words_;  // Of all documents, a line feed behind each.
  std::vector<Document> documents_;
  std::unordered_multimap<std::uint64_t, size_t> by_hash_;  // Until it is built.
  size_t runs_ = 0;                                         // Of all documents, repeated or not.
  std::vector<Slot> slots_;                                 // Open addressing.
  std::vector<std::atomic<std::uint64_t>> filter_;          // Most searches end here.
  int slot_shift_ = 64;
  int filter_shift_ = 64;
  size_t used_ = 0;
};

}  // namespace selene::text
