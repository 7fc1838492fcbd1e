// Workflow commands of GitHub Actions ("Workflow commands for GitHub Actions", docs.github.com).
// GitHub shows the first ten of a step, so the decision comes first.
#include <utility>

#include <fmt/format.h>

#include "check/report_text.h"
#include "check/reports.h"
#include "core/text.h"

namespace selene::check {
namespace {

constexpr size_t kMostAnnotations = 50;
constexpr size_t kMostBytes = 2000;  // Of a message.
constexpr size_t kTitleColumns = 120;

std::string message_text(std::string_view text) {
  std::string lines;
  for (char c : cut_to_bytes(text, kMostBytes)) {
    if (c != '\r') lines += c;
  }
  std::string out;
  for (char c : printable(lines)) {
    if (c == '%') {
      out += "%25";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out;
}

std::string property_text(std::string_view text) {
  std::string out;
  for (char c : message_text(text)) {
    if (c == ':') {
      out += "%3A";
    } else if (c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

std::string title_text(std::string_view text) {
  return property_text(cut_to_columns(text, kTitleColumns));
}

std::string outcome_annotation(const Report& report, const AnswerResult& answer, size_t check,
                               std::string_view level) {
  const Outcome& outcome = answer.outcomes.at(check);
  std::string message = outcome.reason;
  if (!outcome.critique.empty()) message += "\n" + outcome.critique;
  return fmt::format("::{} file={},line={},title={}::{}\n", level,
                     property_text(report.answers_file), answer.line,
                     title_text(fmt::format("{}: {} failed", answer.id, report.checks[check])),
                     message_text(message));
}

}  // namespace

std::string github_annotations(const Report& report) {
  std::string out;
  for (const RateLine* line : all_lines(report)) {
    if (!line->failure) continue;
    out += fmt::format("::error file={},title={}::{}\n", property_text(report.checks_file),
                       title_text("the gate failed: " + line->name), message_text(*line->failure));
  }
  size_t failed = 0;
  size_t idle = 0;
  for (const auto& [part, level] :
       {std::pair{Part::FailsGate, "error"}, {Part::Counts, "warning"}, {Part::None, ""}}) {
    for (const AnswerResult& answer : report.answers) {
      for (size_t check = 0; check < report.checks.size(); ++check) {
        if (answer.outcomes.at(check).status != Status::Failed) continue;
        if (part_in_gate(report, answer, check) != part) continue;
        if (part == Part::None) {
          ++idle;
        } else if (++failed <= kMostAnnotations) {
          out += outcome_annotation(report, answer, check, level);
        }
      }
    }
  }
  const auto notice = [&](const std::string& text) {
    out += fmt::format("::notice title=selene check::{}\n", message_text(text));
  };
  if (failed > kMostAnnotations)
    notice(fmt::format("{} more failed checks are not shown here", failed - kMostAnnotations));
  if (idle > 0) notice(fmt::format("failed checks that decide nothing, not shown here: {}", idle));
  for (const std::string& note : report.notes) notice(note);
  return out;
}

}  // namespace selene::check
