#include "core/progress.h"

#include <gtest/gtest.h>

namespace selene {
namespace {

std::string line(Progress::Options options, std::uint64_t done, std::uint64_t resumed,
                 double seconds) {
  return Progress::line(options, done, resumed, seconds);
}

TEST(Progress, ShowsDoneTotalRateAndTimeLeft) {
  EXPECT_EQ(line({.label = "judging", .total = 124}, 12, 0, 6),
            "judging: 12/124 rows  2.0 rows/s  0:56 left");
}

TEST(Progress, SlowWorkIsShownAsSecondsARow) {
  EXPECT_EQ(line({.label = "", .total = 10}, 2, 0, 9), "2/10 rows  4.5 s a row  0:36 left");
}

TEST(Progress, LongTimesHaveHours) {
  EXPECT_EQ(line({.label = "", .total = 10'001}, 1, 0, 1),
            "1/10001 rows  1.0 rows/s  2:46:40 left");
}

TEST(Progress, BytesAreMegabytes) {
  EXPECT_EQ(line({.label = "model", .total = 4'920'000'000, .bytes = true}, 1'230'000'000, 0, 100),
            "model: 1230.0/4920.0 MB  12.3 MB/s  5:00 left");
}

TEST(Progress, WorkFromBeforeDoesNotCountForTheRate) {
  EXPECT_EQ(line({.label = "", .total = 100}, 60, 50, 10), "60/100 rows  1.0 rows/s  0:40 left");
  EXPECT_EQ(line({.label = "", .total = 100}, 50, 50, 10), "50/100 rows");
}

TEST(Progress, WithoutATotalThereIsNoTimeLeft) {
  EXPECT_EQ(line({.label = ""}, 20, 0, 10), "20 rows  2.0 rows/s");
}

TEST(Progress, AtTheStartAndTheEndNothingIsGuessed) {
  EXPECT_EQ(line({.label = "", .total = 5}, 0, 0, 0), "0/5 rows");
  EXPECT_EQ(line({.label = "", .total = 5}, 5, 0, 5), "5/5 rows  1.0 rows/s");
}

TEST(Progress, IsSilentWhenShortAndNotOnATerminal) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress({.label = "judging", .total = 3});
    progress.add(1);
    progress.set(3);
    progress.clear();
    progress.finish();
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace selene
