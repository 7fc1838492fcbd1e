#include "cli/check_view.h"

#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "check/report_text.h"
#include "core/text.h"

namespace selene::cli {
namespace {

using check::AnswerResult;
using check::Outcome;
using check::RateLine;
using check::Report;
using check::Status;
using report::Style;

constexpr size_t kShown = 10;  // Of a list.
constexpr size_t kLogColumns = 4000;
constexpr size_t kNameColumns = 60;

std::string share(double value) { return fmt::format("{:.2f}", value); }

std::string signed_share(double value, int digits) {
  return fmt::format("{:+.{}f}", value, digits);
}

std::string wanted(const RateLine& line) {
  std::vector<std::string> parts;
  if (line.min_pass_rate) parts.push_back(fmt::format(">= {:g}", *line.min_pass_rate));
  if (line.max_drop) parts.push_back(fmt::format("drop <= {:g}", *line.max_drop));
  if (!parts.empty() && line.on_lower) parts.back() += " (lower end)";
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string since_baseline(const stats::Estimate& change) {
  const int digits = check::change_digits(change, 2, 1);
  return fmt::format("{} [{}, {}] {}", signed_share(change.value, digits),
                     signed_share(change.interval.low, digits),
                     signed_share(change.interval.high, digits), check::change_word(change));
}

report::Cell verdict(const RateLine& line) {
  if (line.failure) return {"FAILED", Style::Red};
  if (check::decides(line)) return {"passed", Style::Green};
  return {""};
}

// The columns that stand there only where they have something to say.
struct Shown {
  explicit Shown(const Report& report) : baseline(report.has_baseline) {
    for (const RateLine* line : check::all_lines(report)) {
      unknown |= line->unknown > 0;
      skipped |= line->skipped > 0;
      wanted = std::max(wanted, cli::wanted(*line).size());
      name = std::max(name, std::min(display_columns(line->name), kNameColumns));
    }
  }
  bool baseline;
  bool unknown = false;
  bool skipped = false;
  size_t wanted = 8;  // The widths of columns.
  size_t name = 12;
};

std::vector<report::Cell> cells(const RateLine& line, const Shown& shown) {
  std::vector<report::Cell> row{{line.name, line.name == "overall" ? Style::Bold : Style::Plain},
                                {fmt::format("{}/{}", line.passed, line.passed + line.failed)}};
  if (shown.unknown) row.push_back({fmt::format("{}", line.unknown)});
  if (shown.skipped) row.push_back({fmt::format("{}", line.skipped)});
  row.push_back({line.rate ? share(line.rate->value) : "-"});
  row.push_back({line.rate ? fmt::format("[{}, {}]", share(line.rate->interval.low),
                                         share(line.rate->interval.high))
                           : ""});
  if (shown.baseline) row.push_back({line.change ? since_baseline(*line.change) : ""});
  row.push_back({wanted(line)});
  row.push_back(verdict(line));
  return row;
}

std::string rates(const Report& report, report::Terminal terminal) {
  const Shown shown(report);
  constexpr report::Align kRight = report::Align::Right;
  const size_t name = terminal.is_terminal ? 12 : shown.name;
  std::vector<report::Column> columns{
      {.title = "check", .width = name, .flexible = terminal.is_terminal},
      {.title = "passed", .width = 9, .align = kRight}};
  if (shown.unknown) columns.push_back({.title = "unknown", .width = 7, .align = kRight});
  if (shown.skipped) columns.push_back({.title = "skipped", .width = 7, .align = kRight});
  columns.push_back({.title = "rate", .width = 4, .align = kRight});
  columns.push_back({.title = "95% interval", .width = 12});
  if (shown.baseline) columns.push_back({.title = "since the baseline", .width = 32});
  columns.push_back({.title = "wanted", .width = shown.wanted});
  columns.push_back({.title = "", .width = 6});
  const report::Table table(columns, terminal);
  std::string text = table.header();
  for (const RateLine& line : report.lines) text += table.row(cells(line, shown));
  return text + table.row(cells(report.overall, shown));
}

// A list of (answer, check) with their reasons, cut after some.
class Listing {
 public:
  Listing(const Report& report, report::Terminal terminal, std::string_view title)
      : report_(report), terminal_(terminal), title_(title) {}

  void add(size_t answer, size_t check) {
    if (++count_ > kShown) return;
    const AnswerResult& result = report_.answers[answer];
    const Outcome& outcome = result.outcomes[check];
    std::string where = fmt::format("line {}", result.line);
    if (result.id != std::to_string(result.line)) where += fmt::format(" ({})", result.id);
    const std::string line = fmt::format("{} {}: {}", where, report_.checks[check], outcome.reason);
    // A log is read whole, and searched.
    const size_t columns = terminal_.is_terminal ? terminal_.columns - 2 : kLogColumns;
    text_ += "  " + cut_to_columns(line, columns) + "\n";
  }

  std::string text() const {
    if (count_ == 0) return "";
    const std::string rest =
        count_ > kShown ? fmt::format("  … and {} more (--out, --html)\n", count_ - kShown) : "";
    return fmt::format("\n{}, {} in {}:\n{}{}",
                       report::styled(title_, report::Style::Bold, terminal_.color), count_,
                       printable(report_.answers_file), text_, rest);
  }

 private:
  const Report& report_;
  report::Terminal terminal_;
  std::string_view title_;
  size_t count_ = 0;
  std::string text_;
};

std::string listings(const Report& report, report::Terminal terminal) {
  Listing failed(report, terminal, "not passed");
  Listing other(report, terminal, "not passed, which decides nothing");
  Listing look(report, terminal, "look at these");
  for (size_t a = 0; a < report.answers.size(); ++a) {
    for (size_t c = 0; c < report.checks.size(); ++c) {
      const Outcome& outcome = report.answers[a].outcomes[c];
      if (outcome.look) {
        look.add(a, c);
      } else if (outcome.status == Status::Failed) {
        const bool idle = check::part_in_gate(report, report.answers[a], c) == check::Part::None;
        (idle ? other : failed).add(a, c);
      }
    }
  }
  Listing worse(report, terminal, "passed in the baseline and not now");
  Listing better(report, terminal, "passes now and did not in the baseline");
  for (const check::Change& change : report.changes) {
    const Status now = report.answers[change.answer].outcomes[change.check].status;
    if (change.before == Status::Passed && now != Status::Skipped)
      worse.add(change.answer, change.check);
    if (now == Status::Passed && change.before != Status::Skipped)
      better.add(change.answer, change.check);
  }
  return failed.text() + other.text() + look.text() + worse.text() + better.text();
}

std::string kappa(const stats::Agreement& agreement) {
  if (!agreement.has_kappa) return "no kappa: one label was given to everything";
  const auto& [low, high] = agreement.kappa.interval;
  if (low == high) return fmt::format("kappa {} (no interval)", share(agreement.kappa.value));
  return fmt::format("kappa {} [{}, {}]", share(agreement.kappa.value), share(low), share(high));
}

std::string people(const Report& report) {
  std::string text;
  for (const check::HumanLine& line : report.humans) {
    const stats::Agreement& agreement = line.agreement;
    text += fmt::format(
        "\n{}: the judge agrees with people on {} of {} ({} [{}, {}]; always the "
        "same label would reach {})",
        line.check,
        std::llround(agreement.observed.value * static_cast<double>(line.confusion.total())),
        line.confusion.total(), share(agreement.observed.value),
        share(agreement.observed.interval.low), share(agreement.observed.interval.high),
        share(agreement.most_frequent));
    text += ", " + kappa(agreement) + "\n";
    if (line.same_decision) {
      text += fmt::format("  on whether the answer passes: {} [{}, {}]\n",
                          share(line.same_decision->value), share(line.same_decision->interval.low),
                          share(line.same_decision->interval.high));
    }
    for (size_t i = 0; i < line.confusion.labels.size(); ++i) {
      std::vector<std::string> counts;
      for (size_t j = 0; j < line.confusion.labels.size(); ++j)
        counts.push_back(
            fmt::format("{} people {}", line.confusion.counts[i][j], line.confusion.labels[j]));
      text += fmt::format("  judge {}: {}\n", line.confusion.labels[i], fmt::join(counts, ", "));
    }
  }
  return text;
}

std::string notes(const Report& report) {
  std::string text;
  for (const std::string& note : report.notes) text += "\nnote: " + note + "\n";
  return text;
}

std::string decision(const Report& report, report::Terminal terminal) {
  if (report.passed)
    return "\n" + report::styled("gate passed", report::Style::Green, terminal.color) + "\n";
  std::string text =
      "\n" + report::styled("GATE FAILED", report::Style::Red, terminal.color) + "\n";
  const auto add = [&](const RateLine& line) {
    if (line.failure) text += printable(fmt::format("  {}: {}\n", line.name, *line.failure));
  };
  for (const RateLine& line : report.lines) add(line);
  add(report.overall);
  return text;
}

}  // namespace

std::string check_table(const Report& report, report::Terminal terminal) {
  return rates(report, terminal) + listings(report, terminal) + printable(people(report)) +
         printable(notes(report)) + decision(report, terminal);
}

}  // namespace selene::cli
