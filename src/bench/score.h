// The figures of a judge on a benchmark: the metric with its interval, what it is made of, and what
// a judge that reads nothing would reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/scored.h"
#include "bench/spec.h"
#include "stats/agreement.h"
#include "stats/proportion.h"

namespace selene::bench {

struct Figure {
  std::string name;   // "accuracy"
  std::string title;  // "accuracy"
  std::optional<double> value;
  std::optional<stats::Interval> interval;  // 95%
  std::string missing;                      // Why there is no value.
};

struct GroupFigure {
  std::string name;
  size_t items = 0;
  Figure figure;
};

// A text of an item, as a report shows it.
struct ItemText {
  std::string name;  // "response A"
  std::string text;
};

struct Score {
  std::string benchmark;
  std::string title;
  std::string task;     // "pairwise"
  std::string average;  // The task in whose average of the paper it is; empty: in none.
  std::string judge;
  std::string template_name;
  std::string mode;
  std::string metric;
  std::string convention;  // Of the figure; empty where the task has none.
  // Of the run. Figures are of the items that were judged; those without a verdict count as the
  // benchmark says in accuracy, as wrong in figures of the confusion, and not at all elsewhere.
  size_t items_of_benchmark = 0;  // 0: not known.
  size_t items = 0;               // Chosen.
  size_t judged = 0;              // Of them, those without a verdict too.
  size_t unreadable = 0;
  size_t skipped = 0;
  std::vector<std::string> reasons;

  Figure figure;
  std::vector<Figure> baselines;
  std::vector<Figure> conventions;  // Pairwise in both orders.
  std::vector<Figure> others;
  std::vector<GroupFigure> groups;
  std::vector<GroupFigure> sections;
  std::optional<stats::Confusion> confusion;  // Of truth and verdict.

  // The items judged furthest from their truth, worst first.
  struct Disagreement {
    std::string id;
    std::string group;
    std::string truth;
    std::string label;
    double probability = 0;       // That the judge gave the truth; for numbers, how far off it is.
    std::string critique;         // Read by read_report; empty where there is none.
    std::vector<ItemText> texts;  // Read by add_texts.
  };
  std::vector<Disagreement> disagreements;
  std::string no_texts;  // Why add_texts found none.
};

struct ScoreOptions {
  std::uint64_t seed = 0;
  size_t resamples = 10'000;
  size_t disagreements = 20;
};

Score score(const Spec& spec, const Scored& scored, const ScoreOptions& options);

nlohmann::ordered_json to_json(const Score& score);

std::string_view convention_name(Convention convention);

}  // namespace selene::bench
