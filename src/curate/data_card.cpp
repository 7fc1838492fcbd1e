// The data card of the pairs, in the form of the Hugging Face Hub: its front matter is YAML
// (https://github.com/huggingface/hub-docs/blob/main/datasetcard.md).
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.h"
#include "curate/report.h"
#include "report/markdown.h"

namespace selene::curate {
namespace {

using report::markdown_head;
using report::markdown_row;

using Row = std::vector<std::string>;

constexpr size_t kNameColumns = 120;
constexpr size_t kValueColumns = 1000;

std::string name(std::string_view text) { return report::markdown_text(text, kNameColumns); }
std::string sentence(std::string_view text) { return report::markdown_text(text, kValueColumns); }

// A JSON string is a YAML one.
std::string quoted_text(std::string_view text) {
  return nlohmann::json(cut_to_columns(text, kNameColumns)).dump();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  const std::string low = lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return low.find(word) != std::string::npos; });
}

// The Hub's classes of size.
std::string size_class(std::uint64_t pairs) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 6> kClasses = {{
      {1'000, "n<1K"},
      {10'000, "1K<n<10K"},
      {100'000, "10K<n<100K"},
      {1'000'000, "100K<n<1M"},
      {10'000'000, "1M<n<10M"},
      {100'000'000, "10M<n<100M"},
  }};
  for (const auto& [below, text] : kClasses) {
    if (pairs < below) return text;
  }
  return "n>100M";
}

std::vector<std::pair<const char*, std::uint64_t>> splits_of(const SplitCounts& pairs) {
  std::vector<std::pair<const char*, std::uint64_t>> splits;
  for (const auto& split : {std::pair<const char*, std::uint64_t>{"train", pairs.train},
                            {"validation", pairs.validation},
                            {"test", pairs.test}}) {
    if (split.second > 0) splits.push_back(split);
  }
  return splits;
}

std::string front_matter(const Funnel& funnel) {
  std::string text = fmt::format(
      "---\npretty_name: {}\nlicense: other\nlicense_name: those-of-the-sources\n"
      "task_categories:\n- text-generation\nsize_categories:\n- {}\n"
      "tags:\n- preference\n- dpo\n- llm-as-a-judge\n- selene.cpp\n",
      quoted_text(funnel.title), size_class(funnel.pairs.total()));
  const auto splits = splits_of(funnel.pairs);
  if (!splits.empty()) {
    text += "configs:\n- config_name: default\n  data_files:\n";
    for (const auto& [split, pairs] : splits)
      text += fmt::format("  - split: {0}\n    path: {0}.jsonl\n", split);
  }
  return text + "---\n\n";
}

// Those of which there are pairs.
std::vector<const SourceFacts*> used(const Funnel& funnel) {
  std::vector<const SourceFacts*> sources;
  for (const SourceFacts& source : funnel.sources) {
    if (source.pairs.total() > 0) sources.push_back(&source);
  }
  return sources;
}

std::string source_markdown(const SourceFacts& source) {
  std::string text = fmt::format("### {}\n\n", name(source.title));
  const auto add = [&](const char* what, const std::string& value) {
    if (!value.empty()) text += fmt::format("- {}: {}\n", what, value);
  };
  add("Name in the rows", name(source.name));
  add("Licence", name(source.licence));
  add("Attribution", sentence(source.attribution));
  add("Paper", sentence(source.paper));
  add("Labels by", name(source.labels_by));
  add("Note", sentence(source.note));
  for (const SourceFile& file : source.files) {
    text += fmt::format("- File: {}{}{}\n", sentence(file.file),
                        file.address.empty() ? "" : ", " + sentence(file.address),
                        file.sha256.empty() ? "" : ", SHA-256 " + name(file.sha256));
  }
  text += fmt::format("- Rows: {}; pairs: {} train, {} validation, {} test\n\n",
                      grouped(source.rows), grouped(source.pairs.train),
                      grouped(source.pairs.validation), grouped(source.pairs.test));
  return text;
}

std::string names_of(const std::vector<const SourceFacts*>& sources) {
  Row names;
  for (const SourceFacts* source : sources)
    names.push_back(fmt::format("{} ({})", name(source->title), name(source->licence)));
  return fmt::format("{}", fmt::join(names, "; "));
}

// What a licence or a note asks of whoever passes the pairs on.
std::string duties_markdown(const Funnel& funnel) {
  std::vector<const SourceFacts*> share_alike, non_commercial, written_by_models, unknown;
  for (const SourceFacts* source : used(funnel)) {
    const std::string terms = source->licence + " " + source->note;
    if (mentions(source->licence, {"-sa", " sa", "cdla-sharing"}) ||
        mentions(terms, {"share-alike", "sharealike", "share alike"}))
      share_alike.push_back(source);
    if (mentions(source->licence, {"-nc", " nc"}) ||
        mentions(terms, {"noncommercial", "non-commercial", "non commercial"}))
      non_commercial.push_back(source);
    if (source->labels_by == "model" || mentions(terms, {"openai", "gpt", "claude", "anthropic"}))
      written_by_models.push_back(source);
    if (source->licence.empty() || mentions(source->licence, {"unknown", "none"}))
      unknown.push_back(source);
  }
  std::string text =
      "Each row keeps the licence of its source; keep the attributions below wherever the pairs or "
      "a "
      "model made from them go.\n\n";
  const auto add = [&](const std::vector<const SourceFacts*>& sources, const char* what) {
    if (!sources.empty()) text += fmt::format("- {}: {}.\n", what, names_of(sources));
  };
  add(share_alike, "Share-alike (what is made of these is passed on under the same licence)");
  add(non_commercial, "No commercial use");
  add(written_by_models,
      "Texts or labels by models of others, whose terms of use may forbid training competing "
      "models "
      "(OpenAI's do)");
  add(unknown, "No known licence: ask before you pass them on");
  return text + "\n";
}

std::string steps_markdown(const Funnel& funnel) {
  std::string text = markdown_head(Row{"step", "of", "in", "out", "dropped because"});
  for (const StepAccount& step : funnel.steps) {
    const Counts total = step.total();
    Row reasons;
    for (const auto& [reason, number] : most_first(total.dropped))
      reasons.push_back(fmt::format("{} ({})", name(reason), grouped(number)));
    text += markdown_row(Row{name(step.step), name(step.unit), grouped(total.in),
                             grouped(leaving(total)), fmt::format("{}", fmt::join(reasons, "; "))});
  }
  return text + "\n" + adds_up_line(funnel) + "\n\n";
}

std::string counts_markdown(const Funnel& funnel) {
  std::string text = markdown_head(Row{"split", "pairs"}, 1);
  for (const auto& [split, pairs] : splits_of(funnel.pairs))
    text += markdown_row(Row{split, grouped(pairs)});
  for (const auto& [what, numbers] : funnel.by) {
    text += "\n" + markdown_head(Row{name(what), "pairs"}, 1);
    for (const auto& [one, number] : numbers) text += markdown_row(Row{name(one), grouped(number)});
  }
  if (funnel.labels.empty()) return text + "\n";
  text += "\n" + markdown_head(Row{"task", "label of the chosen answer", "pairs"}, 1);
  for (const auto& [task, numbers] : funnel.labels) {
    for (const auto& [label, number] : numbers)
      text += markdown_row(Row{name(task), name(label), grouped(number)});
  }
  return text + "\n";
}

std::string limits_markdown(const Funnel& funnel) {
  std::string text =
      "- Labels are those of the sources; nobody has looked at them again, and they are as wrong "
      "as "
      "they were there.\n";
  if (!funnel.overlaps) {
    text += "- The pairs were not checked for texts of benchmarks.\n";
  } else {
    text += fmt::format(
        "- {} of {} pairs share 13 words in a row with a benchmark that was checked. Shared words "
        "and "
        "near copies are found; a paraphrase or a translation is not.\n",
        grouped(funnel.overlaps->found), grouped(funnel.overlaps->checked));
  }
  Row missing;
  for (const BenchmarkFacts& one : funnel.benchmarks) {
    if (!one.missing.empty()) missing.push_back(name(one.name));
  }
  if (!missing.empty())
    text += fmt::format("- Not checked against: {}.\n", fmt::join(missing, ", "));
  for (const CritiqueFacts& facts : funnel.critiques) {
    text += fmt::format(
        "- A model wrote critiques for given verdicts; {} of {} passed the checks, which see form "
        "and "
        "the verdict, not whether what a critique says is true.\n",
        grouped(facts.all.kept), grouped(facts.all.written));
  }
  if (!funnel.scores.empty())
    text += "- Pairs were selected by a scorer's scores, and share its preferences.\n";
  return text;
}

}  // namespace

std::string data_card_markdown(const Funnel& funnel) {
  std::string text = front_matter(funnel);
  text += fmt::format(
      "# {}\n\n{} pairs of a chosen and a rejected judgment, for training a language model as a "
      "judge. "
      "Made by selene.cpp of the recipe {} with seed {}; the same recipe, sources and seed give "
      "the "
      "same bytes.\n\nA row has `prompt`, `chosen` and `rejected` as lists of messages, as TRL "
      "reads "
      "them, and `provenance`: the source, the row's id there, and what each step changed.\n\n",
      name(funnel.title), grouped(funnel.pairs.total()), name(funnel.recipe), funnel.seed);
  text += "## Before you use it\n\n" + duties_markdown(funnel);
  text += "## Counts\n\n" + counts_markdown(funnel);
  text += "## What was done\n\n" + steps_markdown(funnel);
  text += "## Limits\n\n" + limits_markdown(funnel);
  text += "\n## Sources\n\n";
  for (const SourceFacts* source : used(funnel)) text += source_markdown(*source);
  return text;
}

}  // namespace selene::curate
