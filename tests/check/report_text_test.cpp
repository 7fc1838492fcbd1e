#include "check/report_text.h"

#include <gtest/gtest.h>

#include "check/small_report.h"

namespace selene::check {
namespace {

TEST(ReportText, ARateStandsWithItsCountsAndInterval) {
  const RateLine line = small_report().overall;
  EXPECT_EQ(rate_text(line), "50.0% (1 of 2; 95% interval 25.0% to 75.0%)");
  EXPECT_EQ(rate_text({.name = "x", .unknown = 3}), "no answer counts");
}

TEST(ReportText, AThresholdIsShownAsItWasWritten) {
  EXPECT_EQ(threshold(0.9), "90%");
  EXPECT_EQ(threshold(0.975), "97.5%");
  EXPECT_EQ(threshold(0.9995), "99.95%");
  EXPECT_EQ(threshold(0.07), "7%");
}

TEST(ReportText, RequirementsAreWords) {
  EXPECT_EQ(requirement_text({.name = "x"}), "");
  EXPECT_EQ(requirement_text({.name = "x", .min_pass_rate = 0.9}), "at least 90%");
  EXPECT_EQ(requirement_text(small_report().lines[0]),
            "lower end at least 20%; at most 60 points below the baseline");
}

TEST(ReportText, AChangeIsNamedByItsWholeInterval) {
  EXPECT_EQ(change_text({.value = -0.05, .interval = {.low = -0.12, .high = 0.02}}),
            "-5.0 points (-12.0 to +2.0): cannot tell");
  EXPECT_EQ(change_text({.value = -0.05, .interval = {.low = -0.12, .high = -0.01}}),
            "-5.0 points (-12.0 to -1.0): worse");
  EXPECT_EQ(change_text({.value = 0.05, .interval = {.low = 0.01, .high = 0.09}}),
            "+5.0 points (+1.0 to +9.0): better");
}

TEST(ReportText, AnIntervalBesideZeroShowsItsSide) {
  EXPECT_EQ(change_text({.value = -0.05, .interval = {.low = -0.11, .high = -0.0002}}),
            "-5.00 points (-11.00 to -0.02): worse");
  EXPECT_EQ(change_digits({.value = -0.05, .interval = {.low = -0.11, .high = -0.0008}}, 2, 1), 3);
  EXPECT_EQ(change_digits({.value = -0.05, .interval = {.low = -0.11, .high = 0}}, 2, 1), 2);
}

TEST(ReportText, AnOutcomeFailsTheGateCountsOrDecidesNothing) {
  Report report = small_report();
  const auto part = [&](size_t check) { return part_in_gate(report, report.answers[0], check); };
  EXPECT_EQ(part(1), Part::FailsGate);  // Its answer fails the overall line.
  report.overall.failure.reset();
  EXPECT_EQ(part(1), Part::Counts);
  report.answers[0].status = Status::Passed;  // Other checks outweigh it.
  EXPECT_EQ(part(1), Part::None);
  EXPECT_EQ(part(0), Part::Counts);  // Its own line has a threshold.
  report.lines[0].failure = "too few";
  EXPECT_EQ(part(0), Part::FailsGate);
}

TEST(ReportText, ACutTextEndsWithAWholeCharacterAndSaysHowMuchIsLeft) {
  EXPECT_EQ(cut_to_bytes("abc", 3), "abc");
  EXPECT_EQ(cut_to_bytes("aéé", 4), "aé… (2 more bytes)");
  EXPECT_EQ(cut_to_bytes("a\xFF", 3), "a\xEF\xBF\xBD");
}

TEST(ReportText, DetailsAreALineEach) {
  EXPECT_EQ(details_text(small_report().answers[0].outcomes[0]),
            "label: No\nlabel by a person: No\nprobabilities: Yes 0.250, No 0.750\nmargin: 0.500\n"
            "flags: truncated\ncritique: It names no day.\nIt is polite.");
  EXPECT_EQ(details_text(outcome(Status::Failed, "reason")), "");
}

TEST(ReportText, ATurnIsFromPassedToFailedOrBack) {
  const Report report = small_report();
  EXPECT_EQ(turn(report, report.changes[0]), Turn::NowFailing);
  EXPECT_EQ(turn(report, report.changes[1]), Turn::NowPassing);
  EXPECT_EQ(turn(report, report.changes[2]), Turn::Other);
}

}  // namespace
}  // namespace selene::check
