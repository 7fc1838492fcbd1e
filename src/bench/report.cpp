#include "bench/report.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/scored.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/file.h"
#include "data/jsonl.h"
#include "stats/weighted_sum.h"

namespace selene::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The tasks of the paper's averages, in its order.
constexpr data::Task kTasks[] = {data::Task::Absolute, data::Task::Classification,
                                 data::Task::Pairwise};

// Null where it is not there. Throws Error where it is no JSON object.
Json read_object(const fs::path& path) {
  if (!fs::exists(path)) return nullptr;
  const Json value = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw Error("this is no JSON object", path.string());
  return value;
}

Average mean_of(std::string name, const std::vector<const Figure*>& figures, size_t of) {
  Average average{.name = std::move(name), .value = {}, .interval = {}, .have = 0, .of = of};
  average.have = figures.size();
  if (figures.empty()) return average;
  double sum = 0;
  for (const Figure* figure : figures) sum += *figure->value;
  average.value = sum / static_cast<double>(figures.size());
  average.interval = mean_interval(equal_shares(figures));
  return average;
}

// Of all benchmarks of the program: how many are in the average of each task.
std::map<std::string, size_t> counts_in_averages() {
  std::map<std::string, size_t> counts;
  for (const std::string& name : spec_names()) ++counts[load_spec(name).average];
  return counts;
}

std::vector<Average> averages_of(const std::vector<Score>& scores, const std::vector<Spec>& specs) {
  std::map<std::string, size_t> counts = counts_in_averages();
  std::vector<Average> averages;
  std::vector<const Figure*> all;
  std::map<std::string, std::vector<const Figure*>> by_task;
  bool any = false;
  double task_sum = 0;
  size_t of = 0;
  for (const data::Task task : kTasks) {
    const std::string name(data::task_name(task));
    std::vector<const Figure*> of_task;
    for (size_t i = 0; i < scores.size(); ++i) {
      if (specs[i].average != name) continue;
      any = true;
      if (scores[i].figure.value) of_task.push_back(&scores[i].figure);
    }
    all.insert(all.end(), of_task.begin(), of_task.end());
    of += counts[name];
    averages.push_back(mean_of(name, of_task, counts[name]));
    if (of_task.empty()) continue;
    task_sum += *averages.back().value;
    by_task[name] = std::move(of_task);
  }
  if (!any) return {};
  Average average{.name = "task average",
                  .value = {},
                  .interval = {},
                  .have = by_task.size(),
                  .of = std::size(kTasks)};
  if (!by_task.empty()) {
    average.value = task_sum / static_cast<double>(by_task.size());
    average.interval = mean_interval(task_shares(by_task));
  }
  averages.push_back(average);
  averages.push_back(mean_of("benchmark average", all, of));
  return averages;
}

// Whether a run reads a benchmark as the published figures do: by the program's own file, in the
// orders that it names, without a probe. Mode, template and share of the items are the run's own,
// and reports say them.
bool is_same_reading(const Spec& spec, const Scored& scored) {
  if (spec.column.empty() || !scored.probe.empty()) return false;
  const bool both = spec.task != data::Task::Pairwise || spec.order != "both" || scored.both_orders;
  return both && is_builtin(spec);
}

// `specs` have no column where the reading is another.
std::vector<Published> published_rows(const std::vector<Score>& scores,
                                      const std::vector<Spec>& specs) {
  std::vector<Published> rows;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name != "benchmarks/published.json") continue;
    const Json published = Json::parse(file.text);
    for (const Json& row : published.at("rows")) {
      Published found{.model = row.at("model"),
                      .source = row.at("source"),
                      .reading = row.value("reading", ""),
                      .values = {}};
      for (size_t i = 0; i < scores.size(); ++i) {
        const std::string& column = specs[i].column;
        for (const auto& [name, value] : row.at("values").items()) {
          const bool is_group = name.starts_with(column + "/");
          if (!column.empty() && (name == column || is_group))
            found.values.emplace_back(scores[i].benchmark + name.substr(column.size()), value);
        }
      }
      if (!found.values.empty()) rows.push_back(std::move(found));
    }
  }
  return rows;
}

// Those of the averages first, in the order of the tasks; the others behind them.
size_t rank(const Spec& spec) {
  for (size_t i = 0; i < std::size(kTasks); ++i) {
    if (spec.average == data::task_name(kTasks[i])) return i;
  }
  return std::size(kTasks);
}

// The critiques of the items to read; a second pass, so that scoring holds none of them.
void add_critiques(Score& score, const fs::path& rows) {
  std::map<std::string, Score::Disagreement*> wanted;
  for (Score::Disagreement& one : score.disagreements) wanted[one.id] = &one;
  data::JsonlReader reader(rows);
  for (data::Row row; !wanted.empty() && reader.next(row);) {
    const auto found = wanted.find(id_text(row.value));
    if (found == wanted.end()) continue;
    found->second->critique = row.value.value("critique", std::string());
    wanted.erase(found);
  }
}

Json to_json(const Average& average) {
  Json row = {{"name", average.name},
              {"value", average.value ? Json(*average.value) : Json(nullptr)}};
  if (average.interval) row["interval"] = {average.interval->low, average.interval->high};
  row["have"] = average.have;
  row["of"] = average.of;
  return row;
}

}  // namespace

std::optional<stats::Interval> mean_interval(std::span<const Share> shares) {
  std::vector<stats::Weighted> terms;
  for (const Share& share : shares) {
    if (!share.figure->interval) return std::nullopt;
    terms.push_back({{*share.figure->value, *share.figure->interval}, share.weight});
  }
  if (terms.empty()) return std::nullopt;
  return stats::weighted_sum(terms).interval;
}

std::vector<Share> equal_shares(const std::vector<const Figure*>& figures) {
  std::vector<Share> shares;
  for (const Figure* figure : figures)
    shares.push_back({figure, 1 / static_cast<double>(figures.size())});
  return shares;
}

std::vector<Share> task_shares(const std::map<std::string, std::vector<const Figure*>>& by_task) {
  std::vector<Share> shares;
  for (const auto& [task, figures] : by_task) {
    for (Share share : equal_shares(figures)) {
      share.weight /= static_cast<double>(by_task.size());
      shares.push_back(share);
    }
  }
  return shares;
}

std::vector<std::string> finished_benchmarks(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path rows = fs::path(entry.path()).replace_extension(".jsonl");
    if (entry.path().extension() == ".yaml" && fs::exists(rows))
      names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Report read_report(const fs::path& folder, const ScoreOptions& options) {
  if (!fs::is_directory(folder)) throw Error("there is no such folder", folder.string());
  Report report;
  report.folder = folder.string();
  std::vector<Spec> specs;
  for (const std::string& name : finished_benchmarks(folder)) {
    const fs::path file = folder / (name + ".yaml");
    specs.push_back(load_spec(file.string()));
  }
  std::sort(specs.begin(), specs.end(), [](const Spec& a, const Spec& b) {
    return std::pair(rank(a), a.name) < std::pair(rank(b), b.name);
  });
  for (Spec& spec : specs) {
    const fs::path rows = folder / (spec.name + ".jsonl");
    const Scored scored = read_scored(spec, rows);
    if (!is_same_reading(spec, scored)) spec.column.clear();
    Score score = bench::score(spec, scored, options);
    if (score.mode != "verdict") add_critiques(score, rows);
    const Json record = read_object(rows.string() + ".run.json");
    if (record.is_object() && record.contains("work"))
      score.items_of_benchmark = record.at("work").value("items_of_benchmark", size_t{0});
    report.scores.push_back(std::move(score));
  }
  const auto has_score = [&](const std::string& name) {
    return std::any_of(report.scores.begin(), report.scores.end(),
                       [&](const Score& score) { return score.benchmark == name; });
  };
  const auto is_listed = [&](const std::string& name) {
    return std::any_of(report.not_run.begin(), report.not_run.end(),
                       [&](const NotRun& one) { return one.benchmark == name; });
  };
  const Json run = read_object(folder / "run.json");
  if (run.is_object() && run.contains("benchmarks")) {
    for (const auto& [name, about] : run.at("benchmarks").items()) {
      if (about.contains("not_run") && !has_score(name))
        report.not_run.push_back({name, name, about.at("not_run").get<std::string>()});
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".part") continue;
    const std::string name = entry.path().stem().stem().string();
    if (!has_score(name) && !is_listed(name)) report.not_run.push_back({name, name, kNotFinished});
  }
  std::sort(report.not_run.begin(), report.not_run.end(),
            [](const NotRun& a, const NotRun& b) { return a.benchmark < b.benchmark; });
  if (report.scores.empty() && report.not_run.empty())
    throw Error("this is no folder of `selene bench run`", folder.string());
  report.averages = averages_of(report.scores, specs);
  for (Published& row : published_rows(report.scores, specs)) {
    (row.reading.empty() ? report.published : report.published_apart).push_back(std::move(row));
  }
  if (!report.scores.empty()) report.judge = report.scores.front().judge;
  return report;
}

Json to_json(const std::vector<Published>& published) {
  Json rows = Json::array();
  for (const Published& row : published) {
    Json values = Json::object();
    for (const auto& [name, value] : row.values) values[name] = value;
    rows.push_back({{"model", row.model}, {"source", row.source}});
    if (!row.reading.empty()) rows.back()["reading"] = row.reading;
    rows.back()["values"] = std::move(values);
  }
  return rows;
}

Json to_json(const Report& report) {
  Json scores = Json::array();
  for (const Score& score : report.scores) scores.push_back(to_json(score));
  Json not_run = Json::array();
  for (const NotRun& one : report.not_run)
    not_run.push_back({{"benchmark", one.benchmark}, {"reason", one.reason}});
  Json averages = Json::array();
  for (const Average& average : report.averages) averages.push_back(to_json(average));
  Json row = {{"folder", report.folder}, {"judge", report.judge},
              {"scores", scores},        {"not_run", not_run},
              {"averages", averages},    {"published", to_json(report.published)}};
  if (!report.published_apart.empty()) row["published_apart"] = to_json(report.published_apart);
  return row;
}

}  // namespace selene::bench
