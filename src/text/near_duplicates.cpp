#include "text/near_duplicates.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.h"
#include "text/shingles.h"

namespace selene::text {
namespace {

constexpr size_t kFirstSlots = 1 << 10;

// The least number of shared shingles with which sets of these sizes are similar by `threshold`:
// the least whole s with s / (a + b - s) >= threshold, by the same division as the similarity.
size_t least_shared(double threshold, size_t a, size_t b) {
  const auto all = static_cast<double>(a + b);
  auto least = static_cast<size_t>(std::floor(threshold / (1 + threshold) * all));
  least = least > 0 ? least - 1 : 0;
  while (static_cast<double>(least) / (all - static_cast<double>(least)) < threshold) ++least;
  return least;
}

}  // namespace

NearDuplicates::NearDuplicates(double threshold, const ShingleCounts& counts)
    : threshold_(threshold),
      counts_(counts),
      starts_{0},
      slots_(kFirstSlots),
      shift_(32 - std::countr_zero(kFirstSlots)) {
  ensure(threshold > 0 && threshold <= 1, "a similarity is above 0 and at most 1");
}

std::span<const std::uint64_t> NearDuplicates::kept_set(std::uint32_t set) const {
  return std::span(shingles_).subspan(starts_[set], starts_[set + 1] - starts_[set]);
}

// A similar set has at least threshold * size of these shingles, so it lacks size minus that many
// at most, and of one more it has one.
size_t NearDuplicates::prefix_length(size_t size) const {
  // Downwards by a hair: rounding must not make the prefix shorter.
  const auto needed =
      static_cast<size_t>(std::ceil(threshold_ * static_cast<double>(size) * (1 - 1e-12)));
  return size - std::min(size, std::max<size_t>(needed, 1)) + 1;
}

void NearDuplicates::order_prefix(std::span<const std::uint64_t> set) {
  ordered_.clear();
  for (const std::uint64_t shingle : set) ordered_.emplace_back(counts_.of(shingle), shingle);
  const auto end = ordered_.begin() + static_cast<std::ptrdiff_t>(prefix_length(set.size()));
  std::nth_element(ordered_.begin(), end - 1, ordered_.end());
  ordered_.erase(end, ordered_.end());
}

NearDuplicates::Slot& NearDuplicates::slot_of(std::uint64_t shingle) {
  const size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(shingle >> 32);
  size_t slot = tag >> shift_;
  // Shingles with one tag share a slot: they are compared more often, and never less.
  while (slots_[slot].last != kNone && slots_[slot].tag != tag) slot = (slot + 1) & mask;
  return slots_[slot];
}

std::optional<NearDuplicates::Match> NearDuplicates::add(std::span<const std::uint64_t> set,
                                                         std::uint32_t row) {
  if (set.empty()) return std::nullopt;
  ++added_;
  order_prefix(set);
  std::optional<std::uint32_t> first;
  double similarity = 0;
  for (const auto& [count, shingle] : ordered_) {
    for (std::uint32_t at = slot_of(shingle).last; at != kNone; at = entries_[at].before) {
      const std::uint32_t other = entries_[at].set;
      if (seen_by_[other] == added_ || (first && other > *first)) continue;
      seen_by_[other] = added_;
      const std::span<const std::uint64_t> kept = kept_set(other);
      const size_t least = least_shared(threshold_, set.size(), kept.size());
      if (least > std::min(set.size(), kept.size())) continue;
      const size_t same = shared(set, kept, least);
      if (same < least) continue;
      first = other;
      similarity = static_cast<double>(same) / static_cast<double>(set.size() + kept.size() - same);
    }
  }
  if (first) return Match{rows_[*first], similarity};
  keep(set, row);
  return std::nullopt;
}

void NearDuplicates::keep(std::span<const std::uint64_t> set, std::uint32_t row) {
  const auto index = static_cast<std::uint32_t>(rows_.size());
  ensure(index < kNone && entries_.size() + ordered_.size() < kNone, "at most 2^32 entries");
  rows_.push_back(row);
  shingles_.insert(shingles_.end(), set.begin(), set.end());
  starts_.push_back(shingles_.size());
  seen_by_.push_back(0);
  for (const auto& [count, shingle] : ordered_) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    Slot& slot = slot_of(shingle);
    if (slot.last == kNone) {
      slot.tag = static_cast<std::uint32_t>(shingle >> 32);
      ++used_;
    }
    entries_.push_back({index, slot.last});
    slot.last = static_cast<std::uint32_t>(entries_.size() - 1);
  }
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
         shingles_.capacity() * sizeof(shingles_[0]) + seen_by_.capacity() * sizeof(seen_by_[0]) +
         slots_.capacity() * sizeof(slots_[0]) + entries_.capacity() * sizeof(entries_[0]);
}

}  // namespace selene::text
