#include "bench/report.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/scored.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/file.h"
#include "data/jsonl.h"

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

Average mean_of(std::string name, const std::vector<const Score*>& scores, size_t of) {
  Average average{.name = std::move(name), .value = {}, .have = 0, .of = of};
  double sum = 0;
  for (const Score* score : scores) {
    if (!score->figure.value) continue;
    sum += *score->figure.value;
    ++average.have;
  }
  if (average.have > 0) average.value = sum / static_cast<double>(average.have);
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
  std::vector<const Score*> all;
  double task_sum = 0;
  size_t tasks = 0;
  size_t of = 0;
  for (const data::Task task : kTasks) {
    const std::string name(data::task_name(task));
    std::vector<const Score*> of_task;
    for (size_t i = 0; i < scores.size(); ++i) {
      if (specs[i].average != name) continue;
      of_task.push_back(&scores[i]);
      all.push_back(&scores[i]);
    }
    of += counts[name];
    averages.push_back(mean_of(name, of_task, counts[name]));
    if (!averages.back().value) continue;
    task_sum += *averages.back().value;
    ++tasks;
  }
  if (all.empty()) return {};
  Average by_task{.name = "task average", .value = {}, .have = tasks, .of = std::size(kTasks)};
  if (tasks > 0) by_task.value = task_sum / static_cast<double>(tasks);
  averages.push_back(by_task);
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
      Published found{.model = row.at("model"), .source = row.at("source"), .values = {}};
      for (size_t i = 0; i < scores.size(); ++i) {
        const std::string& column = specs[i].column;
        if (!column.empty() && row.at("values").contains(column))
          found.values.emplace_back(scores[i].benchmark, row.at("values").at(column));
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
  return {{"name", average.name},
          {"value", average.value ? Json(*average.value) : Json(nullptr)},
          {"have", average.have},
          {"of", average.of}};
}

}  // namespace

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
  report.published = published_rows(report.scores, specs);
  if (!report.scores.empty()) report.judge = report.scores.front().judge;
  return report;
}

Json to_json(const Report& report) {
  Json scores = Json::array();
  for (const Score& score : report.scores) scores.push_back(to_json(score));
  Json not_run = Json::array();
  for (const NotRun& one : report.not_run)
    not_run.push_back({{"benchmark", one.benchmark}, {"reason", one.reason}});
  Json averages = Json::array();
  for (const Average& average : report.averages) averages.push_back(to_json(average));
  Json published = Json::array();
  for (const Published& row : report.published) {
    Json values = Json::object();
    for (const auto& [name, value] : row.values) values[name] = value;
    published.push_back({{"model", row.model}, {"source", row.source}, {"values", values}});
  }
  return {{"folder", report.folder}, {"judge", report.judge}, {"scores", scores},
          {"not_run", not_run},      {"averages", averages},  {"published", published}};
}

}  // namespace selene::bench
