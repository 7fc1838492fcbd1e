#include "check/result.h"

#include <gtest/gtest.h>

#include "check/small_report.h"

namespace selene::check {
namespace {

TEST(CheckResult, EveryStatusHasAName) {
  EXPECT_EQ(status_name(Status::Passed), "passed");
  EXPECT_EQ(status_name(Status::Failed), "failed");
  EXPECT_EQ(status_name(Status::Unknown), "unknown");
  EXPECT_EQ(status_name(Status::Skipped), "skipped");
}

TEST(CheckResult, ARowHoldsWhatIsThereAndNothingElse) {
  const Report report = small_report();
  EXPECT_EQ(
      to_json(report.answers[0], report.checks).dump(),
      R"({"id":"a","status":"failed","score":0.0,"checks":{"helpful":{"status":"failed",)"
      R"("reason":"the judge says No","label":"No","probabilities":{"Yes":0.25,"No":0.75},)"
      R"("margin":0.5,"critique":"It names no day.\nIt is polite.","flags":["truncated"],"human":"No"},)"
      R"("names a date":{"status":"failed","reason":"no match of '\\d+'"}},)"
      R"("fields":{"input":"When?","response":"Soon."}})");
  EXPECT_EQ(to_json(report.answers[1], report.checks).dump(),
            R"({"id":7,"status":"unknown","checks":{"helpful":{"status":"unknown",)"
            R"("reason":"the margin 0.01 is under 0.1","look":true},)"
            R"("names a date":{"status":"skipped"}},"fields":{"input":"Who?"}})");
}

TEST(CheckResult, ARowHasNoLineNumber) {
  Report report = small_report();
  const std::string before = to_json(report.answers[0], report.checks).dump();
  report.answers[0].line = 99;
  EXPECT_EQ(to_json(report.answers[0], report.checks).dump(), before);
}

TEST(CheckResult, AnAnswerWithoutFieldsHasAnEmptyObject) {
  EXPECT_EQ(to_json(answer("x", 1), {}).dump(),
            R"({"id":"x","status":"skipped","checks":{},"fields":{}})");
}

TEST(CheckResult, AnOutcomeOfNoCheckIsABug) {
  EXPECT_THROW(to_json(answer("x", 1), {"helpful"}), std::logic_error);
}

TEST(CheckResult, TheSummarySaysWhatDecided) {
  EXPECT_EQ(
      summary_json(small_report()).dump(),
      R"({"passed":false,"checks_file":"checks.yaml","answers_file":"answers.csv",)"
      R"("overall":{"name":"overall","passed":1,"failed":1,"unknown":1,"skipped":0,)"
      R"("rate":{"value":0.5,"low":0.25,"high":0.75},"min_pass_rate":0.9,"on":"point",)"
      R"("failure":"50.0% of 2 answers passed, at least 90% is required"},)"
      R"("checks":[{"name":"helpful","passed":1,"failed":1,"unknown":1,"skipped":0,)"
      R"("rate":{"value":0.5,"low":0.25,"high":0.75},"min_pass_rate":0.2,"on":"lower",)"
      R"("change":{"value":-0.5,"low":-0.75,"high":0.0},"max_drop":0.6},)"
      R"({"name":"names a date","passed":1,"failed":1,"unknown":0,"skipped":1,)"
      R"("rate":{"value":0.5,"low":0.25,"high":0.75}}],)"
      R"("agreement":[{"check":"helpful","items":1,"observed":{"value":1.0,"low":0.25,"high":1.0},)"
      R"("most_frequent":1.0,"labels":["Yes","No"],"counts":[[0,0],[0,1]]}],)"
      R"("baseline":{"file":"old.jsonl","changes":[)"
      R"({"id":"a","check":"helpful","before":"passed","now":"failed"},)"
      R"({"id":"c","check":"names a date","before":"failed","now":"passed"},)"
      R"({"id":7,"check":"helpful","before":"passed","now":"unknown"}]}})");
}

TEST(CheckResult, FailuresAreListedThoseOfTheGateFirst) {
  Report report = small_report();
  report.overall = {.name = "overall"};
  report.lines[1].failure = "too few";
  report.lines[0].min_pass_rate.reset();
  report.lines[0].max_drop.reset();
  EXPECT_EQ(failures_json(report).dump(),
            R"([{"id":"a","line":2,"check":"names a date","decides":true,)"
            R"("reason":"no match of '\\d+'"},{"id":"a","line":2,"check":"helpful",)"
            R"("decides":false,"reason":"the judge says No",)"
            R"("critique":"It names no day.\nIt is polite."}])");
  EXPECT_EQ(failures_json(long_report(1000, 10)).size(), 100U);
}

TEST(CheckResult, NotesAreInTheSummary) {
  Report report = small_report();
  EXPECT_FALSE(summary_json(report).contains("notes"));
  report.notes = {"x"};
  EXPECT_EQ(summary_json(report)["notes"].dump(), R"(["x"])");
}

TEST(CheckResult, TheSummaryWithoutBaselineAndPeopleHasNeither) {
  const nlohmann::ordered_json summary = summary_json(long_report(1, 0));
  EXPECT_FALSE(summary.contains("baseline"));
  EXPECT_FALSE(summary.contains("agreement"));
  EXPECT_FALSE(summary["overall"].contains("rate"));
}

}  // namespace
}  // namespace selene::check
