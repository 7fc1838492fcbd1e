// One or several runs in one report: what is beside what. A single run is the same with one.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/report.h"
#include "bench/robustness.h"
#include "report/table.h"

namespace selene::bench {

// The judge's name, with the folder where several runs have the same one.
std::vector<std::string> run_names(std::span<const Report> reports);

struct RunScore {
  size_t run = 0;
  const Score* score = nullptr;
};

// Benchmark by benchmark, those of the paper's averages first; of each its runs in their order.
std::vector<std::vector<RunScore>> by_benchmark(std::span<const Report> reports);

// The published rows of all.
std::vector<Published> published_beside(std::span<const Report> reports);
// Those that were published under a reading that is not known.
std::vector<Published> published_apart(std::span<const Report> reports);
// How a run beside them was made otherwise than they were; empty: in nothing that is known.
std::string published_note(std::span<const Report> reports);

// Averages by model over the same benchmarks: those of the paper's averages of which every run has
// a figure. Runs come first, then the published rows that have all of them.
struct CommonAverages {
  struct Row {
    std::string model = {};
    std::string source = {};                  // Empty: a run.
    std::map<std::string, double> task = {};  // The mean of its benchmarks, by task.
    double task_average = 0;                  // The mean of those.
    double benchmark_average = 0;
    // 95%, of runs.
    std::optional<stats::Interval> task_interval = {};
    std::optional<stats::Interval> benchmark_interval = {};
  };
  std::vector<std::string> benchmarks;
  std::vector<Row> rows;
};
CommonAverages common_averages(std::span<const Report> reports);

// Studies of prompt formats that a report shows too.
using Studies = std::span<const Robustness>;

// Of one run its own object; of several {"runs": [...], "common_averages": ...}; with the studies,
// where there are some, as "robustness".
nlohmann::ordered_json to_json(std::span<const Report> reports, Studies studies = {});
nlohmann::ordered_json to_json(const CommonAverages& averages);

std::string report_text(std::span<const Report> reports, report::Terminal terminal,
                        Studies studies = {});
std::string report_markdown(std::span<const Report> reports, Studies studies = {});

// One offline page with everything, with figures where the program has what draws them.
std::string report_page(std::span<const Report> reports, Studies studies = {});
bool has_charts();

}  // namespace selene::bench
