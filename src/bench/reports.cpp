#include "bench/reports.h"

#include <algorithm>

#include <fmt/format.h>

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;

// The tasks of the paper's averages, in its order; others behind them.
size_t rank(const Score& score) {
  constexpr const char* kTasks[] = {"absolute", "classification", "pairwise"};
  return static_cast<size_t>(std::find(std::begin(kTasks), std::end(kTasks), score.average) -
                             std::begin(kTasks));
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The averages of a model whose figures `value_of` gives.
template <typename ValueOf>
CommonAverages::Row averages_of(std::string model, std::string source,
                                const std::vector<const Score*>& columns, const ValueOf& value_of) {
  CommonAverages::Row row{.model = std::move(model), .source = std::move(source), .task = {}};
  std::map<std::string, std::vector<double>> by_task;
  std::vector<double> all;
  for (const Score* column : columns) {
    all.push_back(value_of(*column));
    by_task[column->average].push_back(all.back());
  }
  std::vector<double> tasks;
  for (const auto& [task, values] : by_task) {
    row.task[task] = mean(values);
    tasks.push_back(row.task[task]);
  }
  row.task_average = mean(tasks);
  row.benchmark_average = mean(all);
  return row;
}

// The rows of all reports, a row once.
std::vector<Published> merged(std::span<const Report> reports,
                              std::vector<Published> Report::*of_report) {
  std::vector<Published> rows;
  for (const Report& report : reports) {
    for (const Published& one : report.*of_report) {
      const auto same = std::find_if(rows.begin(), rows.end(), [&](const Published& row) {
        return row.model == one.model && row.source == one.source;
      });
      if (same == rows.end()) {
        rows.push_back(one);
        continue;
      }
      for (const auto& value : one.values) {
        if (std::find(same->values.begin(), same->values.end(), value) == same->values.end())
          same->values.push_back(value);
      }
    }
  }
  return rows;
}

}  // namespace

std::vector<std::string> run_names(std::span<const Report> reports) {
  std::vector<std::string> names;
  for (const Report& report : reports) {
    const auto same = std::count_if(reports.begin(), reports.end(), [&](const Report& other) {
      return other.judge == report.judge;
    });
    if (report.judge.empty()) {
      names.push_back(report.folder);
    } else {
      names.push_back(same > 1 ? fmt::format("{} ({})", report.judge, report.folder)
                               : report.judge);
    }
  }
  return names;
}

std::vector<std::vector<RunScore>> by_benchmark(std::span<const Report> reports) {
  std::map<std::pair<size_t, std::string>, std::vector<RunScore>> found;
  for (size_t run = 0; run < reports.size(); ++run) {
    for (const Score& score : reports[run].scores)
      found[{rank(score), score.benchmark}].push_back({run, &score});
  }
  std::vector<std::vector<RunScore>> benchmarks;
  for (auto& [key, scores] : found) benchmarks.push_back(std::move(scores));
  return benchmarks;
}

std::vector<Published> published_beside(std::span<const Report> reports) {
  return merged(reports, &Report::published);
}

std::vector<Published> published_apart(std::span<const Report> reports) {
  return merged(reports, &Report::published_apart);
}

std::string published_note(std::span<const Report> reports) {
  bool verdicts = false;
  bool parts = false;
  for (const Report& report : reports) {
    for (const Score& score : report.scores) {
      verdicts = verdicts || score.mode == "verdict";
      parts = parts || score.items < score.items_of_benchmark;
    }
  }
  if (!verdicts && !parts) return "";
  return fmt::format(
      "the published rows are of all items, with critiques where the judge writes "
      "them; runs here {}{}{}",
      verdicts ? "have verdicts alone" : "", verdicts && parts ? " and " : "",
      parts ? "are of a part of the items of some benchmarks" : "");
}

CommonAverages common_averages(std::span<const Report> reports) {
  CommonAverages made;
  std::vector<const Score*> columns;
  std::vector<std::map<std::string, const Figure*>> figures(reports.size());
  for (const std::vector<RunScore>& scores : by_benchmark(reports)) {
    const Score& first = *scores.front().score;
    const bool all_have = scores.size() == reports.size() &&
                          std::all_of(scores.begin(), scores.end(), [](const RunScore& one) {
                            return one.score->figure.value.has_value();
                          });
    if (first.average.empty() || !all_have) continue;
    columns.push_back(&first);
    made.benchmarks.push_back(first.benchmark);
    for (const RunScore& one : scores) figures[one.run][first.benchmark] = &one.score->figure;
  }
  if (columns.empty()) return made;
  const std::vector<std::string> names = run_names(reports);
  for (size_t run = 0; run < reports.size(); ++run) {
    made.rows.push_back(averages_of(names[run], "", columns, [&](const Score& column) {
      return *figures[run].at(column.benchmark)->value;
    }));
    std::vector<const Figure*> all;
    std::map<std::string, std::vector<const Figure*>> by_task;
    for (const Score* column : columns) {
      all.push_back(figures[run].at(column->benchmark));
      by_task[column->average].push_back(all.back());
    }
    made.rows.back().task_interval = mean_interval(task_shares(by_task));
    made.rows.back().benchmark_interval = mean_interval(equal_shares(all));
  }
  for (const Published& published : published_beside(reports)) {
    const std::map<std::string, double> has(published.values.begin(), published.values.end());
    if (!std::all_of(columns.begin(), columns.end(),
                     [&](const Score* column) { return has.contains(column->benchmark); }))
      continue;
    made.rows.push_back(averages_of(published.model, published.source, columns,
                                    [&](const Score& column) { return has.at(column.benchmark); }));
  }
  return made;
}

Json to_json(const CommonAverages& averages) {
  Json rows = Json::array();
  for (const CommonAverages::Row& row : averages.rows) {
    rows.push_back({{"model", row.model},
                    {"source", row.source.empty() ? Json(nullptr) : Json(row.source)},
                    {"task", row.task},
                    {"task_average", row.task_average},
                    {"benchmark_average", row.benchmark_average}});
    const auto add = [&](const char* name, const std::optional<stats::Interval>& interval) {
      if (interval) rows.back()[name] = {interval->low, interval->high};
    };
    add("task_interval", row.task_interval);
    add("benchmark_interval", row.benchmark_interval);
  }
  return {{"benchmarks", averages.benchmarks}, {"rows", std::move(rows)}};
}

namespace {

Json to_json_of_runs(std::span<const Report> reports) {
  if (reports.size() == 1) return to_json(reports.front());
  const std::vector<std::string> names = run_names(reports);
  Json runs = Json::array();
  for (size_t run = 0; run < reports.size(); ++run) {
    Json row = {{"name", names[run]}};
    row.update(to_json(reports[run]));
    runs.push_back(std::move(row));
  }
  return {{"runs", std::move(runs)}, {"common_averages", to_json(common_averages(reports))}};
}

}  // namespace

Json to_json(std::span<const Report> reports, Studies studies) {
  Json all = to_json_of_runs(reports);
  for (const Robustness& study : studies) all["robustness"].push_back(to_json(study));
  return all;
}

}  // namespace selene::bench
