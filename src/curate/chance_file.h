// Numbers kept on the disk, and the k-th least of them: how many rows of a group stay, whatever
// their number, in the same memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

namespace selene::curate {

class ChanceFile {
 public:
  explicit ChanceFile(std::filesystem::path path) : path_(std::move(path)) {}

  void add(std::uint64_t number);
  std::uint64_t count() const { return count_; }
  // The number that exactly `keep` of them are below or equal to (all different): the greatest
  // where there are no more; 0 for none.
  std::uint64_t threshold(std::uint64_t keep);

 private:
  void flush();

  std::filesystem::path path_;
  std::vector<std::uint64_t> buffer_;
  std::uint64_t count_ = 0;
};

// Pairs of numbers kept on the disk, in the order they came.
class PairFile {
 public:
  using Entry = std::pair<std::uint64_t, std::uint64_t>;
  explicit PairFile(std::filesystem::path path) : path_(std::move(path)) {}

  void add(Entry entry);
  std::vector<Entry> read();

 private:
  std::filesystem::path path_;
  std::vector<std::uint64_t> buffer_;
};

}  // namespace selene::curate
