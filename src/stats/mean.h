// The mean of scores from 0 to 1, accuracy above all, with the interval that covers best in each
// case (docs/statistics.md).
#pragma once

#include <optional>
#include <span>

#include "stats/bootstrap.h"
#include "stats/proportion.h"

namespace selene::stats {

// Each item right (1) or wrong (0), every item by itself: Wilson's interval (`proportion`). Other
// scores, clusters or strata: the BCa bootstrap. Where resamples cannot differ, as there is one
// cluster or all have one mean: Wilson's for as many independent items as there are clusters, so
// that a judge that is right about everything has no point for an interval. Empty of no items.
// `resampling.kind` is not looked at.
std::optional<Estimate> mean_estimate(std::span<const double> scores, const Resampling& resampling);

}  // namespace selene::stats
