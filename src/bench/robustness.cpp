#include "bench/robustness.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/compare.h"
#include "bench/figure_text.h"
#include "bench/probe.h"
#include "bench/report.h"
#include "bench/scored.h"
#include "bench/tally.h"
#include "core/error.h"
#include "core/text.h"
#include "judge/template.h"
#include "report/markdown.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool is_finished(const fs::path& folder, const std::string& benchmark) {
  return fs::exists(folder / (benchmark + ".jsonl")) && fs::exists(folder / (benchmark + ".yaml"));
}

Scored scored_of(const Spec& spec, const fs::path& folder) {
  return read_scored(spec, folder / (spec.name + ".jsonl"));
}

class Study {
 public:
  Study(const fs::path& folder, const std::string& benchmark, const ScoreOptions& options)
      : folder_(folder), options_(options) {
    const fs::path standard = format_folder(folder, kStandardFormat);
    if (!is_finished(standard, benchmark)) {
      throw Error(fmt::format("the study holds no finished run of '{}' under the standard format",
                              cut_to_columns(benchmark, 60)),
                  folder.string(), "selene bench robustness makes one");
    }
    spec_ = load_spec((standard / (benchmark + ".yaml")).string());
    standard_ = scored_of(spec_, standard);
    result_.folder = folder.string();
    result_.benchmark = benchmark;
    result_.judge = standard_.judge;
    result_.mode = standard_.mode;
    result_.items = standard_.items.size();
  }

  Robustness read() {
    add_standard();
    for (const judge::Template& form : judge::format_templates()) {
      const fs::path folder = format_folder(folder_, form.name);
      if (is_finished(folder, spec_.name))
        result_.formats.push_back(read_one(form.name, form.description, folder, false));
    }
    for (const Probe& probe : probes()) {
      const fs::path folder = probe_folder(folder_, std::string(probe.name));
      if (is_finished(folder, spec_.name))
        result_.probes.push_back(
            read_one(std::string(probe.name), std::string(probe.help), folder, true));
    }
    std::stable_sort(result_.formats.begin() + 1, result_.formats.end(),
                     [](const FormatResult& a, const FormatResult& b) {
                       return a.figure.value.value_or(0) > b.figure.value.value_or(0);
                     });
    add_flipping();
    return std::move(result_);
  }

 private:
  Figure figure_of(const Scored& scored) const { return score(spec_, scored, options_).figure; }

  void add_standard() {
    FormatResult standard{.name = kStandardFormat,
                          .description = "The standard format.",
                          .figure = figure_of(standard_),
                          .difference = {}};
    for (const judge::Template& form : judge::builtin_templates()) {
      if (form.name == kStandardFormat) standard.description = form.description;
    }
    standard.items = standard_.items.size();
    result_.formats.push_back(std::move(standard));
  }

  FormatResult read_one(std::string name, std::string description, const fs::path& folder,
                        bool is_probe) {
    const Scored scored = scored_of(spec_, folder);
    FormatResult result{.name = std::move(name),
                        .description = std::move(description),
                        .is_probe = is_probe,
                        .figure = figure_of(scored),
                        .difference = {}};
    const auto [before, after] = in_both(standard_, scored);
    result.items = before.items.size();
    for (size_t i = 0; i < before.items.size(); ++i) {
      const ScoredItem& a = before.items[i];
      const ScoredItem& b = after.items[i];
      const bool right_before = a.label == a.truth;
      const bool right_after = b.label == b.truth;
      const bool read = a.label >= 0 && b.label >= 0;
      const bool flips = read && (is_probe ? right_before != right_after : a.label != b.label);
      result.flips += flips;
      result.lost += right_before && !right_after;
      if (flips && !is_probe) ++flips_[a.id];
    }
    if (before.items.empty()) return result;
    const Tally tally(spec_, before);
    const Tally other(spec_, after);
    const Convention convention = before.both_orders ? spec_.convention : Convention::First;
    if (const auto difference =
            tally.difference(tally.credits(convention), other.credits(convention),
                             {.resamples = options_.resamples, .seed = options_.seed}))
      result.difference = difference->estimate;
    return result;
  }

  void add_flipping() {
    std::map<std::string, std::string> group_of;
    for (const ScoredItem& item : standard_.items) group_of[item.id] = standard_.groups[item.group];
    for (const auto& [id, flips] : flips_) result_.flipping.push_back({id, group_of[id], flips});
    std::stable_sort(
        result_.flipping.begin(), result_.flipping.end(),
        [](const FlippingItem& a, const FlippingItem& b) { return a.flips > b.flips; });
  }

  const fs::path& folder_;
  const ScoreOptions& options_;
  Spec spec_;
  Scored standard_;
  std::map<std::string, size_t> flips_;
  Robustness result_;
};

Json to_json(const FormatResult& result) {
  Json row = {{"name", result.name},
              {"description", result.description},
              {"accuracy", result.figure.value ? Json(*result.figure.value) : Json(nullptr)},
              {"items", result.items},
              {"flips", result.flips},
              {"lost", result.lost}};
  if (result.figure.interval)
    row["interval"] = {result.figure.interval->low, result.figure.interval->high};
  if (result.difference) {
    row["difference"] = result.difference->value;
    row["difference_interval"] = {result.difference->interval.low,
                                  result.difference->interval.high};
  }
  return row;
}

std::string percent(size_t part, size_t whole) {
  return whole == 0 ? std::string("-")
                    : fmt::format("{:.0f}%",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::vector<report::Cell> cells_of(const FormatResult& result, bool is_standard) {
  const auto interval = [](const std::optional<stats::Interval>& one) {
    return one ? fmt::format("[{:.3f}, {:.3f}]", one->low, one->high) : std::string();
  };
  return {
      {result.name, is_standard ? report::Style::Bold : report::Style::Plain},
      {result.figure.value ? fmt::format("{:.3f}", *result.figure.value) : "-"},
      {interval(result.figure.interval)},
      {result.difference ? fmt::format("{:+.3f}", result.difference->value) : ""},
      {result.difference ? fmt::format("[{:+.3f}, {:+.3f}]", result.difference->interval.low,
                                       result.difference->interval.high)
                         : ""},
      {is_standard ? ""
                   : fmt::format("{} ({})", result.flips, percent(result.flips, result.items))}};
}

const FormatResult* find(const std::vector<FormatResult>& results, const std::string& name) {
  const auto found = std::find_if(results.begin(), results.end(),
                                  [&](const FormatResult& one) { return one.name == name; });
  return found == results.end() ? nullptr : &*found;
}

std::string table_of(const std::vector<FormatResult>& results,
                     const std::vector<FormatResult>* beside, const char* title, const char* flips,
                     report::Terminal terminal) {
  using report::Align;
  std::vector<report::Column> columns{
      {.title = title, .width = 26}, {.title = "accuracy", .width = 8, .align = Align::Right},
      {.title = "95%", .width = 14}, {.title = "change", .width = 7, .align = Align::Right},
      {.title = "95%", .width = 16}, {.title = flips, .width = 14, .align = Align::Right}};
  if (beside != nullptr) {
    columns.push_back({.title = "beside", .width = 8, .align = Align::Right});
    columns.push_back({.title = "95%", .width = 14});
    columns.push_back({.title = flips, .width = 14, .align = Align::Right});
  }
  const report::Table table(columns, terminal);
  std::string text = table.header();
  for (const FormatResult& result : results) {
    const bool is_standard = result.name == kStandardFormat;
    std::vector<report::Cell> cells = cells_of(result, is_standard);
    if (beside != nullptr) {
      if (const FormatResult* other = find(*beside, result.name)) {
        const std::vector<report::Cell> own = cells_of(*other, is_standard);
        cells.insert(cells.end(), {own[1], own[2], own[5]});
      }
    }
    text += table.row(cells);
  }
  return text;
}

}  // namespace

fs::path format_folder(const fs::path& study, const std::string& format) {
  return study / "formats" / format;
}

fs::path probe_folder(const fs::path& study, const std::string& probe) {
  return study / "probes" / probe;
}

Robustness read_robustness(const fs::path& study, const std::string& benchmark,
                           const ScoreOptions& options) {
  return Study(study, benchmark, options).read();
}

std::vector<Robustness> read_study(const fs::path& study, const ScoreOptions& options) {
  const fs::path standard = format_folder(study, kStandardFormat);
  std::vector<Robustness> all;
  if (fs::is_directory(standard)) {
    for (const std::string& benchmark : finished_benchmarks(standard))
      all.push_back(read_robustness(study, benchmark, options));
  }
  if (all.empty()) {
    throw Error("this is no folder of `selene bench robustness` with a finished standard format",
                study.string());
  }
  return all;
}

Json to_json(const Robustness& robustness) {
  Json formats = Json::array();
  for (const FormatResult& one : robustness.formats) formats.push_back(to_json(one));
  Json probes = Json::array();
  for (const FormatResult& one : robustness.probes) probes.push_back(to_json(one));
  Json flipping = Json::array();
  for (const FlippingItem& item : robustness.flipping)
    flipping.push_back({{"id", item.id}, {"group", item.group}, {"flips", item.flips}});
  return {{"folder", robustness.folder},
          {"benchmark", robustness.benchmark},
          {"judge", robustness.judge},
          {"mode", robustness.mode},
          {"items", robustness.items},
          {"formats", formats},
          {"probes", probes},
          {"flipping", flipping}};
}

std::string robustness_markdown(const Robustness& robustness) {
  std::string text = fmt::format(
      "\n## {} under other formats of the prompt\n\n{} items, judge {}, {} mode\n\n"
      "| format or probe | accuracy | 95% | change | 95% | other verdicts |\n"
      "|---|---|---|---|---|---|\n",
      robustness.benchmark, robustness.items, report::markdown_cell(robustness.judge),
      robustness.mode);
  for (const auto* results : {&robustness.formats, &robustness.probes}) {
    for (const FormatResult& result : *results) {
      const auto cells = cells_of(result, result.name == kStandardFormat);
      text += "|";
      for (const report::Cell& cell : cells)
        text += fmt::format(" {} |", report::markdown_cell(cell.text));
      text += "\n";
    }
  }
  return text;
}

std::string robustness_text(const Robustness& robustness, const Robustness* beside,
                            report::Terminal terminal) {
  std::string text = fmt::format(
      "{}, {} items, judge {}, {} mode{}\n\n", robustness.benchmark, robustness.items,
      printable(robustness.judge), robustness.mode,
      beside == nullptr ? std::string() : fmt::format("; beside: {}", printable(beside->judge)));
  text += table_of(robustness.formats, beside == nullptr ? nullptr : &beside->formats, "format",
                   "other verdicts", terminal);
  if (robustness.formats.size() > 1) {
    const FormatResult& worst =
        *std::min_element(robustness.formats.begin(), robustness.formats.end(),
                          [](const FormatResult& a, const FormatResult& b) {
                            return a.figure.value.value_or(2) < b.figure.value.value_or(2);
                          });
    text += fmt::format("\nworst format: {} ({:.3f}): {}\n", worst.name,
                        worst.figure.value.value_or(0), worst.description);
  }
  if (!robustness.probes.empty()) {
    text += "\n" + table_of(robustness.probes, beside == nullptr ? nullptr : &beside->probes,
                            "probe", "changed", terminal);
  }
  if (!robustness.flipping.empty()) {
    text += "\nitems whose verdict changes under most formats\n";
    for (size_t i = 0; i < std::min<size_t>(10, robustness.flipping.size()); ++i) {
      const FlippingItem& item = robustness.flipping[i];
      text += fmt::format("  {:>2} of {}  {}  {}\n", item.flips, robustness.formats.size() - 1,
                          printable(item.id), printable(item.group));
    }
  }
  return text;
}

}  // namespace selene::bench
