// The figures of a run as text: a table for a terminal, and Markdown.
#include <algorithm>

#include <fmt/format.h>

#include "bench/report.h"
#include "core/text.h"

namespace selene::bench {
namespace {

using report::Align;
using report::Cell;
using report::Style;

// ".512", "-.03": figures between -1 and 1.
std::string number(double value) {
  std::string text = fmt::format("{:.3f}", value);
  if (const size_t zero = text.find("0."); zero != std::string::npos && (zero == 0 || zero == 1))
    text.erase(zero, 1);
  return text;
}

std::string value_text(const Figure& figure) {
  return figure.value ? number(*figure.value) : std::string("-");
}

std::string interval_text(const Figure& figure) {
  if (!figure.interval) return "";
  return fmt::format("[{}, {}]", number(figure.interval->low), number(figure.interval->high));
}

const Figure* find(const std::vector<Figure>& figures, std::string_view name) {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const Figure& figure) { return figure.name == name; });
  return found == figures.end() ? nullptr : &*found;
}

std::string value_of(const std::vector<Figure>& figures, std::string_view name) {
  const Figure* figure = find(figures, name);
  return figure == nullptr ? "" : value_text(*figure);
}

std::string count_text(const Score& score) {
  return score.items_of_benchmark > score.items
             ? fmt::format("{}/{}", score.items, score.items_of_benchmark)
             : fmt::format("{}", score.items);
}

// The best that a judge reaches which reads nothing but lengths.
std::string length_baseline(const Score& score) {
  const Figure* longer = find(score.baselines, "longer");
  const Figure* shorter = find(score.baselines, "shorter");
  if (longer != nullptr && shorter != nullptr)
    return number(std::max(longer->value.value_or(0), shorter->value.value_or(0)));
  return value_of(score.baselines, "log_length");
}

std::string metric_text(const Score& score) {
  return score.convention.empty() ? score.metric
                                  : fmt::format("{} ({})", score.metric, score.convention);
}

constexpr const char* kColumns[] = {"benchmark", "metric",   "items",     "figure",
                                    "95%",       "constant", "length",    "flips",
                                    "first",     "unread",   "not judged"};

std::vector<std::string> row_of(const Score& score) {
  return {score.benchmark,
          metric_text(score),
          count_text(score),
          value_text(score.figure),
          interval_text(score.figure),
          value_of(score.baselines, "constant"),
          length_baseline(score),
          value_of(score.others, "flip_rate"),
          value_of(score.others, "first_share"),
          fmt::format("{}", score.unreadable),
          fmt::format("{}", score.skipped)};
}

std::string average_text(const Average& average) {
  return average.have == average.of ? fmt::format("{} of {}", average.have, average.of)
                                    : fmt::format("{} of {} only", average.have, average.of);
}

constexpr const char* kLegend =
    "figure: with its 95% interval. constant: one answer to everything. length: the longer or the "
    "shorter response (the better rule), or the correlation of log length. flips: verdicts that "
    "change with the order of the responses. first: share of the verdicts for the one shown first. "
    "unread: without a verdict. not judged: too long for the judge.";

}  // namespace

std::string report_text(const Report& report, report::Terminal terminal) {
  std::string text;
  if (!report.scores.empty()) {
    report::Table table({{.title = "benchmark", .width = 24, .flexible = true},
                         {.title = "metric", .width = 21},
                         {.title = "items", .width = 9, .align = Align::Right},
                         {.title = "figure", .width = 6, .align = Align::Right},
                         {.title = "95%", .width = 14},
                         {.title = "constant", .width = 8, .align = Align::Right},
                         {.title = "length", .width = 6, .align = Align::Right},
                         {.title = "flips", .width = 5, .align = Align::Right},
                         {.title = "first", .width = 5, .align = Align::Right},
                         {.title = "unread", .width = 6, .align = Align::Right},
                         {.title = "not judged", .width = 10, .align = Align::Right}},
                        terminal);
    text +=
        fmt::format("judge {}, {} mode\n\n", printable(report.judge), report.scores.front().mode);
    text += table.header();
    for (const Score& score : report.scores) {
      std::vector<Cell> cells;
      for (const std::string& cell : row_of(score)) cells.push_back({cell, Style::Plain});
      cells[0].style = Style::Bold;
      cells[3].style = Style::Bold;
      text += table.row(cells);
    }
  }
  for (const NotRun& one : report.not_run)
    text += fmt::format("{}  not run: {}\n", one.benchmark, printable(one.reason));
  if (!report.averages.empty()) {
    text += "\naverages of what was run\n";
    for (const Average& average : report.averages) {
      text += fmt::format("  {:<20}{:>6}  {}\n", average.name,
                          average.value ? number(*average.value) : "-", average_text(average));
    }
  }
  for (const Score& score : report.scores) {
    if (score.sections.empty()) continue;
    text += fmt::format("\n{} by section\n", score.benchmark);
    for (const GroupFigure& section : score.sections) {
      text += fmt::format("  {:<20}{:>6}  {:<14} {} items\n", printable(section.name),
                          value_text(section.figure), interval_text(section.figure), section.items);
    }
  }
  if (!report.published.empty()) {
    text += "\npublished, under the same reading\n";
    for (const Published& row : report.published) {
      text += fmt::format("  {:<20}", row.model);
      for (const auto& [name, value] : row.values)
        text += fmt::format(" {} {}", name, number(value));
      text += fmt::format("  ({})\n", row.source);
    }
  }
  return text + "\n" + kLegend + "\n";
}

std::string report_markdown(const Report& report) {
  const auto cell = [](std::string text) {
    std::string safe;
    for (const char c : printable(text)) {
      if (c == '\n') {
        safe += ' ';
        continue;
      }
      if (c == '|' || c == '<' || c == '`' || c == '\\') safe += '\\';
      safe += c;
    }
    return safe;
  };
  std::string text = fmt::format("# Benchmarks: {}\n\n", cell(report.judge));
  std::string rule;
  for (const char* column : kColumns) {
    text += fmt::format("| {} ", column);
    rule += "|---";
  }
  text += "|\n" + rule + "|\n";
  for (const Score& score : report.scores) {
    for (const std::string& value : row_of(score)) text += fmt::format("| {} ", cell(value));
    text += "|\n";
  }
  for (const NotRun& one : report.not_run)
    text += fmt::format("| {} | not run: {} | | | | | | | | | |\n", cell(one.benchmark),
                        cell(one.reason));
  text += fmt::format("\n{}\n", kLegend);
  if (!report.averages.empty()) {
    text += "\n| average of what was run | | |\n|---|---|---|\n";
    for (const Average& average : report.averages) {
      text += fmt::format("| {} | {} | {} |\n", average.name,
                          average.value ? number(*average.value) : "-", average_text(average));
    }
  }
  if (!report.published.empty()) {
    text += "\nPublished, under the same reading:\n\n| model |";
    std::vector<std::string> names;
    for (const Published& row : report.published) {
      for (const auto& [name, value] : row.values) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    rule = "|---|";
    for (const std::string& name : names) {
      text += fmt::format(" {} |", cell(name));
      rule += "---|";
    }
    text += " source |\n" + rule + "---|\n";
    for (const Published& row : report.published) {
      text += fmt::format("| {} |", cell(row.model));
      for (const std::string& name : names) {
        const auto found = std::find_if(row.values.begin(), row.values.end(),
                                        [&](const auto& one) { return one.first == name; });
        text += found == row.values.end() ? std::string("  |")
                                          : fmt::format(" {} |", number(found->second));
      }
      text += fmt::format(" {} |\n", cell(row.source));
    }
  }
  return text;
}

}  // namespace selene::bench
