// A run's figures together: a row a benchmark, averages, and published rows beside them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/score.h"

namespace selene::bench {

struct NotRun {
  std::string benchmark;
  std::string title;
  std::string reason;
};

// Why a benchmark that was begun, or planned, has no figure.
inline constexpr char kNotFinished[] = "not finished: run the same command again";

// Of figures that were had; the paper's averages where all are (arXiv 2501.17195: the task average
// is the mean of the three tasks' means, the benchmark average the mean of all eleven).
struct Average {
  std::string name;
  std::optional<double> value;
  std::optional<stats::Interval> interval;  // 95%; none where one of the figures has none.
  size_t have = 0;
  size_t of = 0;
};

// A figure in a weighted mean.
struct Share {
  const Figure* figure = nullptr;  // With a value.
  double weight = 0;
};
// The 95% interval of the mean of figures of benchmarks that share no items; nothing where one of
// them has none.
std::optional<stats::Interval> mean_interval(std::span<const Share> shares);
// Of figures by task, as the paper averages them: the mean of the tasks' means.
std::vector<Share> task_shares(const std::map<std::string, std::vector<const Figure*>>& by_task);
std::vector<Share> equal_shares(const std::vector<const Figure*>& figures);

// One model's published figures, by benchmark or "BENCHMARK/GROUP".
struct Published {
  std::string model;
  std::string source;
  std::string reading;  // How they were read, where that is not wholly known; empty: as ours.
  std::vector<std::pair<std::string, double>> values;
};

struct Report {
  std::string folder;
  std::string judge;
  std::vector<Score> scores;  // Those in the paper's averages first.
  std::vector<NotRun> not_run;
  std::vector<Average> averages;
  // Only rows that have a figure of a benchmark that was run.
  std::vector<Published> published;        // Under the same reading, so that they stand beside.
  std::vector<Published> published_apart;  // Under one that is not known: beside nothing.
};

// The names of the benchmarks that a folder of `selene bench run` holds to their end, sorted.
std::vector<std::string> finished_benchmarks(const std::filesystem::path& folder);

// Reads a folder of `selene bench run` and scores it. Throws Error where it is none, or a benchmark
// in it is not finished.
Report read_report(const std::filesystem::path& folder, const ScoreOptions& options);

nlohmann::ordered_json to_json(const Report& report);
nlohmann::ordered_json to_json(const std::vector<Published>& published);

}  // namespace selene::bench
