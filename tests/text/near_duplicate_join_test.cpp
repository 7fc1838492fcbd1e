#include "text/near_duplicate_join.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "failing_writes.h"
#include "small_disk.h"
#include "temporary_folder.h"

#include "core/error.h"
#include "text/random_sets.h"
#include "text/shingles.h"

namespace selene::text {
namespace {

using testing::hashed;
using testing::random_sets;
using Set = testing::ShingleSet;
using Options = NearDuplicateJoin::Options;

// A line a match.
std::string join(const std::vector<Set>& rows, const Options& options) {
  const testing::TemporaryFolder folder;
  NearDuplicateJoin join(folder.path(), options);
  for (const Set& row : rows) join.add(row);
  std::string found;
  join.finish([&](const NearDuplicateJoin::Match& match) {
    found += fmt::format("{} {} {}\n", match.row, match.earlier, match.similarity);
  });
  return found;
}

// Each row against every earlier one.
std::string plainly(const std::vector<Set>& rows, double threshold) {
  std::string found;
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t earlier = 0; earlier < row && !rows[row].empty(); ++earlier) {
      const double similarity = jaccard(rows[row], rows[earlier]);
      if (similarity < threshold) continue;
      found += fmt::format("{} {} {}\n", row, earlier, similarity);
      break;
    }
  }
  return found;
}

size_t lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(NearDuplicateJoin, FindsWhatThePlainWayFinds) {
  for (const double threshold : {0.3, 0.5, 2.0 / 3, 0.8, 0.9, 1.0}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const std::vector<Set> rows = random_sets(seed, 500);
      const std::string expected = plainly(rows, threshold);
      EXPECT_GT(lines(expected), 30u);
      EXPECT_EQ(join(rows, {.threshold = threshold}), expected) << threshold << ", seed " << seed;
    }
  }
}

TEST(NearDuplicateJoin, IsTheSameForAnyThreadsAndParts) {
  const std::vector<Set> rows = random_sets(7, 20000, 40, 20000);
  const std::string expected = join(rows, {.threshold = 0.7});
  EXPECT_GT(lines(expected), 5000u);
  EXPECT_EQ(join(rows, {.threshold = 0.7, .threads = 2}), expected);
  EXPECT_EQ(join(rows, {.threshold = 0.7, .threads = 4, .part_entries = 1000}), expected);
}

// Few shingles, all in many rows: runs are divided by two shingles and by three.
TEST(NearDuplicateJoin, RowsThatAllShareAreFoundToo) {
  for (const double threshold : {0.3, 0.6, 0.8}) {
    for (const std::uint64_t vocabulary : {12, 30}) {
      const std::vector<Set> rows = random_sets(vocabulary, 3000, 12, vocabulary);
      const std::string expected = plainly(rows, threshold);
      EXPECT_GT(lines(expected), 1000u);
      for (const size_t most_checks : {0, 1, 20, 1000}) {
        EXPECT_EQ(join(rows, {.threshold = threshold, .threads = 2, .most_checks = most_checks}),
                  expected)
            << threshold << ", " << vocabulary << " shingles, " << most_checks << " checks";
      }
    }
  }
}

TEST(NearDuplicateJoin, TheEarliestRowIsNamedWhetherItHasAMatchOrNot) {
  std::set<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < 9; ++i) numbers.insert(i);
  const Set first = hashed(numbers);
  numbers.insert(9);
  const Set second = hashed(numbers);  // 9 of 10.
  numbers.insert(10);
  const Set third = hashed(numbers);  // 10 of 11 with the second, 9 of 11 with the first.
  EXPECT_EQ(join({first, {}, second, third, second, {}}, {.threshold = 0.85}),
            fmt::format("2 0 {}\n3 2 {}\n4 0 {}\n", 0.9, 10.0 / 11, 0.9));
  EXPECT_EQ(join({{}, {}}, {}), "");
  EXPECT_EQ(join({}, {}), "");
}

// 20,000 equal rows, and 20,000 of one template: a hundred shingles and a few of their own, from
// near duplicates to rows that almost are. Each would be 200 million pairs.
TEST(NearDuplicateJoin, CopiesAndTemplatesCostNoPairEach) {
  Random random(1);
  std::vector<Set> rows(20000, hashed({1, 2, 3}));
  std::set<std::uint64_t> common;
  for (std::uint64_t i = 0; i < 100; ++i) common.insert(1000 + i);
  for (size_t row = 0; row < 20000; ++row) {
    std::set<std::uint64_t> set = common;
    const std::uint64_t own = 8 + random.next() % 10;
    for (std::uint64_t i = 0; i < own; ++i) set.insert(random.next());
    rows.push_back(hashed(set));
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string found = join(rows, {.threshold = 0.8, .threads = 2});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(lines(found), 19999u + 15000u);
  EXPECT_LT(took.count(), 20) << "a sanitizer's seconds; one without";
}

TEST(NearDuplicateJoin, LeavesNothingInItsFolder) {
  const testing::TemporaryFolder folder;
  {
    NearDuplicateJoin join(folder.path(), {});
    for (const Set& row : random_sets(1, 100)) join.add(row);
    EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(NearDuplicateJoin, AFullDiskIsSaidWithItsFile) {
  const testing::TemporaryFolder folder;
  const std::vector<Set> rows = random_sets(1, 20000);
  const auto said = testing::on_small_disk(folder.path(), 3 << 20, [&] {
    return testing::message_of<Error>([&] {
      NearDuplicateJoin join(folder.path(), {.threads = 2});
      for (const Set& row : rows) join.add(row);
      join.finish([](const auto&) {});
    });
  });
  if (!said) GTEST_SKIP() << "no disk can be mounted here";
  EXPECT_NE(said->find("near-duplicates-"), std::string::npos) << *said;
  EXPECT_TRUE(
      said->ends_with(": cannot write: No space left on device; free some space and run the "
                      "same command again"))
      << *said;
}

TEST(NearDuplicateJoin, AWriteThatFailsIsSaidWithItsFile) {
  const testing::TemporaryFolder folder;
  const std::vector<Set> rows = random_sets(1, 20000);
  std::string said;
  {
    NearDuplicateJoin join(folder.path(), {});
    const testing::FailingWrites failing(1 << 20);
    said = testing::message_of<Error>([&] {
      for (const Set& row : rows) join.add(row);
    });
  }
  EXPECT_TRUE(said.ends_with("/sets: cannot write: File too large")) << said;
}

TEST(NearDuplicateJoin, TooLargeASetIsRefused) {
  const testing::TemporaryFolder folder;
  NearDuplicateJoin join(folder.path(), {});
  const std::span<const std::uint64_t> set(static_cast<const std::uint64_t*>(nullptr), 1 << 24);
  EXPECT_EQ(testing::message_of<Error>([&] { join.add(set); }),
            "a text has 16777216 shingles: near duplicates are found among texts of at most "
            "16777215");
}

}  // namespace
}  // namespace selene::text
