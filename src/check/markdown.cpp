// Markdown as GitHub and GitLab render it.
#include <algorithm>

#include <fmt/format.h>

#include "check/report_text.h"
#include "check/reports.h"
#include "report/markdown.h"

namespace selene::check {
namespace {

constexpr size_t kMostRows = 20;  // Of a list of answers.
constexpr size_t kNameColumns = 60;
constexpr size_t kFileColumns = 100;
constexpr size_t kReasonColumns = 200;
constexpr size_t kSentenceColumns = 400;

// Where each section ends at the latest, in bytes: a part that is too long leaves room for the
// next.
constexpr size_t kDecisionEnd = 12'000;
constexpr size_t kRatesEnd = 32'000;
constexpr size_t kAgreementEnd = 37'000;
constexpr size_t kNowFailingEnd = 41'000;
constexpr size_t kNowPassingEnd = 44'000;
constexpr size_t kFailuresEnd = 52'000;
constexpr size_t kIdleEnd = 55'000;
constexpr size_t kLooksEnd = 60'000;

std::string name(std::string_view text) { return report::markdown_text(text, kNameColumns); }

// Appends rows while they fit, and says how many do not.
class Rows {
 public:
  Rows(std::string& out, size_t end) : out_(out), end_(end) {}

  void add(const std::string& row) {
    if (left_off_ == 0 && out_.size() + row.size() < end_) {
      out_ += row;
    } else {
      ++left_off_;
    }
  }
  void skip(size_t rows) { left_off_ += rows; }
  void close() {
    if (left_off_ > 0) out_ += fmt::format("\n{} more are not shown here.\n", left_off_);
    out_ += '\n';
  }

 private:
  std::string& out_;
  size_t end_;
  size_t left_off_ = 0;
};

void add_reasons(std::string& out, const Report& report) {
  Rows rows(out, kDecisionEnd);
  for (const RateLine* line : all_lines(report)) {
    if (!line->failure) continue;
    rows.add(fmt::format("- **{}**: {}\n", name(line->name),
                         report::markdown_text(*line->failure, kSentenceColumns)));
  }
  rows.close();
}

void add_decision(std::string& out, const Report& report) {
  out += fmt::format("## selene check: {}\n\n", report.passed ? "passed" : "failed");
  out += fmt::format(
      "{} of {}, checked by {}.\n\n",
      report.answers.size() == 1 ? "1 answer" : fmt::format("{} answers", report.answers.size()),
      report::markdown_text(report.answers_file, kFileColumns),
      report::markdown_text(report.checks_file, kFileColumns));
  if (!report.passed) add_reasons(out, report);
  for (const std::string& note : report.notes)
    out += fmt::format("Note: {}.\n\n", report::markdown_text(note, kSentenceColumns));
}

std::string rate_row(const RateLine& line, bool baseline) {
  const std::string rate =
      line.rate ? fmt::format("{} ({} to {})", percent(line.rate->value),
                              percent(line.rate->interval.low), percent(line.rate->interval.high))
                : "-";
  const std::string decision = !decides(line) ? "-" : line.failure ? "**failed**" : "passed";
  const std::string required = decides(line) ? requirement_text(line) : "-";
  std::string row =
      fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |", name(line.name), decision, rate,
                  required, line.passed, line.failed, line.unknown, line.skipped);
  if (baseline) row += fmt::format(" {} |", line.change ? change_text(*line.change) : "-");
  return row + '\n';
}

void add_rates(std::string& out, const Report& report) {
  out +=
      "| check | decision | pass rate (95% interval) | required | passed | failed | unknown | "
      "skipped |";
  out += report.has_baseline ? " since the baseline |\n" : "\n";
  out += "|---|---|--:|---|--:|--:|--:|--:|";
  out += report.has_baseline ? "--:|\n" : "\n";
  Rows rows(out, kRatesEnd);
  for (const RateLine* line : all_lines(report)) rows.add(rate_row(*line, report.has_baseline));
  rows.close();
}

void add_agreement(std::string& out, const Report& report) {
  if (report.humans.empty()) return;
  out +=
      "### Agreement of the judge with people\n\n"
      "| check | labelled | same label (95% interval) | a constant answer | Cohen's kappa (95% "
      "interval) |\n"
      "|---|--:|--:|--:|--:|\n";
  Rows rows(out, kAgreementEnd);
  for (const HumanLine& human : report.humans) {
    const stats::Agreement& agreement = human.agreement;
    const auto& [low, high] = agreement.kappa.interval;
    std::string kappa = "none: both gave one label to all";
    if (agreement.has_kappa) kappa = fmt::format("{:.2f}", agreement.kappa.value);
    if (agreement.has_kappa && low < high) kappa += fmt::format(" ({:.2f} to {:.2f})", low, high);
    rows.add(fmt::format(
        "| {} | {} | {} ({} to {}) | {} | {} |\n", name(human.check), human.confusion.total(),
        percent(agreement.observed.value), percent(agreement.observed.interval.low),
        percent(agreement.observed.interval.high), percent(agreement.most_frequent), kappa));
  }
  rows.close();
}

// A folded table of answers.
void add_list(std::string& out, std::string_view title, std::string_view header, size_t end,
              const std::vector<std::string>& rows) {
  if (rows.empty()) return;
  out += fmt::format("<details>\n<summary>{} ({})</summary>\n\n{}", title, rows.size(), header);
  Rows shown(out, end);
  for (size_t i = 0; i < std::min(rows.size(), kMostRows); ++i) shown.add(rows[i]);
  if (rows.size() > kMostRows) shown.skip(rows.size() - kMostRows);
  shown.close();
  out += "</details>\n\n";
}

void add_changes(std::string& out, const Report& report, Turn wanted, std::string_view title,
                 size_t end) {
  std::vector<std::string> rows;
  for (const Change& change : report.changes) {
    if (turn(report, change) != wanted) continue;
    const AnswerResult& answer = report.answers[change.answer];
    const Outcome& outcome = answer.outcomes[change.check];
    rows.push_back(fmt::format("| {} | {} | {} | {} | {} |\n", name(answer.id),
                               name(report.checks[change.check]), status_name(change.before),
                               status_name(outcome.status),
                               report::markdown_text(outcome.reason, kReasonColumns)));
  }
  add_list(out, title, "| answer | check | before | now | why |\n|---|---|---|---|---|\n", end,
           rows);
}

template <typename Wanted>
void add_outcomes(std::string& out, const Report& report, Wanted wanted, std::string_view title,
                  size_t end) {
  std::vector<std::string> rows;
  for (const AnswerResult& answer : report.answers) {
    for (size_t check = 0; check < report.checks.size(); ++check) {
      const Outcome& outcome = answer.outcomes.at(check);
      if (!wanted(answer, check)) continue;
      if (rows.size() >= kMostRows) {
        rows.emplace_back();  // Counted, not shown.
        continue;
      }
      std::string why = report::markdown_text(outcome.reason, kReasonColumns);
      if (!outcome.critique.empty())
        why += "<br>" + report::markdown_text(outcome.critique, kReasonColumns);
      rows.push_back(
          fmt::format("| {} | {} | {} |\n", name(answer.id), name(report.checks[check]), why));
    }
  }
  add_list(out, title, "| answer | check | why |\n|---|---|---|\n", end, rows);
}

}  // namespace

std::string markdown(const Report& report) {
  std::string out;
  add_decision(out, report);
  add_rates(out, report);
  add_agreement(out, report);
  if (report.has_baseline) {
    out +=
        fmt::format("Baseline: {}.\n\n", report::markdown_text(report.baseline_file, kFileColumns));
    add_changes(out, report, Turn::NowFailing, "Now failing", kNowFailingEnd);
    add_changes(out, report, Turn::NowPassing, "Now passing", kNowPassingEnd);
  }
  const auto failed = [&](const AnswerResult& answer, size_t check) {
    return answer.outcomes.at(check).status == Status::Failed;
  };
  const auto decides = [&](const AnswerResult& answer, size_t check) {
    return part_in_gate(report, answer, check) != Part::None;
  };
  add_outcomes(
      out, report,
      [&](const AnswerResult& answer, size_t check) {
        return failed(answer, check) && decides(answer, check);
      },
      "Failed", kFailuresEnd);
  add_outcomes(
      out, report,
      [&](const AnswerResult& answer, size_t check) {
        return failed(answer, check) && !decides(answer, check);
      },
      "Failed, which decides nothing", kIdleEnd);
  add_outcomes(
      out, report,
      [&](const AnswerResult& answer, size_t check) { return answer.outcomes.at(check).look; },
      "To look at", kLooksEnd);
  out.pop_back();  // One empty line at the end is too many.
  return out;
}

}  // namespace selene::check
