// Two runs over the same items: is one better, and by how much?
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/score.h"
#include "bench/scored.h"
#include "report/table.h"

namespace selene::bench {

// One benchmark that both runs hold, over the items that both judged.
struct Comparison {
  std::string benchmark;
  std::string metric;
  std::string convention;
  size_t items = 0;
  double first = 0;
  double second = 0;
  // Second minus first, by the paired bootstrap, and its two-sided p of no difference. Nothing
  // where the items say nothing of others: one alone, or all of one cluster.
  std::optional<stats::Estimate> difference;
  double p = 1;
  // Of accuracy: the items that one alone has right, and McNemar's exact test.
  std::optional<stats::PairedCounts> counts;
  double mcnemar_p = 1;
  // "better" or "worse" where the interval has no 0 in it; else "cannot tell".
  std::string decision() const;
};

// The items that both judged, in the order of the first, with its groups and clusters.
std::pair<Scored, Scored> in_both(const Scored& first, const Scored& second);

struct RunComparison {
  std::string first;  // Folders.
  std::string second;
  std::vector<Comparison> benchmarks;
  std::vector<std::string> left_out;  // A line each: what is in one of the two alone, or undefined.
};

// Throws Error where a folder is no run, or nothing is in both.
RunComparison compare_runs(const std::filesystem::path& first, const std::filesystem::path& second,
                           const ScoreOptions& options);

nlohmann::ordered_json to_json(const RunComparison& comparison);
std::string comparison_text(const RunComparison& comparison, report::Terminal terminal);

}  // namespace selene::bench
