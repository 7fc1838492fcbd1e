#include "text/prefix_entries.h"

#include <algorithm>
#include <span>
#include <utility>

namespace selene::text {
namespace {

constexpr size_t kBufferedEntries = size_t{8 << 20} / sizeof(PrefixEntry);
constexpr size_t kMostInBlock = 2048;  // 64 KiB.
constexpr int kClassBits = 24;

std::uint64_t spread(std::uint64_t key) { return key * 0x9E3779B97F4A7C15ull; }

size_t part_of(std::uint64_t key, size_t parts) { return (spread(key) >> 32) * parts >> 32; }

}  // namespace

PrefixEntries::PrefixEntries(std::filesystem::path path, size_t parts)
    : file_(std::move(path)), blocks_(parts) {}

bool PrefixEntries::empty() const {
  return std::all_of(blocks_.begin(), blocks_.end(),
                     [](const auto& blocks) { return blocks.empty(); });
}

PrefixEntries::Writer::Writer(PrefixEntries& entries)
    : entries_(&entries),
      most_(std::clamp<size_t>(kBufferedEntries / entries.parts(), 1, kMostInBlock)),
      buffers_(entries.parts()) {}

void PrefixEntries::Writer::add(const PrefixEntry& entry) {
  const size_t part = part_of(entry.key, buffers_.size());
  std::vector<PrefixEntry>& buffer = buffers_[part];
  if (buffer.capacity() == 0) buffer.reserve(most_);
  buffer.push_back(entry);
  if (buffer.size() == most_) flush(part);
}

void PrefixEntries::Writer::flush() {
  for (size_t part = 0; part < buffers_.size(); ++part) {
    if (!buffers_[part].empty()) flush(part);
  }
}

void PrefixEntries::Writer::flush(size_t part) {
  std::vector<PrefixEntry>& buffer = buffers_[part];
  const std::uint64_t place = entries_->file_.append(std::as_bytes(std::span(buffer)));
  const std::lock_guard lock(entries_->mutex_);
  entries_->blocks_[part].push_back({place, static_cast<std::uint32_t>(buffer.size())});
  buffer.clear();
}

PrefixEntries::Reader::Reader(const PrefixEntries& entries)
    : entries_(&entries), once_(size_t{1} << kClassBits >> 6), twice_(once_.size()) {}

template <typename Each>
void PrefixEntries::Reader::each_block(size_t part, const Each& each) {
  for (const Block& block : entries_->blocks_[part]) {
    block_.resize(block.count);
    entries_->file_.read(block.place, std::as_writable_bytes(std::span(block_)));
    for (const PrefixEntry& entry : block_) {
      const std::uint64_t of_key = spread(entry.key) & ((std::uint64_t{1} << kClassBits) - 1);
      each(entry, of_key >> 6, std::uint64_t{1} << (of_key & 63));
    }
  }
}

// Most shingles are of one set alone: a first pass sees which are not.
void PrefixEntries::Reader::each_repeated(size_t part,
                                          const std::function<void(const PrefixEntry&)>& each) {
  std::fill(once_.begin(), once_.end(), 0);
  std::fill(twice_.begin(), twice_.end(), 0);
  each_block(part, [&](const PrefixEntry&, size_t word, std::uint64_t bit) {
    twice_[word] |= once_[word] & bit;
    once_[word] |= bit;
  });
  each_block(part, [&](const PrefixEntry& entry, size_t word, std::uint64_t bit) {
    if ((twice_[word] & bit) != 0) each(entry);
  });
}

}  // namespace selene::text
