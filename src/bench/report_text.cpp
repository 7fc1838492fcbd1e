// The figures of runs as text: a table for a terminal, and Markdown.
#include <algorithm>

#include <fmt/format.h>

#include "bench/figure_text.h"
#include "bench/reports.h"
#include "core/text.h"
#include "report/markdown.h"

namespace selene::bench {
namespace {

using report::Align;
using report::Cell;
using report::Style;

std::string value_of(const std::vector<Figure>& figures, std::string_view name) {
  const Figure* figure = find_figure(figures, name);
  return figure == nullptr ? "" : value_text(*figure);
}

std::string count_text(const Score& score) {
  return score.items_of_benchmark > score.items
             ? fmt::format("{}/{}", score.items, score.items_of_benchmark)
             : fmt::format("{}", score.items);
}

constexpr const char* kColumns[] = {"metric", "items", "figure", "95%",    "constant",
                                    "length", "flips", "first",  "unread", "not judged"};

std::vector<std::string> row_of(const Score& score) {
  const std::optional<double> length = length_baseline(score);
  return {metric_text(score),
          count_text(score),
          value_text(score.figure),
          interval_text(score.figure),
          value_of(score.baselines, "constant"),
          length ? number(*length) : "",
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

// A row: benchmark, baseline, figure, interval.
std::vector<std::vector<std::string>> baseline_rows(const Report& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Score& score : report.scores) {
    for (const Figure& figure : score.baselines) {
      if (figure.value)
        rows.push_back({score.benchmark, figure.title, value_text(figure), interval_text(figure)});
    }
  }
  return rows;
}

std::string baselines_text(const Report& report, const std::string& of) {
  const auto rows = baseline_rows(report);
  if (rows.empty()) return "";
  std::string text = fmt::format("\nbaselines{}\n", of);
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool again = i > 0 && rows[i][0] == rows[i - 1][0];
    text += fmt::format("  {:<28}{:<36}{:>6}  {}\n", again ? "" : rows[i][0], printable(rows[i][1]),
                        rows[i][2], rows[i][3]);
  }
  return text;
}

// " of NAME" where there are several runs.
std::string of_run(std::span<const Report> reports, const std::vector<std::string>& names,
                   size_t run) {
  return reports.size() == 1 ? std::string() : " of " + printable(names[run]);
}

report::Table figure_table(bool several, report::Terminal terminal) {
  std::vector<report::Column> columns = {{.title = "benchmark", .width = 24, .flexible = true}};
  if (several) columns.push_back({.title = "run", .width = 20});
  for (const report::Column& column : std::initializer_list<report::Column>{
           {.title = "metric", .width = 21},
           {.title = "items", .width = 9, .align = Align::Right},
           {.title = "figure", .width = 6, .align = Align::Right},
           {.title = "95%", .width = 14},
           {.title = "constant", .width = 8, .align = Align::Right},
           {.title = "length", .width = 6, .align = Align::Right},
           {.title = "flips", .width = 5, .align = Align::Right},
           {.title = "first", .width = 5, .align = Align::Right},
           {.title = "unread", .width = 6, .align = Align::Right},
           {.title = "not judged", .width = 10, .align = Align::Right}})
    columns.push_back(column);
  return {std::move(columns), terminal};
}

std::string figures_text(std::span<const Report> reports, const std::vector<std::string>& names,
                         report::Terminal terminal) {
  const bool several = reports.size() > 1;
  const report::Table table = figure_table(several, terminal);
  std::string text;
  for (size_t run = 0; run < reports.size(); ++run) {
    if (reports[run].scores.empty()) continue;
    text +=
        fmt::format("judge {}, {} mode\n", printable(names[run]), reports[run].scores.front().mode);
  }
  if (text.empty()) return text;
  text += "\n" + table.header();
  for (const std::vector<RunScore>& scores : by_benchmark(reports)) {
    for (const RunScore& one : scores) {
      std::vector<Cell> cells = {
          {&one == &scores.front() ? one.score->benchmark : "", Style::Bold}};
      if (several) cells.push_back({names[one.run], Style::Plain});
      for (const std::string& cell : row_of(*one.score)) cells.push_back({cell, Style::Plain});
      cells[several ? 4 : 3].style = Style::Bold;
      text += table.row(cells);
    }
  }
  return text;
}

std::string averages_text(const Report& report, const std::string& of) {
  if (report.averages.empty()) return "";
  std::string text = fmt::format("\naverages of what was run{}\n", of);
  for (const Average& average : report.averages) {
    text += fmt::format("  {:<20}{:>6}  {:<14} {}\n", average.name,
                        average.value ? number(*average.value) : "-",
                        interval_text(average.interval), average_text(average));
  }
  return text;
}

std::string sections_text(const Report& report, const std::string& of) {
  std::string text;
  for (const Score& score : report.scores) {
    if (score.sections.empty()) continue;
    text += fmt::format("\n{} by section{}\n", score.benchmark, of);
    for (const GroupFigure& section : score.sections) {
      text += fmt::format("  {:<20}{:>6}  {:<14} {} items\n", printable(section.name),
                          value_text(section.figure), interval_text(section.figure), section.items);
    }
  }
  return text;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::vector<std::string> safe;
  for (const std::string& one : cells) safe.push_back(report::markdown_cell(one));
  return report::markdown_row(safe);
}

std::string markdown_head(const std::vector<std::string>& titles) {
  std::vector<std::string> safe;
  for (const std::string& one : titles) safe.push_back(report::markdown_cell(one));
  return report::markdown_head(safe);
}

std::string baselines_markdown(const Report& report, const std::string& of) {
  std::string rows;
  for (const std::vector<std::string>& row : baseline_rows(report)) rows += markdown_row(row);
  return rows.empty() ? rows : "\n" + markdown_head({"baseline" + of, "", "figure", "95%"}) + rows;
}

constexpr const char* kBeside = "published, under the same reading";
constexpr const char* kApart =
    "published under a reading that is not wholly known, so not to be set beside a run";

std::string published_text(const std::vector<Published>& published, const char* title) {
  if (published.empty()) return "";
  std::string text = fmt::format("\n{}\n", title);
  for (const Published& row : published) {
    text += fmt::format("  {:<20}", row.model);
    for (const auto& [name, value] : row.values) text += fmt::format(" {} {}", name, number(value));
    text += fmt::format("  ({}{}{})\n", row.source, row.reading.empty() ? "" : "; ", row.reading);
  }
  return text;
}

std::string published_markdown(const std::vector<Published>& published, std::string title) {
  if (published.empty()) return "";
  std::vector<std::string> titles = {"model"};
  for (const Published& row : published) {
    for (const auto& [name, value] : row.values) {
      if (std::find(titles.begin() + 1, titles.end(), name) == titles.end()) titles.push_back(name);
    }
  }
  titles.push_back("source");
  title.front() = 'P';
  std::string text = fmt::format("\n{}:\n\n", title) + markdown_head(titles);
  for (const Published& row : published) {
    std::vector<std::string> cells(titles.size());
    cells.front() = row.model;
    cells.back() = row.reading.empty() ? row.source : row.source + "; " + row.reading;
    for (const auto& [name, value] : row.values) {
      const auto at = std::find(titles.begin() + 1, titles.end() - 1, name);
      cells[static_cast<size_t>(at - titles.begin())] = number(value);
    }
    text += markdown_row(cells);
  }
  return text;
}

}  // namespace

std::string report_text(std::span<const Report> reports, report::Terminal terminal,
                        Studies studies) {
  const std::vector<std::string> names = run_names(reports);
  std::string text = figures_text(reports, names, terminal);
  for (size_t run = 0; run < reports.size(); ++run) {
    for (const NotRun& one : reports[run].not_run) {
      text += fmt::format("{}  not run{}: {}\n", one.benchmark,
                          reports.size() == 1 ? "" : " by " + printable(names[run]),
                          printable(one.reason));
    }
  }
  for (size_t run = 0; run < reports.size(); ++run)
    text += averages_text(reports[run], of_run(reports, names, run));
  for (size_t run = 0; run < reports.size(); ++run)
    text += sections_text(reports[run], of_run(reports, names, run));
  if (const auto published = published_beside(reports); !published.empty()) {
    text += published_text(published, kBeside);
    if (const std::string note = published_note(reports); !note.empty()) text += note + "\n";
  }
  text += published_text(published_apart(reports), kApart);
  for (size_t run = 0; run < reports.size(); ++run)
    text += baselines_text(reports[run], of_run(reports, names, run));
  for (const Robustness& study : studies) text += "\n" + robustness_text(study, nullptr, terminal);
  return text + "\n" + kLegend + "\n";
}

std::string report_markdown(std::span<const Report> reports, Studies studies) {
  const bool several = reports.size() > 1;
  const std::vector<std::string> names = run_names(reports);
  std::vector<std::string> safe;
  for (const std::string& name : names) safe.push_back(report::markdown_cell(name));
  std::vector<std::string> titles = {"benchmark"};
  if (several) titles.push_back("run");
  titles.insert(titles.end(), std::begin(kColumns), std::end(kColumns));
  std::string text =
      fmt::format("# Benchmarks: {}\n\n", fmt::join(safe, ", ")) + markdown_head(titles);
  for (const std::vector<RunScore>& scores : by_benchmark(reports)) {
    for (const RunScore& one : scores) {
      std::vector<std::string> cells = {one.score->benchmark};
      if (several) cells.push_back(names[one.run]);
      for (std::string& value : row_of(*one.score)) cells.push_back(std::move(value));
      text += markdown_row(cells);
    }
  }
  for (size_t run = 0; run < reports.size(); ++run) {
    for (const NotRun& one : reports[run].not_run) {
      std::vector<std::string> cells(titles.size());
      cells[0] = one.benchmark;
      if (several) cells[1] = names[run];
      cells[several ? 2 : 1] = "not run: " + one.reason;
      text += markdown_row(cells);
    }
  }
  text += fmt::format("\n{}\n", kLegend);
  for (size_t run = 0; run < reports.size(); ++run) {
    if (reports[run].averages.empty()) continue;
    text += "\n" + markdown_head({"average of what was run" + of_run(reports, names, run), "figure",
                                  "95%", "benchmarks"});
    for (const Average& average : reports[run].averages) {
      text += markdown_row({average.name, average.value ? number(*average.value) : "-",
                            interval_text(average.interval), average_text(average)});
    }
  }
  for (size_t run = 0; run < reports.size(); ++run)
    text += baselines_markdown(reports[run], of_run(reports, names, run));
  text += published_markdown(published_beside(reports), kBeside);
  if (const std::string note = published_note(reports);
      !note.empty() && !published_beside(reports).empty())
    text += fmt::format("\n({})\n", note);
  text += published_markdown(published_apart(reports), kApart);
  for (const Robustness& study : studies) text += robustness_markdown(study);
  return text;
}

}  // namespace selene::bench
