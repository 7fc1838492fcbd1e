#include "text/near_duplicates.h"

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "text/shingles.h"

namespace selene::text {
namespace {

constexpr size_t kFirstSlots = 1 << 10;

}  // namespace

NearDuplicates::NearDuplicates(double threshold, const ShingleCounts& counts)
    : threshold_(threshold),
      counts_(counts),
      starts_{0},
      slots_(kFirstSlots),
      shift_(32 - std::countr_zero(kFirstSlots)) {
  ensure(threshold > 0 && threshold <= 1, "a similarity is above 0 and at most 1");
}

std::span<const std::uint64_t> NearDuplicates::set_at(std::uint32_t set) const {
  return std::span(shingles_).subspan(starts_[set], starts_[set + 1] - starts_[set]);
}

size_t NearDuplicates::slot_of(std::uint64_t shingle) const {
  const size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(shingle >> 32);
  size_t slot = tag >> shift_;
  // Shingles with one tag share a slot: they are compared more often, and never less.
  while (slots_[slot].last != kNone && slots_[slot].tag != tag) slot = (slot + 1) & mask;
  return slot;
}

void NearDuplicates::add(std::span<const std::uint64_t> set, std::uint32_t row) {
  if (set.empty()) return;
  first_shingles(set, counts_, prefix_length(threshold_, set.size()), prefix_);
  const auto index = static_cast<std::uint32_t>(rows_.size());
  ensure(index < kNone && entries_.size() + prefix_.size() < kNone, "at most 2^32 entries");
  rows_.push_back(row);
  shingles_.insert(shingles_.end(), set.begin(), set.end());
  starts_.push_back(shingles_.size());
  for (const auto& [count, shingle] : prefix_) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[slot_of(shingle)];
    if (slot.last == kNone) {
      slot.tag = static_cast<std::uint32_t>(shingle >> 32);
      ++used_;
    }
    entries_.push_back({index, slot.last});
    slot.last = static_cast<std::uint32_t>(entries_.size() - 1);
  }
}

std::optional<NearDuplicates::Match> NearDuplicates::find(std::span<const std::uint64_t> set,
                                                          Scratch& scratch) const {
  if (set.empty()) return std::nullopt;
  if (++scratch.search_ == 0) scratch.seen_by_.clear();  // 2^32 searches: begin anew.
  scratch.search_ += scratch.search_ == 0;
  scratch.seen_by_.resize(rows_.size());
  first_shingles(set, counts_, prefix_length(threshold_, set.size()), scratch.prefix_);
  std::optional<std::uint32_t> first;
  double similarity = 0;
  for (const auto& [count, shingle] : scratch.prefix_) {
    for (std::uint32_t at = slots_[slot_of(shingle)].last; at != kNone; at = entries_[at].before) {
      const std::uint32_t other = entries_[at].set;
      if (scratch.seen_by_[other] == scratch.search_ || (first && other > *first)) continue;
      scratch.seen_by_[other] = scratch.search_;
      const std::span<const std::uint64_t> kept = set_at(other);
      const size_t least = least_shared(threshold_, set.size(), kept.size());
      if (least > std::min(set.size(), kept.size())) continue;
      const size_t same = shared(set, kept, least);
      if (same < least) continue;
      first = other;
      similarity = static_cast<double>(same) / static_cast<double>(set.size() + kept.size() - same);
    }
  }
  if (!first) return std::nullopt;
  return Match{rows_[*first], similarity};
}

void NearDuplicates::grow() {
  const std::vector<Slot> old = std::move(slots_);
  ensure(old.size() < size_t{1} << 31, "at most 2^31 slots");
  slots_.assign(old.size() * 2, {});
  --shift_;
  const size_t mask = slots_.size() - 1;
  for (const Slot& one : old) {
    if (one.last == kNone) continue;
    size_t slot = one.tag >> shift_;
    while (slots_[slot].last != kNone) slot = (slot + 1) & mask;
    slots_[slot] = one;
  }
}

size_t NearDuplicates::memory() const {
  return rows_.capacity() * sizeof(rows_[0]) + starts_.capacity() * sizeof(starts_[0]) +
         shingles_.capacity() * sizeof(shingles_[0]) + slots_.capacity() * sizeof(slots_[0]) +
         entries_.capacity() * sizeof(entries_[0]);
}

}  // namespace selene::text
