// The metrics: what is computed of a judge's verdicts beside the truth, a row a metric.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "stats/bootstrap.h"
#include "stats/statistic.h"

namespace selene::bench {

struct Judged;

using Statistic = std::variant<stats::SumStatistic, stats::CountStatistic>;

struct Metric {
  // The list of `Judged` that it is of.
  enum class Of { Verdicts, Probabilities, Orders, Shown, Scores };
  enum class Needs { Nothing, Positive, Groups };  // Else a benchmark has no such figure.

  std::string_view name;     // In benchmark files and JSON.
  std::string_view title;    // Beside its figure; {} stands for the positive label.
  std::string_view heading;  // In tables, of those that are a benchmark's figure; empty: others.
  std::string_view help;
  std::string_view source;     // Where its definition is from.
  std::string_view undefined;  // Why there is none, where there is none.
  Of of = Of::Verdicts;
  Needs needs = Needs::Nothing;
  // One of the two: the mean of a value an item, which groups and sections average too, or any
  // other statistic of the items.
  std::vector<double> (*values)(const Judged&) = nullptr;
  Statistic (*statistic)(const Judged&) = nullptr;
  stats::IntervalKind interval = stats::IntervalKind::Percentile;

  bool is_headline() const { return !heading.empty(); }
  bool numeric_truth() const { return of == Of::Scores; }  // The truth is a number, else a label.
};

// In the order of reports.
std::span<const Metric> metrics();
// One that a benchmark file may name. Throws Error that names the known ones.
const Metric& find_metric(std::string_view name);

// Of its items, in their order.
Statistic statistic_of(const Metric& metric, const Judged& judged);
// The numbers of its items in the tally.
const std::vector<size_t>& items_of(const Metric& metric, const Judged& judged);

}  // namespace selene::bench
