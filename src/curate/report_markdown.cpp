// The whole report as Markdown.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "curate/report.h"
#include "report/markdown.h"

namespace selene::curate {
namespace {

using report::markdown_head;
using report::markdown_row;

using Row = std::vector<std::string>;

constexpr size_t kNameColumns = 80;
constexpr size_t kTextColumns = 300;
constexpr size_t kCritiqueColumns = 1000;
constexpr size_t kWarningColumns = 600;
constexpr size_t kValueColumns = 400;

std::string name(std::string_view text) { return report::markdown_text(text, kNameColumns); }
std::string sentence(std::string_view text) { return report::markdown_text(text, kValueColumns); }

std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& numbers) {
  std::uint64_t sum = 0;
  for (const auto& [reason, number] : numbers) sum += number;
  return sum;
}

// "outside of the scale: 600; a field is missing: 300"
std::string reasons(const std::map<std::string, std::uint64_t>& numbers) {
  Row parts;
  for (const auto& [reason, number] : most_first(numbers))
    parts.push_back(fmt::format("{}: {}", name(reason), grouped(number)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string counts_note(const Counts& counts) {
  std::string note = reasons(counts.dropped);
  if (!counts.changed.empty())
    note += fmt::format("{}changed, {}", note.empty() ? "" : "; ", reasons(counts.changed));
  if (counts.made != 0)
    note += fmt::format("{}{} pairs made", note.empty() ? "" : "; ", grouped(counts.made));
  return note;
}

std::string steps_markdown(const Funnel& funnel) {
  std::string text = markdown_head(Row{"step", "of", "in", "out", "dropped", "why"});
  for (const StepAccount& step : funnel.steps) {
    const Counts total = step.total();
    text +=
        markdown_row(Row{name(step.step), name(step.unit), grouped(total.in), grouped(total.out),
                         grouped(sum_of(total.dropped)), counts_note(total)});
  }
  return text;
}

std::string by_source_markdown(const Funnel& funnel) {
  std::string text;
  for (const SourceFacts& source : funnel.sources) {
    text += fmt::format("\n### {}\n\n", name(source.name));
    if (!source.not_present.empty()) {
      text += fmt::format("Not there: {}\n", sentence(source.not_present));
      continue;
    }
    text += markdown_head(Row{"step", "in", "out", "dropped", "why"});
    for (const StepAccount& step : funnel.steps) {
      for (const auto& [of, counts] : step.sources) {
        if (of != source.name || (counts.in == 0 && counts.out == 0)) continue;
        text += markdown_row(Row{name(step.step), grouped(counts.in), grouped(counts.out),
                                 grouped(sum_of(counts.dropped)), counts_note(counts)});
      }
    }
    text += fmt::format("\nPairs: {} train, {} validation, {} test.\n", grouped(source.pairs.train),
                        grouped(source.pairs.validation), grouped(source.pairs.test));
  }
  return text;
}

std::string numbers_markdown(const std::string& title, const NamedNumbers& numbers) {
  std::string text = "\n" + markdown_head(Row{name(title), "pairs"}, 1);
  for (const auto& [what, number] : numbers) text += markdown_row(Row{name(what), grouped(number)});
  return text;
}

std::string pairs_markdown(const Funnel& funnel) {
  std::string text = numbers_markdown("split", {{"train", funnel.pairs.train},
                                                {"validation", funnel.pairs.validation},
                                                {"test", funnel.pairs.test}});
  for (const auto& [what, numbers] : funnel.by) text += numbers_markdown(what, numbers);
  for (const auto& [task, numbers] : funnel.labels)
    text += numbers_markdown("label, " + task, numbers);
  return text;
}

void add_examples(const std::vector<Example>& examples, std::string& text) {
  for (const Example& one : examples) {
    text += fmt::format("- {}: {}", name(one.id), report::markdown_text(one.text, kTextColumns));
    if (!one.detail.empty()) text += fmt::format(" ({})", sentence(one.detail));
    text += "\n";
  }
}

std::string examples_markdown(const Funnel& funnel) {
  std::string text;
  for (const StepAccount& step : funnel.steps) {
    if (step.kept.empty() && step.dropped.empty()) continue;
    text += fmt::format("\n### {}\n", name(step.step));
    for (const auto& [reason, examples] : step.dropped) {
      text += fmt::format("\nDropped, {}:\n\n", name(reason));
      add_examples(examples, text);
    }
    if (step.kept.empty()) continue;
    const bool changed = std::any_of(step.kept.begin(), step.kept.end(),
                                     [](const Example& one) { return !one.detail.empty(); });
    text += changed ? "\nChanged:\n\n" : "\nKept:\n\n";
    add_examples(step.kept, text);
  }
  return text;
}

std::string contamination_markdown(const Funnel& funnel) {
  std::string text;
  if (funnel.overlaps) {
    text += fmt::format("In the end {} of {} pairs share 13 words in a row with a benchmark.\n\n",
                        grouped(funnel.overlaps->found), grouped(funnel.overlaps->checked));
  } else {
    text += "The pairs were not checked against any benchmark.\n\n";
  }
  if (funnel.benchmarks.empty()) return text;
  text += markdown_head(Row{"benchmark", "items", "rows with a hit", "note"});
  for (const BenchmarkFacts& one : funnel.benchmarks) {
    text +=
        markdown_row(Row{name(one.name), one.items ? grouped(*one.items) : "-",
                         one.dropped ? grouped(*one.dropped) : "-",
                         one.missing.empty() ? "" : "**not checked**: " + sentence(one.missing)});
  }
  return text;
}

// Those that fell to a check, and those still there behind it.
Row check_cells(const std::string& check, const std::vector<const CritiqueCounts*>& columns,
                std::vector<std::uint64_t>& left) {
  Row row = {name(check)};
  for (size_t i = 0; i < columns.size(); ++i) {
    std::uint64_t fell = 0;
    for (const auto& [what, number] : columns[i]->fell) {
      if (what == check) fell = number;
    }
    left[i] -= std::min(left[i], fell);
    row.push_back(grouped(fell));
    row.push_back(grouped(left[i]));
  }
  return row;
}

std::string critiques_table(const CritiqueFacts& facts) {
  std::vector<const CritiqueCounts*> columns = {&facts.all};
  Row titles = {"check", "fell", "left"};
  const auto add = [&](const std::optional<CritiqueCounts>& counts, const char* title) {
    if (!counts) return;
    columns.push_back(&*counts);
    titles.push_back(fmt::format("{}: fell", title));
    titles.emplace_back("left");
  };
  add(facts.for_true, "for the true label");
  add(facts.for_wrong, "for a wrong label");
  std::string text = markdown_head(titles, titles.size() - 1);
  Row asked = {"asked for"};
  Row kept = {"kept"};
  std::vector<std::uint64_t> left;
  for (const CritiqueCounts* one : columns) {
    left.push_back(one->asked);
    for (const auto& [row, number] : {std::pair{&asked, one->asked}, std::pair{&kept, one->kept}}) {
      row->emplace_back();
      row->push_back(grouped(number));
    }
  }
  text += markdown_row(asked);
  for (const auto& [check, number] : facts.all.fell)
    text += markdown_row(check_cells(check, columns, left));
  return text + markdown_row(kept);
}

std::string critiques_markdown(const Funnel& funnel) {
  std::string text;
  for (const CritiqueFacts& facts : funnel.critiques) {
    text += fmt::format("\n## Synthetic critiques ({})\n\n", name(facts.step));
    text += critiques_table(facts);
    if (facts.examples.empty()) continue;
    text += "\nTo read:\n";
    for (const CritiqueExample& one : facts.examples) {
      text += fmt::format(
          "\n{}, argues for {}, {}:\n\n> {}\n", name(one.id), name(one.label),
          one.fell_to.empty() ? "**kept**" : fmt::format("**fell**: {}", sentence(one.fell_to)),
          report::markdown_text(one.text, kCritiqueColumns));
    }
  }
  return text;
}

std::string scores_markdown(const Funnel& funnel) {
  std::string text;
  for (const ScoreFacts& facts : funnel.scores) {
    text += fmt::format("\n## Scores ({})\n\n", name(facts.step));
    if (!facts.scorer.empty()) text += fmt::format("Scorer: {}.\n\n", sentence(facts.scorer));
    text += markdown_head(
        Row{"score", "chosen before", "rejected before", "chosen after", "rejected after"}, 4);
    for (size_t i = 0; i + 1 < facts.edges.size(); ++i) {
      text += markdown_row(Row{fmt::format("{:.4g} to {:.4g}", facts.edges[i], facts.edges[i + 1]),
                               grouped(facts.before.chosen[i]), grouped(facts.before.rejected[i]),
                               grouped(facts.after.chosen[i]), grouped(facts.after.rejected[i])});
    }
  }
  return text;
}

std::string facts_markdown(const Funnel& funnel) {
  std::string text;
  for (const StepAccount& step : funnel.steps) {
    for (const auto& [what, value] : other_facts(step))
      text += fmt::format("- {}, {}: {}\n", name(step.step), name(what), sentence(value));
  }
  return text.empty() ? text : "\n## What the steps say\n\n" + text;
}

std::string licences_markdown(const Funnel& funnel) {
  std::string text = markdown_head(Row{"source", "licence", "labels by", "attribution", "note"});
  for (const SourceFacts& source : funnel.sources) {
    text += markdown_row(Row{name(source.title), name(source.licence), name(source.labels_by),
                             sentence(source.attribution), sentence(source.note)});
  }
  return text;
}

}  // namespace

std::string report_markdown(const Funnel& funnel) {
  std::string text = fmt::format("# Curation: {}\n\n", name(funnel.title));
  text += fmt::format("Recipe {}, seed {}. {}\n\n", name(funnel.recipe), funnel.seed,
                      adds_up_line(funnel));
  text += "## Funnel\n\n" + steps_markdown(funnel);
  if (const std::vector<std::string> warnings = warnings_of(funnel); !warnings.empty()) {
    text += "\n";
    for (const std::string& warning : warnings)
      text += fmt::format("- **Warning** {}\n", report::markdown_text(warning, kWarningColumns));
  }
  text += "\n## Pairs\n" + pairs_markdown(funnel);
  text += "\n## Contamination\n\n" + contamination_markdown(funnel);
  text += critiques_markdown(funnel);
  text += scores_markdown(funnel);
  text += facts_markdown(funnel);
  text += "\n## Licences\n\n" + licences_markdown(funnel);
  text += "\n## By source\n" + by_source_markdown(funnel);
  if (const std::string examples = examples_markdown(funnel); !examples.empty())
    text += "\n## Examples\n" + examples;
  return text;
}

}  // namespace selene::curate
