// A run's figures together: a row a benchmark, averages, and published rows beside them.
#pragma once

#include <filesystem>
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
  size_t have = 0;
  size_t of = 0;
};

// One model's published figures, by benchmark (under the same reading as ours).
struct Published {
  std::string model;
  std::string source;
  std::vector<std::pair<std::string, double>> values;
};

struct Report {
  std::string folder;
  std::string judge;
  std::vector<Score> scores;  // Those in the paper's averages first.
  std::vector<NotRun> not_run;
  std::vector<Average> averages;
  std::vector<Published> published;  // Only rows that have a figure of a benchmark that was run.
};

// The names of the benchmarks that a folder of `selene bench run` holds to their end, sorted.
std::vector<std::string> finished_benchmarks(const std::filesystem::path& folder);

// Reads a folder of `selene bench run` and scores it. Throws Error where it is none, or a benchmark
// in it is not finished.
Report read_report(const std::filesystem::path& folder, const ScoreOptions& options);

nlohmann::ordered_json to_json(const Report& report);

}  // namespace selene::bench
