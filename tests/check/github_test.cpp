#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "check/reports.h"
#include "check/small_report.h"

namespace selene::check {
namespace {

std::vector<std::string> lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}

TEST(GithubAnnotations, TheDecisionComesFirst) {
  EXPECT_EQ(github_annotations(small_report()),
            "::error file=checks.yaml,title=the gate failed%3A overall::50.0%25 of 2 answers "
            "passed, at least 90%25 is required\n"
            "::error file=answers.csv,line=2,title=a%3A helpful failed::the judge says No%0AIt "
            "names no day.%0AIt is polite.\n"
            "::error file=answers.csv,line=2,title=a%3A names a date failed::no match of '\\d+'\n");
}

TEST(GithubAnnotations, FailuresUnderAPassedGateWarn) {
  Report report = small_report();
  report.passed = true;
  report.overall.failure.reset();
  const std::vector<std::string> all = lines(github_annotations(report));
  ASSERT_EQ(all.size(), 2u);
  for (const std::string& line : all) EXPECT_TRUE(line.starts_with("::warning file=")) << line;
}

TEST(GithubAnnotations, WhatFailedTheGateComesBeforeWhatDecidesNothing) {
  Report report = small_report();
  report.overall = {.name = "overall"};
  report.lines[1].failure = "too few";
  report.lines[0].min_pass_rate.reset();
  report.lines[0].max_drop.reset();
  report.notes = {"the check 'x' is for\nnone"};
  EXPECT_EQ(github_annotations(report),
            "::error file=checks.yaml,title=the gate failed%3A names a date::too few\n"
            "::error file=answers.csv,line=2,title=a%3A names a date failed::no match of '\\d+'\n"
            "::notice title=selene check::failed checks that decide nothing, not shown here: 1\n"
            "::notice title=selene check::the check 'x' is for%0Anone\n");
}

TEST(GithubAnnotations, NothingFailedIsNothingSaid) {
  Report report;
  report.passed = true;
  EXPECT_EQ(github_annotations(report), "");
}

TEST(GithubAnnotations, HostileTextStartsNoCommand) {
  const std::string text = github_annotations(hostile_report());
  const std::vector<std::string> all = lines(text);
  EXPECT_EQ(all.size(), 3u);
  for (const std::string& line : all) {
    EXPECT_TRUE(line.starts_with("::error file=")) << line;
    // The command ends at its first "::": the properties hold no colon of the text.
    const std::string command = line.substr(2, line.find("::", 2) - 2);
    EXPECT_EQ(command.find(':'), std::string::npos) << command;
    EXPECT_NE(command.find(",title="), std::string::npos) << command;
  }
  for (const char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
}

TEST(GithubAnnotations, FiftyAreShownAndTheRestCounted) {
  const std::vector<std::string> all = lines(github_annotations(long_report(60, 1'000'000)));
  ASSERT_EQ(all.size(), 52u);  // The decision, and how many are left off.
  EXPECT_EQ(all.back(), "::notice title=selene check::10 more failed checks are not shown here");
  for (const std::string& line : all) EXPECT_LT(line.size(), 3000u);
}

}  // namespace
}  // namespace selene::check
