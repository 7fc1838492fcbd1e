// Correlations of two lists of numbers, item by item: a judge's scores and people's. Lists are of
// one length and finite. A correlation is undefined, and empty, of fewer than 2 items (a partial
// one: 3) and where a list is constant.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stats/statistic.h"

namespace selene::stats {

std::optional<double> pearson(std::span<const double> x, std::span<const double> y);

// Pearson's of the ranks, equal values sharing the average of theirs.
std::optional<double> spearman(std::span<const double> x, std::span<const double> y);

// Kendall's tau-b ("Rank Correlation Methods", 1948), which takes ties into account, in the
// O(n log n) of W. R. Knight, "A computer method for calculating Kendall's tau with ungrouped
// data", JASA 61 (1966), with a Fenwick tree where he sorts by merging.
std::optional<double> kendall(std::span<const double> x, std::span<const double> y);

// Pearson's of what a straight line through `given` leaves of x and of y: what they share beyond
// it. Undefined too where such a line leaves nothing.
std::optional<double> partial_pearson(std::span<const double> x, std::span<const double> y,
                                      std::span<const double> given);

// The average rank of each value, the smallest 1.
std::vector<double> ranks(std::span<const double> values);

// The same four for resamples. The sums are of values centred and scaled by all items.
SumStatistic pearson_of(std::span<const double> x, std::span<const double> y);
SumStatistic partial_pearson_of(std::span<const double> x, std::span<const double> y,
                                std::span<const double> given);
CountStatistic spearman_of(std::span<const double> x, std::span<const double> y);
CountStatistic kendall_of(std::span<const double> x, std::span<const double> y);

}  // namespace selene::stats
