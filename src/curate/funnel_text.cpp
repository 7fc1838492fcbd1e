// The funnel on a terminal.
#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"
#include "curate/report.h"

namespace selene::curate {
namespace {

using report::Align;
using report::Style;
using report::Terminal;

constexpr size_t kMostName = 24;
constexpr size_t kLine = 400;

std::string shown(std::string_view text) { return cut_to_columns(text, kLine); }

size_t wide(std::uint64_t number, size_t least) { return std::max(least, grouped(number).size()); }

void add_step(const StepAccount& step, const report::Table& table, std::string& text) {
  const Counts total = step.total();
  std::uint64_t dropped = 0;
  for (const auto& [reason, number] : total.dropped) dropped += number;
  const std::vector<report::Cell> first = {{step.step, Style::Bold},
                                           {grouped(total.in)},
                                           {grouped(total.out)},
                                           {dropped == 0 ? "-" : grouped(dropped)},
                                           {step.unit == "rows" ? "" : step.unit, Style::Dim}};
  text += table.row(first);
  for (const auto& [reason, number] : most_first(total.dropped)) {
    const std::vector<report::Cell> row = {
        {""}, {""}, {""}, {grouped(number), Style::Dim}, {reason, Style::Dim}};
    text += table.row(row);
  }
  for (const auto& [what, number] : most_first(total.changed)) {
    const std::vector<report::Cell> row = {
        {""}, {""}, {grouped(number), Style::Dim}, {""}, {"changed: " + what, Style::Dim}};
    text += table.row(row);
  }
  if (total.made == 0) return;
  const std::vector<report::Cell> row = {
      {""}, {""}, {grouped(total.made)}, {""}, {"pairs made of them"}};
  text += table.row(row);
}

std::string steps_text(const Funnel& funnel, Terminal terminal) {
  size_t names = 4;
  size_t numbers = 7;
  for (const StepAccount& step : funnel.steps) {
    names = std::max(names, std::min(kMostName, display_columns(step.step)));
    numbers = wide(std::max(step.total().in, leaving(step.total())), numbers);
  }
  const report::Table table({{.title = "step", .width = names},
                             {.title = "in", .width = numbers, .align = Align::Right},
                             {.title = "out", .width = numbers, .align = Align::Right},
                             {.title = "dropped", .width = numbers, .align = Align::Right},
                             {.title = "why", .width = 10, .flexible = true}},
                            terminal);
  std::string text = table.header();
  for (const StepAccount& step : funnel.steps) add_step(step, table, text);
  return text;
}

std::string sources_text(const Funnel& funnel, Terminal terminal) {
  size_t names = 6;
  size_t numbers = 9;
  for (const SourceFacts& source : funnel.sources) {
    names = std::max(names, std::min<size_t>(32, display_columns(source.name)));
    numbers = wide(std::max(source.rows, source.pairs.total()), numbers);
  }
  const report::Table table({{.title = "source", .width = names},
                             {.title = "rows in", .width = numbers, .align = Align::Right},
                             {.title = "pairs out", .width = numbers, .align = Align::Right},
                             {.title = "train", .width = numbers, .align = Align::Right},
                             {.title = "valid.", .width = 7, .align = Align::Right},
                             {.title = "test", .width = 7, .align = Align::Right},
                             {.title = "licence", .width = 10, .flexible = true}},
                            terminal);
  std::string text = table.header();
  const auto add = [&](const std::string& name, std::uint64_t rows, const SplitCounts& pairs,
                       const report::Cell& note, Style style) {
    const std::vector<report::Cell> row = {{name, style},
                                           {grouped(rows), style},
                                           {grouped(pairs.total()), style},
                                           {grouped(pairs.train), style},
                                           {grouped(pairs.validation), style},
                                           {grouped(pairs.test), style},
                                           note};
    text += table.row(row);
  };
  std::uint64_t rows = 0;
  for (const SourceFacts& source : funnel.sources) {
    rows += source.rows;
    const report::Cell note = source.not_present.empty()
                                  ? report::Cell{source.licence, Style::Dim}
                                  : report::Cell{"not there: " + source.not_present, Style::Yellow};
    add(source.name, source.rows, source.pairs, note, Style::Plain);
  }
  add("all", rows, funnel.pairs, {}, Style::Bold);
  return text;
}

std::string contamination_text(const Funnel& funnel, bool color) {
  std::string text;
  const auto there = std::count_if(funnel.benchmarks.begin(), funnel.benchmarks.end(),
                                   [](const BenchmarkFacts& one) { return one.missing.empty(); });
  if (funnel.overlaps) {
    const bool clean = funnel.overlaps->found == 0;
    text += fmt::format(
        "13-word overlaps with {} benchmark{}: {} of {} pairs\n", there, there == 1 ? "" : "s",
        report::styled(grouped(funnel.overlaps->found), clean ? Style::Green : Style::Red, color),
        grouped(funnel.overlaps->checked));
  } else {
    text +=
        report::styled("the pairs were not checked against any benchmark", Style::Yellow, color) +
        "\n";
  }
  for (const BenchmarkFacts& one : funnel.benchmarks) {
    if (!one.missing.empty()) {
      text +=
          fmt::format("{} {}: {}\n", report::styled("not checked against", Style::Yellow, color),
                      shown(one.name), shown(one.missing));
    }
  }
  return text;
}

std::string critiques_text(const Funnel& funnel) {
  std::string text;
  for (const CritiqueFacts& facts : funnel.critiques) {
    text +=
        fmt::format("step {}: {} critiques asked for, {} written, {} kept\n", shown(facts.step),
                    grouped(facts.all.asked), grouped(facts.all.written), grouped(facts.all.kept));
    for (const auto& [check, number] : facts.all.fell)
      text += fmt::format("  {:>9} fell: {}\n", grouped(number), shown(check));
  }
  return text;
}

}  // namespace

std::string adds_up_line(const Funnel& funnel) {
  return fmt::format(
      "Rows add up: in = out + dropped in {} step{}, and what leaves a step enters the next, for "
      "each of {} source{}.",
      funnel.steps.size() == 1 ? "the one" : fmt::format("each of {}", funnel.steps.size()),
      funnel.steps.size() == 1 ? "" : "s", funnel.sources.size(),
      funnel.sources.size() == 1 ? "" : "s");
}

std::string funnel_text(const Funnel& funnel, Terminal terminal) {
  std::string text = report::styled(shown(funnel.title), Style::Bold, terminal.color);
  text += fmt::format("\nrecipe {}, seed {}\n\n", shown(funnel.recipe), funnel.seed);
  text += steps_text(funnel, terminal);
  for (const std::string& line : wrap_to_columns(adds_up_line(funnel), terminal.columns))
    text += line + "\n";
  for (const std::string& warning : warnings_of(funnel)) {
    for (const std::string& line :
         wrap_to_columns("warning: " + replace_invalid_utf8(warning), terminal.columns))
      text += report::styled(line, Style::Yellow, terminal.color) + "\n";
  }
  text += "\n";
  text += sources_text(funnel, terminal) + "\n";
  text += critiques_text(funnel);
  text += contamination_text(funnel, terminal.color);
  return text;
}

}  // namespace selene::curate
