// The judged items of a benchmark and its arithmetic over them: how a value an item becomes the
// benchmark's figure, once and for resamples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/scored.h"
#include "bench/spec.h"
#include "stats/bootstrap.h"
#include "stats/mean.h"

namespace selene::bench {

class Tally {
 public:
  // `spec` and `scored` outlive it.
  Tally(const Spec& spec, const Scored& scored);

  // The items that were judged, those without a verdict too.
  size_t size() const { return used_.size(); }
  const ScoredItem& item(size_t i) const { return scored_.items[used_[i]]; }

  // A value an item.
  template <typename Value>
  std::vector<double> values(const Value& value) const {
    std::vector<double> all(size());
    for (size_t i = 0; i < size(); ++i) all[i] = static_cast<double>(value(item(i)));
    return all;
  }
  // 1 where the label is the truth; of one that could not be read, what the benchmark gives.
  std::vector<double> credits(int ScoredItem::*label) const;
  // What stands for the judge's verdicts by a convention; of one order they are all the same. Best
  // is the better one of the orders.
  std::vector<double> credits(Convention convention) const;

  // The benchmark's figure of values by item, each counted `counts` times (empty: once): their
  // mean, or that of groups or sections. A group without items does not count.
  double overall(std::span<const double> values, std::span<const std::uint32_t> counts = {}) const;
  // Whether a group that counts has items: else there is no overall().
  bool has_figure(std::span<const std::uint32_t> counts = {}) const;
  std::optional<double> section(size_t section, std::span<const double> values,
                                std::span<const std::uint32_t> counts = {}) const;
  std::optional<double> group(size_t group, std::span<const double> values) const;
  size_t group_items(size_t group) const;
  size_t section_items(size_t section) const;

  // overall() with its 95% interval (docs/statistics.md).
  stats::Estimate estimate(std::span<const double> values, stats::Resampling how) const;
  // overall(second) - overall(first). Nothing where the items say nothing of others.
  std::optional<stats::Bootstrap> difference(std::span<const double> first,
                                             std::span<const double> second,
                                             stats::Resampling how) const;
  // With the clusters and strata of the items.
  stats::Resampling with_units(stats::Resampling how) const;

 private:
  struct Sums {
    std::vector<double> sums;     // By group.
    std::vector<double> numbers;  // By group.
  };
  Sums sum_up(std::span<const double> values, std::span<const std::uint32_t> counts) const;
  std::optional<double> section_mean(size_t section, const Sums& sums) const;
  bool groups_are_strata() const;
  std::vector<double> stratum_weights() const;
  stats::SumStatistic sum_statistic(std::span<const double> values) const;
  stats::CountStatistic count_statistic(std::span<const double> values) const;
  stats::Estimate with_fallback(double value, const std::optional<stats::Bootstrap>& found) const;
  // Whether overall() is a mean over strata, or over all items.
  bool is_sum() const;

  const Spec& spec_;
  const Scored& scored_;
  std::vector<size_t> used_;
  std::vector<std::vector<std::pair<size_t, double>>> sections_;  // Groups and weights.
  // By judged item.
  std::vector<size_t> clusters_;
  std::vector<std::uint32_t> groups_;
  std::vector<size_t> strata_;  // Groups, numbered by their first items.
  bool groups_are_strata_ = false;
};

}  // namespace selene::bench
