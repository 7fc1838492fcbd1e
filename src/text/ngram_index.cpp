#include "text/ngram_index.h"

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "text/words.h"

namespace selene::text {
namespace {

constexpr size_t kFirstSlots = 1 << 10;
constexpr size_t kFilterBitsASlot = 8;  // At most half of the slots are used.

}  // namespace

NgramIndex::NgramIndex(size_t words)
    : hasher_(words),
      slots_(kFirstSlots),
      shift_(64 - std::countr_zero(kFirstSlots)),
      filter_(kFirstSlots * kFilterBitsASlot / 64) {}

void NgramIndex::add(std::string_view text, std::uint32_t document) {
  words_of(text, normalised_);
  if (normalised_.empty()) return;
  if (words_.size() + normalised_.size() + 1 >= kEmpty)
    throw Error("the documents to compare with have more than 4 GiB of words");
  const auto place = static_cast<std::uint32_t>(words_.size());
  documents_.push_back({place, document});
  words_ += normalised_;
  words_ += '\n';
  hasher_.runs(normalised_, [&](std::uint64_t hash, size_t begin, size_t end) {
    insert(hash, place + static_cast<std::uint32_t>(begin), end - begin);
    return true;
  });
}

void NgramIndex::insert(std::uint64_t hash, std::uint32_t place, size_t length) {
  if (2 * (used_ + 1) > slots_.size()) grow();
  Slot& slot = slots_[slot_of(hash, std::string_view(words_).substr(place, length))];
  if (slot.place != kEmpty) return;
  slot = {static_cast<std::uint32_t>(hash), place};
  ++used_;
  const size_t bit = (hash >> 8) & (filter_.size() * 64 - 1);
  filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

// Everything again in twice the room; the runs' hashes are not kept, so they are computed anew.
void NgramIndex::grow() {
  slots_.assign(slots_.size() * 2, {});
  filter_.assign(filter_.size() * 2, 0);
  --shift_;
  used_ = 0;
  RunHasher hasher(hasher_.size());
  for (const Document& document : documents_) {
    const std::uint32_t place = document.place;
    const size_t end = words_.find('\n', place);
    hasher.runs(std::string_view(words_).substr(place, end - place),
                [&](std::uint64_t hash, size_t begin, size_t behind) {
                  insert(hash, place + static_cast<std::uint32_t>(begin), behind - begin);
                  return true;
                });
  }
}

size_t NgramIndex::slot_of(std::uint64_t hash, std::string_view ngram) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash >> shift_;; slot = (slot + 1) & mask) {
    const Slot& found = slots_[slot];
    if (found.place == kEmpty) return slot;
    if (found.tag != static_cast<std::uint32_t>(hash)) continue;
    // The words of a run end where those of the other do: "a b" is no start of "a bc".
    const std::string_view rest = std::string_view(words_).substr(found.place);
    if (rest.starts_with(ngram) && (rest[ngram.size()] == ' ' || rest[ngram.size()] == '\n'))
      return slot;
  }
}

bool NgramIndex::may_have(std::uint64_t hash) const {
  const size_t bit = (hash >> 8) & (filter_.size() * 64 - 1);
  return (filter_[bit / 64] >> (bit % 64) & 1) != 0;
}

std::optional<NgramIndex::Hit> NgramIndex::Finder::find(std::string_view text) {
  words_of(text, words_);
  std::optional<Hit> hit;
  hasher_.runs(words_, [&](std::uint64_t hash, size_t begin, size_t end) {
    if (!index_.may_have(hash)) return true;
    const std::string_view ngram = std::string_view(words_).substr(begin, end - begin);
    const Slot& slot = index_.slots_[index_.slot_of(hash, ngram)];
    if (slot.place == kEmpty) return true;
    const auto behind = std::upper_bound(
        index_.documents_.begin(), index_.documents_.end(), slot.place,
        [](std::uint32_t place, const Document& document) { return place < document.place; });
    hit = Hit{std::prev(behind)->number, std::string(ngram)};
    return false;
  });
  return hit;
}

}  // namespace selene::text
