#include "bench/reports.h"

#include <gtest/gtest.h>

#include <cmath>

#include <algorithm>

#include "small_report.h"
#include "small_run.h"

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;
using Reports = std::vector<Report>;

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Reports, ARunHasItsJudgesNameAndItsFolderWhereTwoHaveTheSame) {
  EXPECT_EQ(run_names(Reports{small_report("a"), small_report("b")}),
            (std::vector<std::string>{"a", "b"}));
  Reports same = {small_report("a"), small_report("a")};
  same[1].folder = "runs/tuned";
  EXPECT_EQ(run_names(same), (std::vector<std::string>{"a (runs/a)", "a (runs/tuned)"}));
  same[0].judge.clear();
  EXPECT_EQ(run_names(same)[0], "runs/a");
}

TEST(Reports, ABenchmarkHasTheRunsThatHaveIt) {
  Reports reports = {small_report("a"), small_report("b")};
  std::swap(reports[0].scores[0], reports[0].scores[1]);
  reports[1].scores.pop_back();
  const auto benchmarks = by_benchmark(reports);
  ASSERT_EQ(benchmarks.size(), 2u);
  EXPECT_EQ(benchmarks[0].front().score->benchmark, "hhh");  // In the averages: first.
  EXPECT_EQ(benchmarks[0].size(), 2u);
  EXPECT_EQ(benchmarks[1].size(), 1u);
}

TEST(Reports, PublishedRowsOfAllRunsAreOneRowEach) {
  Reports reports = {small_report("a"), small_report("b")};
  reports[1].published[0].values.emplace_back("autoj", 0.513);
  const std::vector<Published> rows = published_beside(reports);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].values.size(), 2u);
}

TEST(Reports, CommonAveragesAreOverWhatEveryRunHas) {
  Reports reports = {small_report("a", 0.6), small_report("b", 0.7)};
  Score second = pair_score("a", 0.8);
  second.benchmark = "mt-bench";
  second.task = second.average = "absolute";
  reports[0].scores.push_back(second);
  CommonAverages averages = common_averages(reports);
  EXPECT_EQ(averages.benchmarks, std::vector<std::string>{"hhh"});
  ASSERT_EQ(averages.rows.size(), 3u);
  EXPECT_DOUBLE_EQ(averages.rows[0].benchmark_average, 0.6);
  EXPECT_EQ(averages.rows[2].model, "GPT-4o");

  second.figure.value = 0.4;
  reports[1].scores.push_back(second);
  averages = common_averages(reports);
  EXPECT_EQ(averages.benchmarks, (std::vector<std::string>{"mt-bench", "hhh"}));
  ASSERT_EQ(averages.rows.size(), 2u);  // The published row has no mt-bench.
  EXPECT_DOUBLE_EQ(averages.rows[0].benchmark_average, 0.7);
  EXPECT_DOUBLE_EQ(averages.rows[1].task.at("absolute"), 0.4);
}

TEST(Reports, TheTaskAverageIsOfTheTasksMeans) {
  Reports reports = {small_report("a", 0.6)};
  for (const double value : {0.1, 0.3}) {
    Score score = pair_score("a", value);
    score.benchmark = value < 0.2 ? "mt-bench" : "flask";
    score.average = "absolute";
    reports[0].scores.push_back(score);
  }
  const CommonAverages averages = common_averages(reports);
  EXPECT_DOUBLE_EQ(averages.rows[0].task_average, (0.6 + (0.1 + 0.3) / 2) / 2);
  EXPECT_DOUBLE_EQ(averages.rows[0].benchmark_average, (0.6 + 0.1 + 0.3) / 3);
}

// By hand: of figures .1 from their ends, the mean's ends are so far as the root of the squares.
TEST(Reports, AveragesOfRunsHaveIntervals) {
  Reports reports = {small_report("a", 0.6)};
  Score score = pair_score("a", 0.2);
  score.benchmark = "mt-bench";
  score.average = "absolute";
  reports[0].scores.push_back(score);
  score.benchmark = "flask";
  reports[0].scores.push_back(score);
  CommonAverages averages = common_averages(reports);
  const double by_benchmark = std::sqrt(3 * 0.01) / 3;
  ASSERT_TRUE(averages.rows[0].benchmark_interval.has_value());
  EXPECT_NEAR(averages.rows[0].benchmark_interval->high, 1.0 / 3 + by_benchmark, 1e-12);
  EXPECT_NEAR(averages.rows[0].benchmark_interval->low, 1.0 / 3 - by_benchmark, 1e-12);
  const double by_task = std::sqrt(0.01 / 4 + 2 * 0.01 / 16);
  EXPECT_NEAR(averages.rows[0].task_interval->high, 0.4 + by_task, 1e-12);
  EXPECT_EQ(to_json(averages)["rows"][0]["benchmark_interval"].size(), 2u);
  reports[0].scores.back().figure.interval.reset();
  averages = common_averages(reports);
  EXPECT_FALSE(averages.rows[0].benchmark_interval.has_value());
}

TEST(Reports, EveryFormHasTheIntervalsOfBaselinesAndAverages) {
  const Reports one = {small_report("ours", 0.7)};
  const std::string text = report_text(one, {.columns = 200, .color = false});
  EXPECT_NE(text.find("pairwise              .700  [.600, .800]   1 of 6 only"), std::string::npos)
      << text;
  EXPECT_NE(text.find("always A                              .500  [.375, .625]"),
            std::string::npos)
      << text;
  const std::string markdown = report_markdown(one);
  EXPECT_NE(markdown.find("| pairwise | .700 | [.600, .800] | 1 of 6 only |"), std::string::npos)
      << markdown;
  EXPECT_NE(markdown.find("| hhh | always A | .500 | [.375, .625] |"), std::string::npos)
      << markdown;
  const Json json = to_json(one);
  EXPECT_EQ(json["averages"][0]["interval"].size(), 2u);
  EXPECT_EQ(json["scores"][0]["baselines"][0]["interval"], Json::parse("[0.375, 0.625]"));
}

TEST(Reports, WhatWasPublishedUnderAnUnknownReadingStandsApart) {
  const Reports one = {small_report()};
  const std::string apart =
      "  Llama                craft-md .640 craft-md/terms .790  (arXiv 2501.17195; items unknown)";
  EXPECT_NE(report_text(one, {.columns = 200, .color = false}).find(apart), std::string::npos);
  EXPECT_NE(report_markdown(one).find("| Llama | .640 | .790 | arXiv 2501.17195; items unknown |"),
            std::string::npos)
      << report_markdown(one);
  EXPECT_EQ(to_json(one)["published_apart"][0]["reading"], "items unknown");
  EXPECT_EQ(common_averages(one).rows.size(), 2u);  // It is in no average.
}

TEST(Reports, TheItemsToReadComeWithTheirCritiques) {
  const selene::testing::TemporaryFolder folder;
  const Report report = read_report(write_small_run(folder, "run", "ours"), {});
  ASSERT_EQ(report.scores.size(), 1u);
  ASSERT_EQ(report.scores[0].disagreements.size(), 1u);
  EXPECT_EQ(report.scores[0].disagreements[0].id, "wrong");
  EXPECT_EQ(report.scores[0].disagreements[0].critique, "A is longer.");
}

TEST(Reports, JsonOfOneRunIsItsReport) {
  const Reports one = {small_report()};
  EXPECT_EQ(to_json(one), to_json(one[0]));
  EXPECT_EQ(to_json(one)["scores"][0]["task"], "pairwise");
  EXPECT_EQ(to_json(one)["scores"][1]["average"], nullptr);
  EXPECT_EQ(to_json(one)["scores"][0]["disagreements"][0]["critique"], "B is shorter.");
}

TEST(Reports, JsonOfSeveralIsAListWithNames) {
  const Json json = to_json(Reports{small_report("a"), small_report("b")});
  ASSERT_EQ(json["runs"].size(), 2u);
  EXPECT_EQ(json["runs"][1]["name"], "b");
  EXPECT_EQ(json["runs"][1]["scores"].size(), 2u);
  EXPECT_EQ(json["common_averages"]["rows"].size(), 3u);
}

TEST(Reports, SeveralRunsAreRowsOfEachBenchmark) {
  const Reports two = {small_report("alpha", 0.6), small_report("beta", 0.7)};
  const std::string text = report_text(two, {.columns = 200, .color = false});
  EXPECT_EQ(count(text, "\nhhh "), 1u) << text;
  EXPECT_EQ(count(text, "\n                                "), 2u) << text;
  EXPECT_NE(text.find("flask  not run by beta: data not present"), std::string::npos) << text;
  EXPECT_NE(text.find("averages of what was run of beta"), std::string::npos) << text;
  const std::string markdown = report_markdown(two);
  EXPECT_NE(markdown.find("# Benchmarks: alpha, beta\n"), std::string::npos) << markdown;
  EXPECT_NE(markdown.find("| hhh | alpha | accuracy (mean) | 20/221 | .600 |"), std::string::npos)
      << markdown;
  EXPECT_NE(markdown.find("| hhh | beta |"), std::string::npos) << markdown;
}

TEST(Reports, OneRunHasNoColumnForIt) {
  const Reports one = {small_report()};
  const std::string text = report_text(one, {.columns = 200, .color = false});
  EXPECT_EQ(text.find("run  "), std::string::npos) << text;
  EXPECT_EQ(report_markdown(one).find("| run |"), std::string::npos);
}

TEST(Reports, AMarkdownCellIsOneCell) {
  const Reports hostile = {hostile_report()};
  const std::string markdown = report_markdown(hostile);
  size_t at = 0;
  size_t lines = 0;
  for (size_t end = 0; (end = markdown.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = markdown.substr(at, end - at);
    if (!line.starts_with("| hhh") && !line.starts_with("| flask")) continue;
    // The two rows of the figures come first; those of the baselines have four cells.
    const size_t bars = lines++ < 2 ? 12 : 5;
    EXPECT_EQ(count(line, "|") - count(line, "\\|"), bars) << line;
  }
  EXPECT_EQ(lines, 5u);
}

}  // namespace
}  // namespace selene::bench
