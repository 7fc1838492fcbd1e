// A run over a small benchmark, and what is read of it: report, comparison, export.
#include <gtest/gtest.h>

#include "bench/compare.h"
#include "bench/export.h"
#include "bench/figures.h"
#include "bench/reports.h"
#include "bench/robustness.h"
#include "bench/runner.h"
#include "bench/texts.h"
#include "core/error.h"
#include "data/jsonl.h"
#include "judge/scripted_judge.h"
#include "small_benchmark.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using selene::testing::message_of;
using selene::testing::ScriptedJudge;
using selene::testing::slurp;
using selene::testing::TemporaryFolder;
using Json = nlohmann::ordered_json;

judge::Policy both_orders() {
  judge::Policy policy;
  policy.mode = judge::Mode::Verdict;
  policy.order = judge::Order::Both;
  return policy;
}

// Prefers the longer prompt's first response.
engine::Result says_first(const engine::Request&) { return selene::testing::scored({0.7, 0.3}); }

// Right wherever it stands: the six better responses.
engine::Result says_right(const engine::Request& request) {
  const std::string& text = request.messages.back().content;
  for (const char* better : {"\n2, of course\n", "\n4\n", "\n6\n", "\nMadrid\n"}) {
    if (const size_t place = text.find(better); place != std::string::npos)
      return selene::testing::scored(place < text.find("Response B")
                                         ? std::vector<double>{0.9, 0.1}
                                         : std::vector<double>{0.1, 0.9});
  }
  return selene::testing::scored({0.5, 0.5});
}

class BenchRun : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
    folder_.file("rows.jsonl", kSmallRows);
    spec_ = small_spec();
  }

  // Judges into RUN/small.jsonl; false when stopped after `most` items.
  bool run(const std::string& name, engine::Script script, std::int64_t context_limit = 0,
           size_t most = 100) {
    fs::create_directories(folder_ / name);
    ScriptedJudge scripted(std::move(script), {both_orders()}, "", {}, context_limit);
    const ItemSet items = choose_items(spec_, spec_.source, folder_.path(), {});
    const Work work{.spec = spec_,
                    .selection = spec_.source,
                    .data = folder_.path(),
                    .items = items,
                    .seed = 0};
    data::RowOutput output(folder_ / (name + "/small.jsonl"), false);
    output.begin(describe(work, {{"name", "tested"}}));
    judged_ = kept_ = 0;
    const bool done = bench::run(work, scripted.judge, output,
                                 {.kept = [&](size_t count) { kept_ = count; },
                                  .judged = [&] { ++judged_; },
                                  .stop = [&] { return judged_ >= most; }});
    asked_ = scripted.asked->size();
    if (!done) return false;
    folder_.file(name + "/small.yaml", spec_.text);
    RunRecord record("bench run");
    record.fields()["work"] = describe(work, {{"name", "tested"}});
    record.fields()["data"] = folder_.path().string();
    output.finish(record);
    return true;
  }
  fs::path rows(const std::string& name) const { return folder_ / (name + "/small.jsonl"); }

  TemporaryFolder folder_;
  Spec spec_;
  size_t judged_ = 0;
  size_t kept_ = 0;
  size_t asked_ = 0;
};

TEST_F(BenchRun, ItsRowsHoldWhatScoringNeeds) {
  ASSERT_TRUE(run("run", says_right));
  EXPECT_EQ(judged_, 6u);
  EXPECT_EQ(asked_, 12u);
  const Scored scored = read_scored(spec_, rows("run"));
  ASSERT_EQ(scored.items.size(), 6u);
  EXPECT_TRUE(scored.both_orders);
  EXPECT_EQ(scored.groups, (std::vector<std::string>{"sums", "places"}));
  EXPECT_EQ(scored.judge, "tested");
  for (size_t i : {0, 1, 2, 5}) {
    EXPECT_EQ(scored.items[i].label, scored.items[i].truth) << i;
    EXPECT_EQ(scored.items[i].label_ab, scored.items[i].truth) << i;
    EXPECT_EQ(scored.items[i].label_ba, scored.items[i].truth) << i;
  }
  EXPECT_EQ(scored.items[0].lengths[0] + scored.items[0].lengths[1], 13u);
}

TEST_F(BenchRun, GoesOnWhereItStopped) {
  ASSERT_TRUE(run("straight", says_right));
  EXPECT_FALSE(run("stopped", says_right, 0, 2));
  EXPECT_TRUE(run("stopped", says_right));
  EXPECT_GE(kept_, 1u);
  EXPECT_EQ(kept_ + judged_, 6u);
  EXPECT_EQ(slurp(rows("straight")), slurp(rows("stopped")));
}

TEST_F(BenchRun, KeptRowsOfOtherItemsAreRefused) {
  EXPECT_FALSE(run("run", says_right, 0, 2));
  const fs::path part = rows("run").string() + ".part";
  std::string text = slurp(part);
  text.replace(text.find("\"id\":\"a\""), 8, "\"id\":\"z\"");
  folder_.file("run/small.jsonl.part", text);
  const std::string said = message_of<Error>([&] { run("run", says_right); });
  EXPECT_NE(said.find("this row is not the judgment of the benchmark's item"), std::string::npos)
      << said;
}

TEST_F(BenchRun, AnItemThatDoesNotFitIsNotJudgedAndStopsNothing) {
  ASSERT_TRUE(run("run", says_right, 1));
  const Score made = score(spec_, read_scored(spec_, rows("run")), {});
  EXPECT_EQ(made.skipped, 6u);
  ASSERT_EQ(made.reasons.size(), 6u);
  EXPECT_EQ(made.reasons[0].substr(0, 9), "overlong:");
}

TEST_F(BenchRun, IsReported) {
  ASSERT_TRUE(run("run", says_first));
  folder_.file(
      "run/run.json",
      R"({"benchmarks": {"small": {"items": 6}, "flask": {"not_run": "data not present: x"}}})");
  const Report report = read_report(folder_ / "run", {});
  ASSERT_EQ(report.scores.size(), 1u);
  EXPECT_EQ(report.scores[0].items_of_benchmark, 6u);
  ASSERT_EQ(report.not_run.size(), 1u);
  EXPECT_EQ(report.not_run[0].reason, "data not present: x");
  EXPECT_TRUE(report.averages.empty());
  const std::string text = report_text({&report, 1}, {.columns = 160, .color = false});
  EXPECT_NE(text.find("flask  not run: data not present: x"), std::string::npos) << text;
  EXPECT_NE(text.find("small"), std::string::npos) << text;
  const std::string markdown = report_markdown({&report, 1});
  EXPECT_NE(markdown.find("| small | accuracy (mean) | 6 |"), std::string::npos) << markdown;
  const Json json = to_json(report);
  EXPECT_EQ(json["scores"][0]["conventions"].size(), 4u);
  // Always the first: every verdict flips.
  EXPECT_EQ(json["scores"][0]["others"][0]["value"], 1.0);
}

// Which of the items are wrong depends on the sides that were drawn.
TEST_F(BenchRun, TheItemsToReadComeWithTheirTexts) {
  folder_.file("rows.jsonl", kSmallRows + R"({"id": "g", "input": ")" + std::string(5000, 'x') +
                                 R"(é", "response_a": "y", "response_b": "z", "label": "A"})" +
                                 "\n");
  ASSERT_TRUE(run("run", [](const engine::Request&) {
    return selene::testing::scored({0.7, 0.3});
  }));
  Report report = read_report(folder_ / "run", {});
  add_texts(report, "");
  EXPECT_EQ(report.scores[0].no_texts, "");
  ASSERT_FALSE(report.scores[0].disagreements.empty());
  size_t cut = 0;
  for (const Score::Disagreement& one : report.scores[0].disagreements) {
    ASSERT_EQ(one.texts.size(), 3u) << one.id;
    EXPECT_EQ(one.texts[0].name, "input");
    // The judge said A, so B is the better response: that of the row.
    EXPECT_EQ(one.texts[2].name, "response B");
    if (one.id == "a") {
      EXPECT_EQ(one.texts[2].text, "2, of course");
    }
    cut += one.texts[0].text.ends_with("… [1002 bytes more]");
    EXPECT_LE(one.texts[0].text.size(), kShownText + 30);
  }
  const bool has_long =
      std::any_of(report.scores[0].disagreements.begin(), report.scores[0].disagreements.end(),
                  [](const Score::Disagreement& one) { return one.id == "g"; });
  EXPECT_EQ(cut, has_long ? 1u : 0u);
  EXPECT_EQ(to_json(report)["scores"][0]["disagreements"][0]["texts"].size(), 3u);
  EXPECT_TRUE(to_json(report)["scores"][0]["no_texts"].is_null());
}

TEST_F(BenchRun, TextsThatAreNotThereSayWhy) {
  ASSERT_TRUE(run("run", says_first));
  Report report = read_report(folder_ / "run", {});
  fs::create_directories(folder_ / "elsewhere");
  add_texts(report, folder_ / "elsewhere");
  EXPECT_EQ(report.scores[0].no_texts, "data not present: rows.jsonl");
  EXPECT_TRUE(report.scores[0].disagreements[0].texts.empty());
  EXPECT_EQ(to_json(report)["scores"][0]["no_texts"], "data not present: rows.jsonl");
  folder_.file("run/small.jsonl.run.json", "{}");
  report = read_report(folder_ / "run", {});
  add_texts(report, "");
  EXPECT_EQ(report.scores[0].no_texts, "the run's record does not say where its data was");
}

TEST_F(BenchRun, WhatHasAFigureIsNotListedAsNotRun) {
  ASSERT_TRUE(run("run", says_first));
  folder_.file("run/run.json", R"({"benchmarks": {"small": {"not_run": "data not present: x"}}})");
  folder_.file("run/small.jsonl.part", "");
  EXPECT_TRUE(read_report(folder_ / "run", {}).not_run.empty());
}

// A benchmark of one's own may name a column, and a run of another reading too: neither stands
// beside published figures.
TEST_F(BenchRun, PublishedRowsAreOfTheSameReadingAlone) {
  spec_ = small_spec("column: hhh\n");
  ASSERT_TRUE(run("run", says_first));
  EXPECT_TRUE(read_report(folder_ / "run", {}).published.empty());
}

TEST_F(BenchRun, AFolderWithoutARunIsAnError) {
  fs::create_directories(folder_ / "empty");
  EXPECT_EQ(message_of<Error>([&] { read_report(folder_ / "empty", {}); }),
            (folder_ / "empty").string() + ": this is no folder of `selene bench run`");
}

TEST_F(BenchRun, RowsThatAreNoneNameTheirLine) {
  ASSERT_TRUE(run("run", says_first));
  folder_.file("run/small.jsonl", slurp(rows("run")) + "{\"id\": \"x\"}\n");
  const std::string said = message_of<Error>([&] { read_scored(spec_, rows("run")); });
  EXPECT_TRUE(said.starts_with(rows("run").string() + ":7: this is no row of a benchmark run"))
      << said;
}

TEST_F(BenchRun, TwoAreComparedItemByItem) {
  ASSERT_TRUE(run("first", says_first));
  ASSERT_TRUE(run("right", says_right));
  const RunComparison comparison = compare_runs(folder_ / "first", folder_ / "right", {});
  ASSERT_EQ(comparison.benchmarks.size(), 1u);
  const Comparison& one = comparison.benchmarks[0];
  EXPECT_EQ(one.items, 6u);
  EXPECT_DOUBLE_EQ(one.difference->value, one.second - one.first);
  ASSERT_TRUE(one.counts.has_value());
  EXPECT_EQ(one.counts->total(), 6);
  const RunComparison same = compare_runs(folder_ / "right", folder_ / "right", {});
  EXPECT_EQ(same.benchmarks[0].difference->value, 0);
  EXPECT_EQ(same.benchmarks[0].difference->interval.low, 0);
  EXPECT_EQ(same.benchmarks[0].difference->interval.high, 0);
  EXPECT_EQ(same.benchmarks[0].decision(), "cannot tell");
  EXPECT_NE(comparison_text(comparison, {.columns = 160, .color = false}).find("small"),
            std::string::npos);
}

// Of one item nothing is known of others: a difference without interval and p.
TEST_F(BenchRun, ADifferenceOfOneItemHasNoInterval) {
  folder_.file("rows.jsonl", kSmallRows.substr(0, kSmallRows.find('\n') + 1));
  ASSERT_TRUE(run("first", says_first));
  ASSERT_TRUE(run("right", says_right));
  const RunComparison comparison = compare_runs(folder_ / "first", folder_ / "right", {});
  const Comparison& one = comparison.benchmarks[0];
  EXPECT_FALSE(one.difference.has_value());
  EXPECT_EQ(one.decision(), "cannot tell");
  const Json json = to_json(comparison)["benchmarks"][0];
  EXPECT_EQ(json["difference"], one.second - one.first);
  EXPECT_TRUE(json["interval"].is_null());
  EXPECT_TRUE(json["p"].is_null());
  EXPECT_NE(comparison_text(comparison, {.columns = 160, .color = false}).find("too few"),
            std::string::npos);
}

TEST_F(BenchRun, IsExportedForRewardBench) {
  spec_ =
      small_spec("overall: sections\nsections: {all: {sums: 1, places: 3}}\nconvention: first\n");
  ASSERT_TRUE(run("run", says_right));
  const Json exported =
      Json::parse(find_export_format("rewardbench").write(folder_ / "run", "small"));
  EXPECT_EQ(exported["model"], "tested");
  EXPECT_EQ(exported["subset"], (Json{"sums", "sums", "sums", "places", "places", "places"}));
  EXPECT_EQ(exported["results"].size(), 6u);
  EXPECT_EQ(exported["results"][0], 1.0);
  EXPECT_EQ(
      message_of<Error>([&] { find_export_format("mt-bench").write(folder_ / "run", "small"); }),
      "small: this format is of benchmarks with scores, such as mt-bench");
  EXPECT_EQ(
      message_of<Error>([&] { find_export_format("rewardbench").write(folder_ / "run", "x"); }),
      (folder_ / "run").string() + ": the run holds no finished 'x'");
}

// Formats against the standard one, item by item.
TEST_F(BenchRun, AStudyOfFormatsCountsFlips) {
  ASSERT_TRUE(run("formats/pairwise", says_right));
  ASSERT_TRUE(run("formats/pairwise-json", says_first));
  ASSERT_TRUE(run("formats/pairwise-terse", says_right));
  ASSERT_TRUE(run("probes/padding", says_first));
  const Robustness study = read_robustness(folder_.path(), "small", {});
  ASSERT_EQ(study.formats.size(), 3u);
  EXPECT_EQ(study.formats[0].name, "pairwise");
  EXPECT_EQ(study.formats[1].name, "pairwise-terse");
  EXPECT_EQ(study.formats[1].flips, 0u);
  EXPECT_EQ(study.formats[1].difference->value, 0);
  const FormatResult& json = study.formats[2];
  EXPECT_EQ(json.name, "pairwise-json");
  const Scored right = read_scored(spec_, folder_ / "formats/pairwise/small.jsonl");
  const Scored first = read_scored(spec_, folder_ / "formats/pairwise-json/small.jsonl");
  size_t flips = 0;
  for (size_t i = 0; i < 6; ++i) flips += right.items[i].label != first.items[i].label;
  EXPECT_GT(flips, 0u);
  EXPECT_EQ(json.flips, flips);
  EXPECT_EQ(study.flipping.size(), flips);
  ASSERT_EQ(study.probes.size(), 1u);
  EXPECT_EQ(study.probes[0].lost, study.probes[0].flips);
  const std::string text = robustness_text(study, &study, {.columns = 160, .color = false});
  EXPECT_NE(text.find("worst format: pairwise-json"), std::string::npos) << text;
  EXPECT_NE(text.find("padding"), std::string::npos) << text;
}

// The standard format too can be the worst.
TEST_F(BenchRun, TheWorstFormatIsTheWorstOfAll) {
  ASSERT_TRUE(run("formats/pairwise", says_first));
  ASSERT_TRUE(run("formats/pairwise-json", says_right));
  const std::string text = robustness_text(read_robustness(folder_.path(), "small", {}), nullptr,
                                           {.columns = 160, .color = false});
  EXPECT_NE(text.find("worst format: pairwise ("), std::string::npos) << text;
}

// A study beside the runs of a report, and two of them side by side.
TEST_F(BenchRun, AReportShowsStudies) {
  ASSERT_TRUE(run("formats/pairwise", says_right));
  ASSERT_TRUE(run("formats/pairwise-json", says_first));
  ASSERT_TRUE(run("probes/padding", says_first));
  std::vector<Robustness> studies = read_study(folder_.path(), {});
  ASSERT_EQ(studies.size(), 1u);
  EXPECT_EQ(studies[0].benchmark, "small");
  const Report report = read_report(folder_ / "formats/pairwise", {});
  const std::span<const Report> reports(&report, 1);
  const Json json = to_json(reports, studies);
  ASSERT_EQ(json["robustness"].size(), 1u);
  EXPECT_EQ(json["robustness"][0]["formats"].size(), 2u);
  EXPECT_FALSE(to_json(reports).contains("robustness"));
  const std::string text = report_text(reports, {.columns = 160, .color = false}, studies);
  EXPECT_NE(text.find("worst format: pairwise-json"), std::string::npos) << text;
  const std::string markdown = report_markdown(reports, studies);
  EXPECT_NE(markdown.find("\n| pairwise-json | 0."), std::string::npos) << markdown;
  EXPECT_NE(report_page(reports, studies).find("\"robustness\":[{"), std::string::npos);
  studies.push_back(studies[0]);
  studies[1].judge = "other";
  const std::vector<SvgFile> figures = svg_figures(reports, studies);
  EXPECT_EQ(figures[0].name, "robustness-small.svg");
  EXPECT_NE(figures[0].text.find(">other<"), std::string::npos) << figures[0].text;
}

TEST_F(BenchRun, AFolderThatIsNoStudyIsAnError) {
  EXPECT_EQ(message_of<Error>([&] { read_study(folder_.path(), {}); }),
            folder_.path().string() +
                ": this is no folder of `selene bench robustness` with a finished standard format");
}

TEST_F(BenchRun, AStudyNeedsItsStandardFormat) {
  EXPECT_EQ(message_of<Error>([&] { read_robustness(folder_.path(), "small", {}); }),
            folder_.path().string() +
                ": the study holds no finished run of 'small' under the standard format; selene "
                "bench robustness makes one");
}

}  // namespace
}  // namespace selene::bench
