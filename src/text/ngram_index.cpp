#define XXH_INLINE_ALL
#include "text/ngram_index.h"

#include <algorithm>
#include <bit>

#include <xxhash.h>

#include "core/error.h"
#include "core/parallel.h"

namespace selene::text {
namespace {

constexpr std::uint64_t kMostBytes = 0xFFFFFFFF;
constexpr size_t kSlotsAFilterWord = 8;  // 8 bits a slot.
constexpr size_t kAhead = 16;            // Runs whose place in a table is fetched before its turn.
constexpr size_t kDocumentsABatch = 64;

void fetch(const std::atomic<std::uint64_t>& word) { __builtin_prefetch(&word); }

}  // namespace

NgramIndex::NgramIndex(size_t words) : size_(words) {}

void NgramIndex::add(std::string_view text, std::uint32_t document) {
  ensure(slots_.empty(), "documents come before the index is built");
  scratch_.read(text);
  if (scratch_.size() < size_) return;
  const std::string_view words = scratch_.text();
  const std::uint64_t hash = XXH3_64bits(words.data(), words.size());
  const auto [begin, end] = by_hash_.equal_range(hash);
  if (std::any_of(begin, end,
                  [&](const auto& other) { return words_of(documents_[other.second]) == words; }))
    return;
  if (words_.size() + words.size() + 1 >= kMostBytes)
    throw Error("the documents to compare with have more than 4 GiB of words");
  by_hash_.emplace(hash, documents_.size());
  documents_.push_back({static_cast<std::uint32_t>(words_.size()),
                        static_cast<std::uint32_t>(words.size()), document});
  words_ += words;
  words_ += '\n';
  runs_ += scratch_.size() - size_ + 1;
}

void NgramIndex::build(size_t threads) {
  ensure(slots_.empty(), "an index is built once");
  by_hash_ = {};
  const size_t slots = std::bit_ceil(std::max<size_t>(runs_ + runs_ / 3, 64));  // At most 3/4 full.
  slots_ = std::vector<Slot>(slots);
  filter_ = std::vector<std::atomic<std::uint64_t>>(slots / kSlotsAFilterWord);
  slot_shift_ = 64 - std::countr_zero(slots);
  filter_shift_ = 64 - std::countr_zero(filter_.size());
  std::atomic<size_t> used = 0;
  in_batches(documents_.size(), kDocumentsABatch, threads,
             [&](size_t, size_t begin, size_t end) { used += insert_runs(begin, end); });
  used_ = used;
}

// Gives the number of runs that were new.
size_t NgramIndex::insert_runs(size_t first, size_t last) {
  RunHasher hasher(size_);
  Words words;
  size_t inserted = 0;
  for (; first < last; ++first) {
    const Document& document = documents_[first];
    words.read(words_of(document));
    const std::span<const std::uint64_t> runs = hasher.runs(words);
    for (size_t i = 0; i < runs.size(); ++i) {
      if (i + kAhead < runs.size()) fetch(slots_[runs[i + kAhead] >> slot_shift_]);
      const auto begin = static_cast<std::uint32_t>(words.begin_of(i));
      inserted += insert(runs[i], document.place + begin, words.run(i, size_));
    }
  }
  return inserted;
}

// From several threads at once. Which of two equal runs comes first is no matter: the slot ends
// with the lesser place.
bool NgramIndex::insert(std::uint64_t hash, std::uint32_t place, std::string_view ngram) {
  const std::uint64_t mine = hash << 32 | (place + 1);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash >> slot_shift_;; at = (at + 1) & mask) {
    std::uint64_t found = slots_[at].load(std::memory_order_relaxed);
    if (found == 0 && slots_[at].compare_exchange_strong(found, mine, std::memory_order_relaxed)) {
      filter_[filter_word(hash)].fetch_or(filter_bits(hash), std::memory_order_relaxed);
      return true;
    }
    if (!is_run(found, hash, ngram)) continue;
    while (mine < found &&
           !slots_[at].compare_exchange_weak(found, mine, std::memory_order_relaxed)) {
    }
    return false;
  }
}

bool NgramIndex::is_run(std::uint64_t slot, std::uint64_t hash, std::string_view ngram) const {
  if (slot >> 32 != (hash & 0xFFFFFFFF)) return false;
  // The words of a run end where those of the other do: "a b" is no start of "a bc".
  const std::string_view rest = std::string_view(words_).substr((slot & 0xFFFFFFFF) - 1);
  return rest.starts_with(ngram) && (rest[ngram.size()] == ' ' || rest[ngram.size()] == '\n');
}

std::optional<std::uint32_t> NgramIndex::place_of(std::uint64_t hash,
                                                  std::string_view ngram) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash >> slot_shift_;; at = (at + 1) & mask) {
    const std::uint64_t found = slots_[at].load(std::memory_order_relaxed);
    if (found == 0) return std::nullopt;
    if (is_run(found, hash, ngram)) return static_cast<std::uint32_t>((found & 0xFFFFFFFF) - 1);
  }
}

// Two bits of a word, by other bits of the hash than those that choose the word.
std::uint64_t NgramIndex::filter_bits(std::uint64_t hash) {
  return std::uint64_t{1} << (hash & 63) | std::uint64_t{1} << (hash >> 6 & 63);
}

size_t NgramIndex::memory() const {
  return words_.capacity() + documents_.capacity() * sizeof(Document) +
         slots_.capacity() * sizeof(Slot) + filter_.capacity() * sizeof(filter_[0]);
}

std::optional<NgramIndex::Hit> NgramIndex::Finder::find(std::string_view text) {
  const NgramIndex& index = *index_;
  ensure(!index.slots_.empty(), "an index is built before it is searched");
  words_.read(text);
  const std::span<const std::uint64_t> runs = hasher_.runs(words_);
  for (size_t i = 0; i < std::min(kAhead, runs.size()); ++i)
    fetch(index.filter_[index.filter_word(runs[i])]);
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i + kAhead < runs.size()) fetch(index.filter_[index.filter_word(runs[i + kAhead])]);
    const std::uint64_t bits = filter_bits(runs[i]);
    const std::uint64_t word =
        index.filter_[index.filter_word(runs[i])].load(std::memory_order_relaxed);
    if ((word & bits) != bits) continue;
    const std::string_view ngram = words_.run(i, index.size_);
    const std::optional<std::uint32_t> place = index.place_of(runs[i], ngram);
    if (!place) continue;
    const auto behind = std::upper_bound(
        index.documents_.begin(), index.documents_.end(), *place,
        [](std::uint32_t at, const Document& document) { return at < document.place; });
    return Hit{std::prev(behind)->number, std::string(ngram)};
  }
  return std::nullopt;
}

}  // namespace selene::text
