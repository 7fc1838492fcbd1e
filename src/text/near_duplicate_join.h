// Near duplicates among any number of texts, exactly, with the texts' shingles on disk.
//
// A set similarity join by prefixes (prefix.h): entries of the first shingles of every set go to
// parts on disk by shingle, and sets that share one are compared within a part. Most pairs end at
// their sizes, at the places of the shared shingle (Xiao and others, 2008) or at 64 parity bits of
// the sets (Sandes, Teodoro and Melo, "Bitmap filter: speeding up exact set similarity joins with
// bitwise operations", Information Systems 88, 2020); the rest are read and compared.
//
// Memory: about 100 MiB and 20 a thread, and 4 bytes a row; beside them 32 bytes for each of the
// rows that have one certain shingle among their first. Disk, in the scratch folder: 48 bytes a row
// and 8 a shingle, and 32 bytes for each first shingle (a share of 1 - threshold, and one a row).
//
// Time: linear, but for sets that share a rare shingle. Where many rows share one:
// - equal sets are found by a digest of 128 bits, and only the first of them is compared;
// - a row's search ends at the first row, in their order, that it is similar to, and looks only at
//   sizes with which it can be similar by the place of the shingle;
// - where there is still more than `most_checks` to do for each row, those rows are parted again by
//   two shared shingles, then by three, as two similar sets share d of their first shingles where
//   they have d - 1 more of them (Wang, Li and Feng, "Can we beat the prefix filtering?", SIGMOD
//   2012).
// So what stays quadratic are rows that are all different, not similar, and share three of their
// rarest shingles: a nanosecond or two a pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace selene::text {

class NearDuplicateJoin {
 public:
  struct Options {
    double threshold = 0.8;         // Above 0 and at most 1.
    size_t threads = 1;             // Of finish().
    size_t most_checks = 4000;      // A row and shared shingle; see above.
    size_t part_entries = 1 << 20;  // In a part on disk, on average: 32 bytes each.
  };
  // Files are made in a folder of their own within `scratch`, and removed at the end.
  NearDuplicateJoin(const std::filesystem::path& scratch, const Options& options);
  ~NearDuplicateJoin();

  // The next row: the first is row 0. `set` is sorted and without repetition (Shingler); an empty
  // one is similar to none. Throws Error at a full disk, above 2^31 - 2 rows and for a set of more
  // than 2^24 - 1 shingles.
  void add(std::span<const std::uint64_t> set);

  struct Match {
    std::uint32_t row;
    std::uint32_t earlier;  // The first of all rows that the row is similar to, in their order.
    double similarity;
  };
  // Once, after the last row: each row that an earlier one is similar to, in the order of rows,
  // whether or not the earlier one has a match itself. The same for any number of threads.
  void finish(const std::function<void(const Match&)>& on_match);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace selene::text
