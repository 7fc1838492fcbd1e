// Shares of a whole (pass rates, win rates, accuracies) with their 95% intervals.
#pragma once

#include <cstdint>

namespace selene::stats {

struct Interval {
  double low = 0;
  double high = 0;
};

// `value` is in the interval.
struct Estimate {
  double value = 0;
  Interval interval;
};

// `hits` of `total` (above 0), with the Wilson score interval: E. B. Wilson, "Probable inference,
// the law of succession, and statistical inference", JASA 22 (1927). It stays within 0..1 and is
// not empty at 0 and at all.
Estimate proportion(std::int64_t hits, std::int64_t total);

// The same of a share (0..1) that need be no whole number of hits, such as a mean of scores.
Estimate proportion_of_share(double share, std::int64_t total);

// Two proportions of the same items, an item a pair of outcomes.
struct PairedCounts {
  std::int64_t both = 0;
  std::int64_t only_first = 0;
  std::int64_t only_second = 0;
  std::int64_t neither = 0;
  std::int64_t total() const { return both + only_first + only_second + neither; }
};

// The second's proportion minus the first's (total above 0), with the square-and-add interval of
// R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions
// based on paired data", Statistics in Medicine 17 (1998), method 10.
Estimate paired_difference(const PairedCounts& counts);

// Two-sided p of McNemar's test, exact: of the pairs that differ, half go each way. 1 where none
// does.
double mcnemar_p(std::int64_t only_first, std::int64_t only_second);

}  // namespace selene::stats
