// A report of three answers and two checks, with everything in it that a report can hold; and text
// that means to break a report.
#pragma once

#include <string>
#include <string_view>

#include "check/result.h"

namespace selene::check {

inline constexpr char kHostileBytes[] =
    "</script><b>\x1b[31m\0 ]]> \xEF\xBF\xBE \xFF ::error::x | `code` @someone #1 GH-2 \"q\", a:b "
    "% \\ "
    "&amp; https://x.example\r\nnext\xE2\x80\xA8"
    "end";
inline constexpr std::string_view kHostile{kHostileBytes, sizeof kHostileBytes - 1};

inline Outcome outcome(Status status, std::string reason) {
  return {.status = status, .reason = std::move(reason)};
}

inline AnswerResult answer(std::string id, size_t line, nlohmann::ordered_json fields = {}) {
  AnswerResult result;
  result.id = std::move(id);
  result.line = line;
  result.fields = std::move(fields);
  return result;
}

inline Report small_report() {
  Report report;
  report.checks_file = "checks.yaml";
  report.answers_file = "answers.csv";
  report.checks = {"helpful", "names a date"};
  report.descriptions = {"judge: Does it help?", "regex '\\d+'"};

  AnswerResult first = answer("a", 2, {{"input", "When?"}, {"response", "Soon."}});
  first.outcomes = {outcome(Status::Failed, "the judge says No"),
                    outcome(Status::Failed, "no match of '\\d+'")};
  first.outcomes[0].label = "No";
  first.outcomes[0].probabilities = {{"Yes", 0.25}, {"No", 0.75}};
  first.outcomes[0].margin = 0.5;
  first.outcomes[0].critique = "It names no day.\nIt is polite.";
  first.outcomes[0].flags = {"truncated"};
  first.outcomes[0].human = "No";
  first.status = Status::Failed;
  first.score = 0;

  AnswerResult second = answer("7", 3, {{"input", "Who?"}});
  second.id_is_integer = true;
  second.outcomes = {outcome(Status::Unknown, "the margin 0.01 is under 0.1"), Outcome{}};
  second.outcomes[0].look = true;
  second.status = Status::Unknown;

  AnswerResult third = answer("c", 4, {{"input", "Where?"}, {"n", 1}});
  third.outcomes = {outcome(Status::Passed, "the judge says Yes"),
                    outcome(Status::Passed, "matches '\\d+'")};
  third.outcomes[0].score = 4.5;
  third.status = Status::Passed;
  third.score = 1;
  report.answers = {first, second, third};

  const stats::Estimate half{.value = 0.5, .interval = {.low = 0.25, .high = 0.75}};
  report.overall = {.name = "overall",
                    .passed = 1,
                    .failed = 1,
                    .unknown = 1,
                    .rate = half,
                    .min_pass_rate = 0.9,
                    .failure = "50.0% of 2 answers passed, at least 90% is required"};
  report.lines = {{.name = "helpful",
                   .passed = 1,
                   .failed = 1,
                   .unknown = 1,
                   .rate = half,
                   .min_pass_rate = 0.2,
                   .on_lower = true,
                   .change = stats::Estimate{.value = -0.5, .interval = {.low = -0.75, .high = 0}},
                   .max_drop = 0.6},
                  {.name = "names a date", .passed = 1, .failed = 1, .skipped = 1, .rate = half}};
  HumanLine human;
  human.check = "helpful";
  human.confusion = {.labels = {"Yes", "No"}, .counts = {{0, 0}, {0, 1}}};
  human.agreement.observed = {.value = 1, .interval = {.low = 0.25, .high = 1}};
  human.agreement.most_frequent = 1;
  report.humans = {human};
  report.has_baseline = true;
  report.baseline_file = "old.jsonl";
  report.changes = {{.answer = 0, .check = 0, .before = Status::Passed},
                    {.answer = 2, .check = 1, .before = Status::Failed},
                    {.answer = 1, .check = 0, .before = Status::Passed}};
  return report;
}

// Every text of it is hostile.
inline Report hostile_report() {
  const std::string text(kHostile);
  Report report = small_report();
  report.checks_file = report.answers_file = report.baseline_file = text;
  report.checks = report.descriptions = {text, text + "2"};
  report.overall.failure = text;
  for (RateLine& line : report.lines) line.name = text;
  report.humans[0].check = text;
  report.humans[0].confusion.labels = {text, text + "2"};
  for (AnswerResult& hostile : report.answers) {
    hostile.id += text;
    hostile.id_is_integer = false;
    hostile.fields = {{text, text}};
    for (Outcome& each : hostile.outcomes) {
      each.reason = each.critique = text;
      each.label = each.human = text;
      each.flags = {text};
      each.probabilities = {{text, 1.0}};
    }
  }
  return report;
}

// `count` answers that fail the only check.
inline Report long_report(size_t count, size_t critique_bytes) {
  Report report;
  report.checks = {"helpful"};
  report.descriptions = {"judge: Does it help?"};
  for (size_t i = 0; i < count; ++i) {
    AnswerResult failed = answer(std::to_string(i), i + 1);
    failed.outcomes = {outcome(Status::Failed, "the judge says No")};
    failed.outcomes[0].critique.assign(critique_bytes, 'c');
    failed.status = Status::Failed;
    report.answers.push_back(failed);
  }
  report.overall = {
      .name = "overall", .failed = static_cast<std::int64_t>(count), .failure = "none passed"};
  report.lines = {{.name = "helpful", .failed = static_cast<std::int64_t>(count)}};
  return report;
}

}  // namespace selene::check
