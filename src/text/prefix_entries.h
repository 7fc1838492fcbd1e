// Entries of an index on disk, in parts that each fit into memory: all entries of one key are in
// one part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <vector>

#include "text/scratch_file.h"

namespace selene::text {

// A set that has one of its first shingles in common with all others of the same key.
struct PrefixEntry {
  std::uint64_t key = 0;     // The shingle, or several together.
  std::uint64_t parity = 0;  // Of the set's shingles by 64 classes: whether each has an odd number.
  std::uint64_t place : 40 = 0;     // Of the set in its file, in units of 8 bytes.
  std::uint64_t position : 24 = 0;  // Of the key's last shingle among the set's, in their order.
  std::uint32_t row : 31 = 0;
  std::uint32_t closed : 1 = 0;  // No earlier row is looked for.
  std::uint32_t size = 0;        // Of the set.
};
static_assert(sizeof(PrefixEntry) == 32);

class PrefixEntries {
 public:
  PrefixEntries(std::filesystem::path path, size_t parts);

  size_t parts() const { return blocks_.size(); }
  bool empty() const;

  // Writes entries; one a thread, and flushed before any are read. Holds at most 8 MiB.
  class Writer {
   public:
    explicit Writer(PrefixEntries& entries);
    void add(const PrefixEntry& entry);
    void flush();

   private:
    void flush(size_t part);

    PrefixEntries* entries_;
    size_t most_;  // In a buffer.
    std::vector<std::vector<PrefixEntry>> buffers_;
  };

  // Reads the parts; one a thread. Holds 4 MiB.
  class Reader {
   public:
    explicit Reader(const PrefixEntries& entries);
    // Those entries of a part whose key another one has too, and a few others; those of one writer
    // in the order in which it added them.
    void each_repeated(size_t part, const std::function<void(const PrefixEntry&)>& each);

   private:
    template <typename Each>
    void each_block(size_t part, const Each& each);

    const PrefixEntries* entries_;
    std::vector<std::uint64_t> once_;  // A bit a class of keys.
    std::vector<std::uint64_t> twice_;
    std::vector<PrefixEntry> block_;
  };

 private:
  struct Block {
    std::uint64_t place;
    std::uint32_t count;
  };

  ScratchFile file_;
  std::mutex mutex_;
  std::vector<std::vector<Block>> blocks_;  // By part.
};

}  // namespace selene::text
