#include <gtest/gtest.h>

#include <sstream>

#include "check/reports.h"
#include "check/small_report.h"
#include "core/text.h"

namespace selene::check {
namespace {

TEST(Markdown, SaysTheDecisionAndWhy) {
  EXPECT_EQ(markdown(small_report()), R"(## selene check: failed

3 answers of answers.csv, checked by checks.yaml.

- **overall**: 50.0% of 2 answers passed, at least 90% is required

| check | decision | pass rate (95% interval) | required | passed | failed | unknown | skipped | since the baseline |
|---|---|--:|---|--:|--:|--:|--:|--:|
| overall | **failed** | 50.0% (25.0% to 75.0%) | at least 90% | 1 | 1 | 1 | 0 | - |
| helpful | passed | 50.0% (25.0% to 75.0%) | lower end at least 20%; at most 60 points below the baseline | 1 | 1 | 1 | 0 | -50.0 points (-75.0 to +0.0): cannot tell |
| names a date | - | 50.0% (25.0% to 75.0%) | - | 1 | 1 | 0 | 1 | - |

### Agreement of the judge with people

| check | labelled | same label (95% interval) | a constant answer | Cohen's kappa (95% interval) |
|---|--:|--:|--:|--:|
| helpful | 1 | 100.0% (25.0% to 100.0%) | 100.0% | none: both gave one label to all |

Baseline: old.jsonl.

<details>
<summary>Now failing (1)</summary>

| answer | check | before | now | why |
|---|---|---|---|---|
| a | helpful | passed | failed | the judge says No |

</details>

<details>
<summary>Now passing (1)</summary>

| answer | check | before | now | why |
|---|---|---|---|---|
| c | names a date | failed | passed | matches '\\d+' |

</details>

<details>
<summary>Failed (2)</summary>

| answer | check | why |
|---|---|---|
| a | helpful | the judge says No<br>It names no day. It is polite. |
| a | names a date | no match of '\\d+' |

</details>

<details>
<summary>To look at (1)</summary>

| answer | check | why |
|---|---|---|
| 7 | helpful | the margin 0.01 is under 0.1 |

</details>
)");
}

TEST(Markdown, APassedGateIsTheTableAlone) {
  Report report;
  report.checks_file = "c.yaml";
  report.answers_file = "a.jsonl";
  report.passed = true;
  report.answers = {answer("a", 1)};
  report.overall = {.name = "overall", .passed = 1};
  EXPECT_EQ(markdown(report), R"(## selene check: passed

1 answer of a.jsonl, checked by c.yaml.

| check | decision | pass rate (95% interval) | required | passed | failed | unknown | skipped |
|---|---|--:|---|--:|--:|--:|--:|
| overall | - | - | - | 1 | 0 | 0 | 0 |
)");
}

TEST(Markdown, AnIntervalThatIsAPointIsNone) {
  Report report = small_report();
  report.humans[0].agreement.has_kappa = true;
  report.humans[0].agreement.kappa = {.value = 0, .interval = {.low = 0, .high = 0}};
  EXPECT_NE(markdown(report).find("| 100.0% | 0.00 |\n"), std::string::npos);
  report.humans[0].agreement.kappa = {.value = 0.5, .interval = {.low = 0.25, .high = 0.75}};
  EXPECT_NE(markdown(report).find("| 100.0% | 0.50 (0.25 to 0.75) |\n"), std::string::npos);
}

TEST(Markdown, WhatDecidesNothingStandsApart) {
  Report report = small_report();
  report.overall = {.name = "overall"};
  report.notes = {"the check 'x' is for *none*"};
  const std::string text = markdown(report);
  EXPECT_NE(text.find("\nNote: the check 'x' is for \\*none\\*.\n"), std::string::npos) << text;
  const size_t failed = text.find("<summary>Failed (1)</summary>");
  const size_t idle = text.find("<summary>Failed, which decides nothing (1)</summary>");
  EXPECT_LT(failed, text.find("| a | helpful | the judge says No<br>", failed));
  EXPECT_LT(idle, text.find("| a | names a date | no match", idle));
  EXPECT_LT(failed, idle);
  EXPECT_NE(idle, std::string::npos);
}

TEST(Markdown, HostileTextIsTextInItsCell) {
  Report report = small_report();
  report.answers[0].id = "a|b `c` <img src=x> *d* [e](f)";
  report.answers[0].outcomes[0].reason =
      "ask @someone, #12, GH-3, !4; https://x.example www.x.example";
  const std::string text = markdown(report);
  EXPECT_NE(text.find("| a\\|b \\`c\\` \\<img src=x\\> \\*d\\* \\[e\\](f) | helpful |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("ask @&#8203;someone, #&#8203;12, GH-&#8203;3, !&#8203;4; "
                      "https\\://x.example www\\.x.example"),
            std::string::npos)
      << text;
}

TEST(Markdown, HostileTextBreaksNoTable) {
  const std::string text = markdown(hostile_report());
  EXPECT_TRUE(is_valid_utf8(text));
  for (const char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const bool ours = line.empty() || line.starts_with("#") || line.starts_with("| ") ||
                      line.starts_with("|---") || line.starts_with("- **") ||
                      line.starts_with("3 answers of ") || line.starts_with("Baseline: ") ||
                      line.starts_with("<details>") || line.starts_with("<summary>") ||
                      line.starts_with("</details>");
    EXPECT_TRUE(ours) << line;
    EXPECT_EQ(line.find("</script>"), std::string::npos) << line;
    EXPECT_EQ(line.find("@someone"), std::string::npos) << line;
  }
}

TEST(Markdown, ALongListIsCutAndCounted) {
  const std::string text = markdown(long_report(500, 1000));
  EXPECT_NE(text.find("<summary>Failed (500)</summary>"), std::string::npos);
  EXPECT_NE(text.find("\n480 more are not shown here.\n"), std::string::npos);
}

TEST(Markdown, FitsACommentWhateverTheReportHolds) {
  Report report = long_report(2000, 1000);
  report.has_baseline = true;
  for (size_t i = 0; i < report.answers.size(); ++i) {
    report.answers[i].id = std::string(500, '@') + std::to_string(i);
    report.answers[i].outcomes[0].reason = report.answers[i].outcomes[0].critique =
        std::string(500, '#');
    report.answers[i].outcomes[0].look = true;
    report.changes.push_back({.answer = i, .check = 0, .before = Status::Passed});
  }
  RateLine line{.name = std::string(500, '@'), .failed = 1, .failure = std::string(5000, '|')};
  report.lines.assign(3000, line);
  report.humans.assign(3000, {.check = std::string(500, '@'), .confusion = {}, .agreement = {}});
  report.checks_file = report.answers_file = report.baseline_file = std::string(5000, '@');
  const std::string text = markdown(report);
  EXPECT_LT(text.size(), 63'000u);
  EXPECT_NE(text.find("more are not shown here"), std::string::npos);
}

}  // namespace
}  // namespace selene::check
