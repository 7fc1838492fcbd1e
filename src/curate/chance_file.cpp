#include "curate/chance_file.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>

#include "core/error.h"

namespace selene::curate {
namespace {

constexpr size_t kBuffer = 4096;
constexpr int kBinBits = 16;

void each(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& visit) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint64_t> numbers(kBuffer);
  const auto bytes = static_cast<std::streamsize>(kBuffer * sizeof(std::uint64_t));
  while (file.read(reinterpret_cast<char*>(numbers.data()), bytes) || file.gcount() > 0) {
    const size_t read = static_cast<size_t>(file.gcount()) / sizeof(std::uint64_t);
    for (size_t i = 0; i < read; ++i) visit(numbers[i]);
  }
}

void append(const std::filesystem::path& path, std::vector<std::uint64_t>& numbers) {
  if (numbers.empty()) return;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(reinterpret_cast<const char*>(numbers.data()),
             static_cast<std::streamsize>(numbers.size() * sizeof(std::uint64_t)));
  file.close();
  if (!file) throw Error("cannot write", path.string(), "is there space on the disk?");
  numbers.clear();
}

}  // namespace

void ChanceFile::add(std::uint64_t number) {
  buffer_.push_back(number);
  ++count_;
  if (buffer_.size() == kBuffer) flush();
}

void ChanceFile::flush() { append(path_, buffer_); }

// By radix: first which bin of the upper bits the number is in, then the numbers of that bin.
std::uint64_t ChanceFile::threshold(std::uint64_t keep) {
  if (keep == 0) return 0;
  if (keep >= count_) return std::numeric_limits<std::uint64_t>::max();
  flush();
  std::vector<std::uint64_t> bins(size_t{1} << kBinBits);
  each(path_, [&](std::uint64_t number) { ++bins[number >> (64 - kBinBits)]; });
  std::uint64_t before = 0;
  size_t bin = 0;
  while (before + bins[bin] < keep) before += bins[bin++];
  std::vector<std::uint64_t> inside;
  each(path_, [&](std::uint64_t number) {
    if (number >> (64 - kBinBits) == bin) inside.push_back(number);
  });
  const auto at = inside.begin() + static_cast<std::ptrdiff_t>(keep - before - 1);
  std::nth_element(inside.begin(), at, inside.end());
  return *at;
}

void PairFile::add(Entry entry) {
  buffer_.push_back(entry.first);
  buffer_.push_back(entry.second);
  if (buffer_.size() >= kBuffer) append(path_, buffer_);
}

std::vector<PairFile::Entry> PairFile::read() {
  append(path_, buffer_);
  std::vector<Entry> entries;
  bool second = false;
  each(path_, [&](std::uint64_t number) {
    if (second) {
      entries.back().second = number;
    } else {
      entries.emplace_back(number, 0);
    }
    second = !second;
  });
  return entries;
}

}  // namespace selene::curate
