// The weighted sum of independent estimates, such as the mean of several benchmarks' figures.
#pragma once

#include <span>

#include "stats/proportion.h"

namespace selene::stats {

struct Weighted {
  Estimate estimate;
  double weight = 1;
};

// With an interval of the level of theirs, by squaring and adding how far each end is from its
// value, as Newcombe's for differences does: G. Y. Zou and A. Donner, "Construction of confidence
// limits about effect measures: a general approach", Statistics in Medicine 27 (2008), equations 9
// and 10. No normal distribution is asked for, nor that the intervals be symmetric.
Estimate weighted_sum(std::span<const Weighted> terms);

}  // namespace selene::stats
