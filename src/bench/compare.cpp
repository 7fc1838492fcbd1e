#include "bench/compare.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "bench/metrics.h"
#include "bench/report.h"
#include "bench/tally.h"
#include "core/error.h"
#include "core/text.h"
#include "stats/correlation.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::map<std::string, Spec> specs_of(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw Error("there is no such folder", folder.string());
  std::map<std::string, Spec> specs;
  for (const std::string& name : finished_benchmarks(folder))
    specs.emplace(name, load_spec((folder / (name + ".yaml")).string()));
  if (specs.empty())
    throw Error("this folder holds no finished benchmark", folder.string(),
                "selene bench run makes one");
  return specs;
}

// In two runs a pair may stand in another order, where their seeds differ.
bool same_truths(const Scored& first, const Scored& second) {
  return std::equal(first.items.begin(), first.items.end(), second.items.begin(),
                    [](const ScoredItem& a, const ScoredItem& b) {
                      return a.truth == b.truth && a.truth_number == b.truth_number;
                    });
}

void compare_accuracy(const Spec& spec, const Scored& first, const Scored& second,
                      const stats::Resampling& how, Comparison& comparison) {
  const Tally first_tally(spec, first);
  const Tally second_tally(spec, second);
  Convention convention = spec.convention;
  if (spec.task == data::Task::Pairwise) {
    if (!first.both_orders || !second.both_orders) convention = Convention::First;
    comparison.convention = convention_name(convention);
  }
  const std::vector<double> a = first_tally.credits(convention);
  const std::vector<double> b = second_tally.credits(convention);
  comparison.first = first_tally.overall(a);
  comparison.second = first_tally.overall(b);
  if (const auto difference = first_tally.difference(a, b, how)) {
    comparison.difference = difference->estimate;
    comparison.p = difference->p_of_zero;
  }
  stats::PairedCounts counts;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool in_first = a[i] == 1;
    const bool in_second = b[i] == 1;
    counts.both += in_first && in_second;
    counts.only_first += in_first && !in_second;
    counts.only_second += !in_first && in_second;
    counts.neither += !in_first && !in_second;
  }
  comparison.counts = counts;
  comparison.mcnemar_p = stats::mcnemar_p(counts.only_first, counts.only_second);
}

// False where a correlation is undefined.
bool compare_correlation(const Spec& spec, const Scored& first, const Scored& second,
                         stats::Resampling how, Comparison& comparison) {
  std::vector<double> truth, a, b;
  std::vector<size_t> clusters;
  for (size_t i = 0; i < first.items.size(); ++i) {
    if (first.items[i].label < 0 || second.items[i].label < 0) continue;
    truth.push_back(first.items[i].truth_number);
    a.push_back(score_of(spec, first.items[i]));
    b.push_back(score_of(spec, second.items[i]));
    clusters.push_back(first.items[i].cluster);
  }
  comparison.items = truth.size();
  if (first.has_clusters) how.clusters = clusters;
  const auto r_a = stats::pearson(a, truth);
  const auto r_b = stats::pearson(b, truth);
  const auto difference =
      stats::bootstrap_difference(stats::pearson_of(a, truth), stats::pearson_of(b, truth), how);
  if (!r_a || !r_b || !difference) return false;
  comparison.first = *r_a;
  comparison.second = *r_b;
  comparison.difference = difference->estimate;
  comparison.p = difference->p_of_zero;
  return true;
}

}  // namespace

std::pair<Scored, Scored> in_both(const Scored& first, const Scored& second) {
  std::unordered_map<std::string, const ScoredItem*> by_id;
  for (const ScoredItem& item : second.items) by_id.emplace(item.id, &item);
  std::pair<Scored, Scored> both{first, second};
  both.first.items.clear();
  both.second.items.clear();
  for (const ScoredItem& item : first.items) {
    const auto found = by_id.find(item.id);
    if (found == by_id.end() || item.state == State::Skipped ||
        found->second->state == State::Skipped)
      continue;
    ScoredItem other = *found->second;
    other.group = item.group;
    other.cluster = item.cluster;
    both.first.items.push_back(item);
    both.second.items.push_back(std::move(other));
  }
  both.second.groups = first.groups;
  both.second.clusters = first.clusters;
  return both;
}

std::string Comparison::decision() const {
  if (difference && difference->interval.low > 0) return "better";
  if (difference && difference->interval.high < 0) return "worse";
  return "cannot tell";
}

RunComparison compare_runs(const fs::path& first, const fs::path& second,
                           const ScoreOptions& options) {
  const std::map<std::string, Spec> first_specs = specs_of(first);
  const std::map<std::string, Spec> second_specs = specs_of(second);
  RunComparison result{first.string(), second.string(), {}, {}};
  const stats::Resampling how{.resamples = options.resamples, .seed = options.seed};
  for (const auto& [name, spec] : second_specs) {
    if (!first_specs.contains(name))
      result.left_out.push_back(fmt::format("{}: only in {}", name, second.string()));
  }
  for (const auto& [name, spec] : first_specs) {
    if (!second_specs.contains(name)) {
      result.left_out.push_back(fmt::format("{}: only in {}", name, first.string()));
      continue;
    }
    const std::string file = name + ".jsonl";
    const auto [a, b] = in_both(read_scored(spec, first / file), read_scored(spec, second / file));
    Comparison comparison{.benchmark = name,
                          .metric = std::string(find_metric(spec.metric).heading),
                          .convention = {},
                          .items = a.items.size(),
                          .difference = {},
                          .counts = {}};
    if (a.items.empty()) {
      result.left_out.push_back(fmt::format("{}: no item is in both", name));
    } else if (!same_truths(a, b)) {
      const std::string& probe = a.probe.empty() ? b.probe : a.probe;
      result.left_out.push_back(
          probe.empty()
              ? fmt::format("{}: the runs have other truths or sides (another --seed)", name)
              : fmt::format("{}: the probe '{}' changes the sides: selene bench robustness "
                            "compares it",
                            name, probe));
    } else if (find_metric(spec.metric).numeric_truth()) {
      if (compare_correlation(spec, a, b, how, comparison)) {
        result.benchmarks.push_back(comparison);
      } else {
        result.left_out.push_back(fmt::format("{}: a correlation is undefined", name));
      }
    } else {
      compare_accuracy(spec, a, b, how, comparison);
      result.benchmarks.push_back(comparison);
    }
  }
  if (result.benchmarks.empty() && result.left_out.empty())
    throw Error("the two runs have no benchmark in common", second.string());
  return result;
}

Json to_json(const RunComparison& comparison) {
  Json rows = Json::array();
  for (const Comparison& one : comparison.benchmarks) {
    Json row = {{"benchmark", one.benchmark},
                {"metric", one.metric},
                {"convention", one.convention.empty() ? Json(nullptr) : Json(one.convention)},
                {"items", one.items},
                {"first", one.first},
                {"second", one.second},
                {"difference", one.second - one.first},
                {"interval", nullptr},
                {"p", nullptr},
                {"decision", one.decision()}};
    if (one.difference) {
      row["interval"] = {one.difference->interval.low, one.difference->interval.high};
      row["p"] = one.p;
    }
    if (one.counts) {
      row["both"] = one.counts->both;
      row["only_first"] = one.counts->only_first;
      row["only_second"] = one.counts->only_second;
      row["neither"] = one.counts->neither;
      row["mcnemar_p"] = one.mcnemar_p;
    }
    rows.push_back(std::move(row));
  }
  return {{"first", comparison.first},
          {"second", comparison.second},
          {"benchmarks", rows},
          {"left_out", comparison.left_out}};
}

std::string comparison_text(const RunComparison& comparison, report::Terminal terminal) {
  using report::Align;
  std::string text =
      fmt::format("A  {}\nB  {}\n\n", printable(comparison.first), printable(comparison.second));
  if (!comparison.benchmarks.empty()) {
    report::Table table({{.title = "benchmark", .width = 24, .flexible = true},
                         {.title = "metric", .width = 19},
                         {.title = "items", .width = 6, .align = Align::Right},
                         {.title = "A", .width = 6, .align = Align::Right},
                         {.title = "B", .width = 6, .align = Align::Right},
                         {.title = "B - A", .width = 7, .align = Align::Right},
                         {.title = "95%", .width = 16},
                         {.title = "p", .width = 5, .align = Align::Right},
                         {.title = "only A/B right", .width = 14, .align = Align::Right},
                         {.title = "McNemar p", .width = 9, .align = Align::Right},
                         {.title = "B is", .width = 11}},
                        terminal);
    text += table.header();
    for (const Comparison& one : comparison.benchmarks) {
      const report::Cell cells[] = {
          {one.benchmark, report::Style::Bold},
          {one.convention.empty() ? one.metric
                                  : fmt::format("{} ({})", one.metric, one.convention)},
          {fmt::format("{}", one.items)},
          {fmt::format("{:.3f}", one.first)},
          {fmt::format("{:.3f}", one.second)},
          {fmt::format("{:+.3f}", one.second - one.first)},
          {one.difference ? fmt::format("[{:+.3f}, {:+.3f}]", one.difference->interval.low,
                                        one.difference->interval.high)
                          : "too few"},
          {one.difference ? fmt::format("{:.3f}", one.p) : ""},
          {one.counts ? fmt::format("{}/{}", one.counts->only_first, one.counts->only_second) : ""},
          {one.counts ? fmt::format("{:.3f}", one.mcnemar_p) : ""},
          {one.decision()}};
      text += table.row(cells);
    }
  }
  for (const std::string& line : comparison.left_out) text += printable(line) + "\n";
  return text;
}

}  // namespace selene::bench
