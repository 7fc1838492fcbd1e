#include "stats/statistic.h"

#include "core/error.h"

namespace selene::stats {

SumStatistic ratio_of(std::span<const double> numerators, std::span<const double> denominators) {
  ensure(numerators.size() == denominators.size(), "a ratio of two lengths");
  SumStatistic statistic{.width = 2, .values = {}, .of = {}};
  statistic.values.reserve(2 * numerators.size());
  for (std::size_t i = 0; i < numerators.size(); ++i) {
    statistic.values.push_back(numerators[i]);
    statistic.values.push_back(denominators[i]);
  }
  statistic.of = [](std::span<const double> sums) -> std::optional<double> {
    if (sums[1] == 0) return std::nullopt;
    return sums[0] / sums[1];
  };
  return statistic;
}

SumStatistic mean_of(std::span<const double> values) {
  return ratio_of(values, std::vector<double>(values.size(), 1.0));
}

SumStatistic group_mean_of(std::span<const double> values, std::span<const std::size_t> groups,
                           std::span<const double> weights) {
  ensure(values.size() == groups.size(), "values and groups of two lengths");
  std::vector<double> sizes(weights.size());
  for (const std::size_t group : groups) {
    ensure(weights.empty() || group < weights.size(), "a group without a weight");
    if (group >= sizes.size()) sizes.resize(group + 1);
    ++sizes[group];
  }
  double total = 0;
  for (std::size_t group = 0; group < sizes.size(); ++group) {
    ensure(sizes[group] > 0, "a group without items");
    total += weights.empty() ? 1 : weights[group];
  }
  SumStatistic statistic{.width = 1, .values = {}, .of = {}};
  statistic.values.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[groups[i]];
    statistic.values.push_back(values[i] * weight / total / sizes[groups[i]]);
  }
  statistic.of = [total](std::span<const double> sums) -> std::optional<double> {
    if (!(total > 0)) return std::nullopt;
    return sums[0];
  };
  return statistic;
}

std::optional<double> value_of(const SumStatistic& statistic) {
  std::vector<double> sums(statistic.width);
  for (std::size_t i = 0; i < statistic.values.size(); ++i) {
    sums[i % statistic.width] += statistic.values[i];
  }
  return statistic.of(sums);
}

std::optional<double> value_of(const CountStatistic& statistic, std::size_t items) {
  return statistic(std::vector<std::uint32_t>(items, 1));
}

}  // namespace selene::stats
