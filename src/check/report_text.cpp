#include "check/report_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.h"

namespace selene::check {

std::vector<const RateLine*> all_lines(const Report& report) {
  std::vector<const RateLine*> lines{&report.overall};
  for (const RateLine& line : report.lines) lines.push_back(&line);
  return lines;
}

bool decides(const RateLine& line) { return line.min_pass_rate || line.max_drop || line.failure; }

Part part_in_gate(const Report& report, const AnswerResult& answer, size_t check) {
  const RateLine& line = report.lines.at(check);
  const bool counts_overall = answer.status != Status::Passed;
  if (line.failure || (report.overall.failure && counts_overall)) return Part::FailsGate;
  return decides(line) || (decides(report.overall) && counts_overall) ? Part::Counts : Part::None;
}

std::string percent(double share) { return fmt::format("{:.1f}%", share * 100); }

std::string threshold(double share) { return fmt::format("{:.6g}%", share * 100); }

std::string rate_text(const RateLine& line) {
  if (!line.rate) return "no answer counts";
  return fmt::format("{} ({} of {}; 95% interval {} to {})", percent(line.rate->value), line.passed,
                     line.passed + line.failed, percent(line.rate->interval.low),
                     percent(line.rate->interval.high));
}

std::string requirement_text(const RateLine& line) {
  std::vector<std::string> words;
  if (line.min_pass_rate) {
    words.push_back(fmt::format("{}at least {}", line.on_lower ? "lower end " : "",
                                threshold(*line.min_pass_rate)));
  }
  if (line.max_drop) {
    words.push_back(fmt::format("at most {:.6g} points below the baseline", *line.max_drop * 100));
  }
  return fmt::format("{}", fmt::join(words, "; "));
}

std::string_view change_word(const stats::Estimate& change) {
  if (change.interval.low > 0) return "better";
  return change.interval.high < 0 ? "worse" : "cannot tell";
}

int change_digits(const stats::Estimate& change, int least, double scale) {
  const double near =
      std::min(std::abs(change.interval.low), std::abs(change.interval.high)) * scale;
  int digits = least;
  if (change_word(change) == "cannot tell") return digits;
  while (digits < 9 && near * std::pow(10, digits) < 0.5) ++digits;
  return digits;
}

std::string change_text(const stats::Estimate& change) {
  const int digits = change_digits(change, 1, 100);
  return fmt::format("{:+.{}f} points ({:+.{}f} to {:+.{}f}): {}", change.value * 100, digits,
                     change.interval.low * 100, digits, change.interval.high * 100, digits,
                     change_word(change));
}

std::string distribution_text(const data::Distribution& probabilities) {
  std::vector<std::string> parts;
  for (const auto& [label, probability] : probabilities) {
    parts.push_back(fmt::format("{} {:.3f}", label, probability));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string details_text(const Outcome& outcome) {
  std::vector<std::string> lines;
  if (outcome.label) lines.push_back("label: " + *outcome.label);
  if (outcome.human) lines.push_back("label by a person: " + *outcome.human);
  if (outcome.score) lines.push_back(fmt::format("score: {:.3f}", *outcome.score));
  if (!outcome.probabilities.empty()) {
    lines.push_back("probabilities: " + distribution_text(outcome.probabilities));
  }
  if (outcome.margin) lines.push_back(fmt::format("margin: {:.3f}", *outcome.margin));
  if (!outcome.flags.empty()) {
    lines.push_back(fmt::format("flags: {}", fmt::join(outcome.flags, ", ")));
  }
  if (!outcome.critique.empty()) lines.push_back("critique: " + outcome.critique);
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string cut_to_bytes(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return replace_invalid_utf8(text);
  std::string_view kept = text.substr(0, bytes);
  while (!kept.empty() && ends_inside_character(kept)) kept.remove_suffix(1);
  return fmt::format("{}… ({} more bytes)", replace_invalid_utf8(kept), text.size() - kept.size());
}

Turn turn(const Report& report, const Change& change) {
  const Status now = report.answers.at(change.answer).outcomes.at(change.check).status;
  if (change.before == Status::Passed && now == Status::Failed) return Turn::NowFailing;
  if (change.before == Status::Failed && now == Status::Passed) return Turn::NowPassing;
  return Turn::Other;
}

}  // namespace selene::check
