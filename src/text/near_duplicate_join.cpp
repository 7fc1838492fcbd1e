#define XXH_INLINE_ALL
#include "text/near_duplicate_join.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "text/prefix.h"
#include "text/prefix_entries.h"
#include "text/shingles.h"

namespace selene::text {
namespace {

namespace fs = std::filesystem;

using Set = std::vector<std::uint64_t>;

constexpr std::uint32_t kNone = 0xFFFFFFFF;
constexpr std::uint32_t kCopy = 0x80000000;  // Beside the row that a row is equal to.
constexpr std::uint32_t kMostRows = kCopy - 2;
constexpr size_t kMostShingles = (size_t{1} << 24) - 1;
constexpr size_t kBuffered = size_t{1} << 17;  // Of 8 bytes.
constexpr size_t kCopyParts = 64;
constexpr size_t kLaterParts = 256;   // Of entries by several shingles.
constexpr size_t kShortRun = 64;      // Not worth sorting by size.
constexpr size_t kChecksARead = 100;  // What reading and comparing two sets counts as.
constexpr size_t kMostCommon = 3;     // Shingles that are taken together.

std::uint64_t parity_of(std::span<const std::uint64_t> set) {
  std::uint64_t parity = 0;
  for (const std::uint64_t shingle : set) parity ^= std::uint64_t{1} << (shingle >> 20 & 63);
  return parity;
}

std::uint64_t key_of(std::uint64_t key, std::uint64_t shingle) {
  const std::array<std::uint64_t, 2> both{key, shingle};
  return XXH3_64bits(both.data(), sizeof both);
}

// Bytes of rows one behind the other, in a file.
class Column {
 public:
  explicit Column(fs::path path) : file_(std::move(path)) { buffer_.reserve(kBuffered); }

  // Gives the place, in units of 8 bytes.
  std::uint64_t append(std::uint64_t value) { return append({&value, 1}); }
  std::uint64_t append(std::span<const std::uint64_t> values) {
    const std::uint64_t place = written_ + buffer_.size();
    buffer_.insert(buffer_.end(), values.begin(), values.end());
    if (buffer_.size() >= kBuffered) flush();
    return place;
  }
  void flush() {
    file_.append(std::as_bytes(std::span(buffer_)));
    written_ += buffer_.size();
    buffer_.clear();
  }
  void read(std::uint64_t place, std::span<std::uint64_t> values) const {
    file_.read(place * 8, std::as_writable_bytes(values));
  }
  std::uint64_t size() const { return written_; }

 private:
  ScratchFile file_;
  std::vector<std::uint64_t> buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace

class NearDuplicateJoin::Work {
 public:
  Work(const fs::path& scratch, const Options& options);
  void add(std::span<const std::uint64_t> set);
  void finish(const std::function<void(const Match&)>& on_match);

 private:
  // Rows whose sets lie beside one another in the file.
  struct Chunk {
    std::uint64_t place;
    std::uint32_t first_row;
  };
  // What one thread works with.
  struct Worker {
    explicit Worker(const PrefixEntries& read) : reader(read) {}
    PrefixEntries::Reader reader;
    std::vector<PrefixEntry> entries;
    std::vector<PrefixEntry> small;
    std::vector<Ranked> first;
    Set set;
    Set other;
    std::uint64_t set_at = ~std::uint64_t{0};  // Whose set is in `set`.
  };

  void find_copies();
  std::unique_ptr<PrefixEntries> first_entries();
  void add_entries(size_t chunk, PrefixEntries::Writer& entries, std::vector<Ranked>& first) const;
  std::unique_ptr<PrefixEntries> join(const PrefixEntries& entries, size_t common);
  void join_part(Worker& worker, size_t part, size_t common, PrefixEntries::Writer* next);
  void join_run(Worker& worker, std::span<PrefixEntry> run, size_t common,
                PrefixEntries::Writer* next);
  size_t search(Worker& worker, PrefixEntry& entry, std::span<const PrefixEntry> others,
                size_t common);
  bool compare(std::span<PrefixEntry> run, Worker& worker, size_t common, size_t most_checks);
  void divide(Worker& worker, std::span<const PrefixEntry> run, size_t common,
              PrefixEntries::Writer& next);
  bool may_be_similar(const PrefixEntry& a, const PrefixEntry& b, size_t common) const;
  bool similar(Worker& worker, const PrefixEntry& entry, const PrefixEntry& other) const;
  void match(std::uint32_t row, std::uint32_t earlier);
  void read_row(std::uint32_t row, Set& set) const;
  size_t needed(size_t size) const { return size + 1 - prefix_length(options_.threshold, size); }

  Options options_;
  ScratchFolder folder_;
  ShingleCounts counts_;
  Column sets_;    // Each set's size, then its shingles.
  Column places_;  // By row, in sets_.
  std::vector<Chunk> chunks_;
  std::unique_ptr<PrefixEntries> digests_;  // Of sets, to find the equal ones.
  std::unique_ptr<PrefixEntries::Writer> digest_writer_;
  std::uint32_t rows_ = 0;
  std::uint64_t first_shingles_ = 0;
  std::vector<std::atomic<std::uint32_t>> earliest_;  // By row; with kCopy, the row it is equal to.
};

NearDuplicateJoin::Work::Work(const fs::path& scratch, const Options& options)
    : options_(options),
      folder_(scratch, "near-duplicates-"),
      sets_(folder_.path() / "sets"),
      places_(folder_.path() / "places"),
      digests_(std::make_unique<PrefixEntries>(folder_.path() / "digests", kCopyParts)),
      digest_writer_(std::make_unique<PrefixEntries::Writer>(*digests_)) {
  ensure(options.threshold > 0 && options.threshold <= 1, "a similarity is above 0 and at most 1");
}

void NearDuplicateJoin::Work::add(std::span<const std::uint64_t> set) {
  ensure(digests_ != nullptr, "rows come before the end");
  if (rows_ == kMostRows) throw Error("near duplicates are found among 2147483646 rows at most");
  if (set.size() > kMostShingles) {
    throw Error(
        fmt::format("a text has {} shingles: near duplicates are found among texts of at "
                    "most {}",
                    set.size(), kMostShingles));
  }
  const std::uint32_t row = rows_++;
  const std::uint64_t size = set.size();
  const std::uint64_t place = sets_.append(size);
  sets_.append(set);
  places_.append(place);
  if (chunks_.empty() || place - chunks_.back().place >= kBuffered) chunks_.push_back({place, row});
  if (set.empty()) return;
  counts_.add(set);
  first_shingles_ += prefix_length(options_.threshold, set.size());
  const XXH128_hash_t digest = XXH3_128bits(set.data(), set.size_bytes());
  PrefixEntry entry;
  entry.key = digest.low64;
  entry.parity = digest.high64;
  entry.row = row & ~kCopy;
  digest_writer_->add(entry);
}

void NearDuplicateJoin::Work::finish(const std::function<void(const Match&)>& on_match) {
  ensure(digests_ != nullptr, "near duplicates are found once");
  sets_.flush();
  places_.flush();
  find_copies();
  std::unique_ptr<PrefixEntries> entries = first_entries();
  for (size_t common = 1; entries && !entries->empty(); ++common) entries = join(*entries, common);
  Set set;
  Set other;
  for (std::uint32_t row = 0; row < rows_; ++row) {
    std::uint32_t earlier = earliest_[row];
    if (earlier == kNone) continue;
    if ((earlier & kCopy) != 0) {
      earlier &= ~kCopy;
      earlier = std::min(earlier, earliest_[earlier].load());
    }
    read_row(row, set);
    read_row(earlier, other);
    on_match({row, earlier, jaccard(set, other)});
  }
}

void NearDuplicateJoin::Work::find_copies() {
  digest_writer_->flush();
  digest_writer_.reset();
  earliest_ = std::vector<std::atomic<std::uint32_t>>(rows_);
  for (auto& earliest : earliest_) earliest.store(kNone, std::memory_order_relaxed);
  std::atomic<size_t> next = 0;
  in_parallel(options_.threads, [&](size_t) {
    PrefixEntries::Reader reader(*digests_);
    for (size_t part; (part = next++) < kCopyParts;) {
      std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> first;
      reader.each_repeated(part, [&](const PrefixEntry& entry) {
        const std::uint32_t row = entry.row;
        const auto [seen, is_new] = first.try_emplace({entry.key, entry.parity}, row);
        if (!is_new) earliest_[row] = seen->second | kCopy;
      });
    }
  });
  digests_.reset();
}

std::unique_ptr<PrefixEntries> NearDuplicateJoin::Work::first_entries() {
  auto entries = std::make_unique<PrefixEntries>(folder_.path() / "entries-1",
                                                 first_shingles_ / options_.part_entries + 1);
  std::atomic<size_t> next = 0;
  in_parallel(options_.threads, [&](size_t) {
    PrefixEntries::Writer writer(*entries);
    std::vector<Ranked> first;
    for (size_t chunk; (chunk = next++) < chunks_.size();) add_entries(chunk, writer, first);
    writer.flush();
  });
  return entries;
}

void NearDuplicateJoin::Work::add_entries(size_t chunk, PrefixEntries::Writer& entries,
                                          std::vector<Ranked>& first) const {
  const std::uint64_t start = chunks_[chunk].place;
  const bool is_last = chunk + 1 == chunks_.size();
  Set sets((is_last ? sets_.size() : chunks_[chunk + 1].place) - start);
  sets_.read(start, sets);
  std::uint32_t row = chunks_[chunk].first_row;
  for (size_t at = 0; at < sets.size(); at += 1 + sets[at], ++row) {
    const std::span set = std::span(sets).subspan(at + 1, sets[at]);
    if (set.empty() || earliest_[row].load(std::memory_order_relaxed) != kNone) continue;
    PrefixEntry entry;
    entry.parity = parity_of(set);
    entry.place = (start + at + 1) & ((std::uint64_t{1} << 40) - 1);
    entry.row = row & ~kCopy;
    entry.size = static_cast<std::uint32_t>(set.size());
    first_shingles(set, counts_, prefix_length(options_.threshold, set.size()), first);
    for (size_t i = 0; i < first.size(); ++i) {
      entry.key = first[i].second;
      entry.position = i & kMostShingles;
      entries.add(entry);
    }
  }
}

// Compares sets that have `common` shingles of their first in common; gives the entries of those
// that are better compared where they have one more.
std::unique_ptr<PrefixEntries> NearDuplicateJoin::Work::join(const PrefixEntries& entries,
                                                             size_t common) {
  std::unique_ptr<PrefixEntries> later;
  if (common < kMostCommon) {
    later = std::make_unique<PrefixEntries>(folder_.path() / fmt::format("entries-{}", common + 1),
                                            kLaterParts);
  }
  std::atomic<size_t> next = 0;
  in_parallel(options_.threads, [&](size_t) {
    Worker worker(entries);
    std::unique_ptr<PrefixEntries::Writer> writer;
    if (later) writer = std::make_unique<PrefixEntries::Writer>(*later);
    for (size_t part; (part = next++) < entries.parts();)
      join_part(worker, part, common, writer.get());
    if (writer) writer->flush();
  });
  return later;
}

void NearDuplicateJoin::Work::join_part(Worker& worker, size_t part, size_t common,
                                        PrefixEntries::Writer* next) {
  std::vector<PrefixEntry>& entries = worker.entries;
  entries.clear();
  worker.reader.each_repeated(part, [&](const PrefixEntry& entry) { entries.push_back(entry); });
  std::sort(entries.begin(), entries.end(), [](const PrefixEntry& a, const PrefixEntry& b) {
    return a.key != b.key ? a.key < b.key : a.row < b.row;
  });
  for (size_t begin = 0; begin < entries.size();) {
    size_t end = begin + 1;
    while (end < entries.size() && entries[end].key == entries[begin].key) ++end;
    if (end - begin > 1)
      join_run(worker, std::span(entries).subspan(begin, end - begin), common, next);
    begin = end;
  }
}

void NearDuplicateJoin::Work::join_run(Worker& worker, std::span<PrefixEntry> run, size_t common,
                                       PrefixEntries::Writer* next) {
  const size_t most_checks = next ? options_.most_checks * run.size() : ~size_t{0};
  if (compare(run, worker, common, most_checks)) return;
  // Two sets that need no more than they have in common need not share another shingle.
  worker.small.clear();
  for (const PrefixEntry& entry : run) {
    if (needed(entry.size) <= common) worker.small.push_back(entry);
  }
  std::ranges::sort(worker.small, {}, [](const PrefixEntry& entry) { return +entry.row; });
  compare(worker.small, worker, common, ~size_t{0});
  divide(worker, run, common, *next);
}

// Of a run in the order of rows, closes each entry whose search is done; false where `most_checks`
// were not enough for all. The run may end in another order.
bool NearDuplicateJoin::Work::compare(std::span<PrefixEntry> run, Worker& worker, size_t common,
                                      size_t most_checks) {
  size_t checks = 0;
  if (run.size() <= kShortRun) {
    for (PrefixEntry& entry : run) checks += search(worker, entry, run, common);
    return true;
  }
  const auto by_size = [](const PrefixEntry& entry) { return entry.size; };
  std::ranges::sort(run, {}, [](const PrefixEntry& entry) {
    return std::pair<std::uint32_t, std::uint32_t>(entry.size, entry.row);
  });
  const double ratio = (1 + options_.threshold) / options_.threshold;
  for (PrefixEntry& entry : run) {
    if (entry.closed != 0) continue;
    if (checks > most_checks) return false;
    // Sizes with which it can be similar: all that it can share is what is common, and behind it.
    const double size = entry.size;
    const double most =
        size - static_cast<double>(entry.position) - 1 + static_cast<double>(common);
    const double largest = ratio * most - size + 1e-6;
    const double smallest = options_.threshold * size - 1e-6;
    auto begin = std::ranges::lower_bound(run, smallest, {}, by_size);
    while (begin != run.end() && by_size(*begin) <= largest) {
      const auto end = std::ranges::upper_bound(begin, run.end(), by_size(*begin), {}, by_size);
      checks += search(worker, entry, {begin, end}, common) + 1;
      begin = end;
    }
    entry.closed = 1;
  }
  return true;
}

// Looks among others, in the order of rows, for the first that is similar to the entry, and gives
// what that cost.
size_t NearDuplicateJoin::Work::search(Worker& worker, PrefixEntry& entry,
                                       std::span<const PrefixEntry> others, size_t common) {
  if (entry.closed != 0) return 0;
  const std::uint32_t row = entry.row;
  const std::uint32_t end = std::min(row, earliest_[row].load(std::memory_order_relaxed));
  size_t checks = 0;
  for (const PrefixEntry& other : others) {
    if (other.row >= end) break;
    ++checks;
    if (!may_be_similar(entry, other, common)) continue;
    checks += kChecksARead;
    if (!similar(worker, entry, other)) continue;
    match(row, other.row);
    break;
  }
  return checks;
}

// False only where they are not. Sums of sizes, with a hair for rounding: what two similar sets
// have that the other has not is at most (1 - t) / (1 + t) of both sizes, what they share at least
// t / (1 + t).
bool NearDuplicateJoin::Work::may_be_similar(const PrefixEntry& a, const PrefixEntry& b,
                                             size_t common) const {
  const double t = options_.threshold;
  const double both = static_cast<double>(a.size) + static_cast<double>(b.size);
  const double most_different = (1 - t) / (1 + t) * both + 1e-6;
  const size_t difference = a.size < b.size ? b.size - a.size : a.size - b.size;
  if (static_cast<double>(difference) > most_different) return false;
  if (std::popcount(a.parity ^ b.parity) > most_different) return false;
  const size_t behind = std::min(a.size - a.position, b.size - b.position) - 1;
  return static_cast<double>(common + behind) >= t / (1 + t) * both - 1e-6;
}

bool NearDuplicateJoin::Work::similar(Worker& worker, const PrefixEntry& entry,
                                      const PrefixEntry& other) const {
  if (worker.set_at != entry.place) {
    worker.set.resize(entry.size);
    sets_.read(entry.place, worker.set);
    worker.set_at = entry.place;
  }
  worker.other.resize(other.size);
  sets_.read(other.place, worker.other);
  const size_t least = least_shared(options_.threshold, entry.size, other.size);
  return least <= std::min(entry.size, other.size) &&
         shared(worker.set, worker.other, least) >= least;
}

void NearDuplicateJoin::Work::match(std::uint32_t row, std::uint32_t earlier) {
  std::uint32_t known = earliest_[row].load(std::memory_order_relaxed);
  while (earlier < known &&
         !earliest_[row].compare_exchange_weak(known, earlier, std::memory_order_relaxed)) {
  }
}

// Two similar sets that need more than they have in common share one shingle more among their first
// prefix_length + common.
void NearDuplicateJoin::Work::divide(Worker& worker, std::span<const PrefixEntry> run,
                                     size_t common, PrefixEntries::Writer& next) {
  for (const PrefixEntry& entry : run) {
    worker.set.resize(entry.size);
    sets_.read(entry.place, worker.set);
    worker.set_at = entry.place;
    first_shingles(worker.set, counts_, prefix_length(options_.threshold, entry.size) + common,
                   worker.first);
    PrefixEntry one = entry;
    for (size_t i = entry.position + 1; i < worker.first.size(); ++i) {
      one.key = key_of(entry.key, worker.first[i].second);
      one.position = i & kMostShingles;
      next.add(one);
    }
  }
}

void NearDuplicateJoin::Work::read_row(std::uint32_t row, Set& set) const {
  std::uint64_t place = 0;
  places_.read(row, {&place, 1});
  std::uint64_t size = 0;
  sets_.read(place, {&size, 1});
  set.resize(size);
  sets_.read(place + 1, set);
}

NearDuplicateJoin::NearDuplicateJoin(const fs::path& scratch, const Options& options)
    : work_(std::make_unique<Work>(scratch, options)) {}

NearDuplicateJoin::~NearDuplicateJoin() = default;

void NearDuplicateJoin::add(std::span<const std::uint64_t> set) { work_->add(set); }

void NearDuplicateJoin::finish(const std::function<void(const Match&)>& on_match) {
  work_->finish(on_match);
}

}  // namespace selene::text
