// A statistic of items in the two forms that can be computed again for a resample without copying
// one: from how often each item was drawn, and from sums over the items drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace selene::stats {

// counts[i]: how often item i is in the sample, 1 for all in the sample itself. Nothing where the
// statistic is undefined. Called on several threads at once.
using CountStatistic = std::function<std::optional<double>(std::span<const std::uint32_t> counts)>;

// A function of sums over items, each item giving `width` values: fast, as a cluster is one row of
// sums.
struct SumStatistic {
  std::size_t width = 1;
  std::vector<double> values;  // (items, width), row-major
  std::function<std::optional<double>(std::span<const double> sums)> of;  // On several threads.
  std::size_t items() const { return values.size() / width; }
};

// The mean.
SumStatistic mean_of(std::span<const double> values);

// The sum of one over the sum of the other: a mean with weights, or a rate.
SumStatistic ratio_of(std::span<const double> numerators, std::span<const double> denominators);

// The mean over groups of the mean in each, with weights (any scale; empty: 1 each), such as the
// sections of a benchmark. groups[i] < the number of groups, and none is empty. To be resampled
// with the groups as strata: the sizes of the groups are taken as fixed.
SumStatistic group_mean_of(std::span<const double> values, std::span<const std::size_t> groups,
                           std::span<const double> weights);

// The value for the sample itself.
std::optional<double> value_of(const SumStatistic& statistic);
std::optional<double> value_of(const CountStatistic& statistic, std::size_t items);

}  // namespace selene::stats
