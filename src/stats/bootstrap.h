// 95% intervals of any statistic by the bootstrap: B. Efron and R. J. Tibshirani, "An Introduction
// to the Bootstrap" (1993). Which one to use for what, and the coverage that was measured:
// docs/statistics.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stats/proportion.h"
#include "stats/statistic.h"

namespace selene::stats {

// The first two take quantiles of the resamples' values, ties spread over their width (the
// mid-distribution quantiles of Y. Ma, M. G. Genton and E. Parzen, Annals of the Institute of
// Statistical Mathematics 63, 2011), widened for few units with Student's t and the factor
// sqrt(n / (n - 1)), as T. Hesterberg, "What teachers should know about the bootstrap", The
// American Statistician 69 (2015), does. The last two compute the statistic without each unit: one
// value a unit, of a CountStatistic of n items O(n^2) in all.
enum class IntervalKind {
  Percentile,  // For differences, and metrics of labels.
  Bca,      // Corrected for bias and skewness: B. Efron, "Better bootstrap confidence intervals",
            // JASA 82 (1987). For means in clusters, near 0 or 1.
  FisherZ,  // For one correlation, which it must be: Student's interval of artanh r (R. A. Fisher,
            // Metron 1, 1921) with the jackknife's standard error, which asks for no normal data
            // (R. G. Miller, "The jackknife: a review", Biometrika 61, 1974). No resamples.
};

// How items are drawn. `clusters` and `strata` have a number an item, equal ones are one cluster or
// stratum; empty, each item is a cluster, and all are one stratum.
struct Resampling {
  std::size_t resamples = 10'000;
  std::uint64_t seed = 0;
  // Items that share a source (a question, a document, an annotator): drawn together.
  std::span<const std::size_t> clusters = {};
  // Groups whose sizes are part of the benchmark, such as subsets that are weighted, not an
  // accident of sampling: each is drawn by itself, as often as it is large. A cluster is in one.
  std::span<const std::size_t> strata = {};
  IntervalKind kind = IntervalKind::Percentile;
  int threads = 0;  // At most; 0: one a core. Changes no number.
};

// The number of each key, in the order of their first appearance: for `clusters` and `strata`.
std::vector<std::size_t> numbered(std::span<const std::string> keys);

struct Bootstrap {
  Estimate estimate;  // The value for the sample itself; widened to hold it where need be.
  // Two-sided, of the hypothesis that the true value is 0: the error rate at which the interval
  // would end at 0. Below 0.05 where the interval has no 0 in it.
  double p_of_zero = 1;
  std::size_t undefined = 0;  // Resamples without a value, left out of the quantiles.
};

// The same numbers for the same seed on every machine. Nothing where the statistic is undefined for
// the sample, for more than half of the resamples, or where no more clusters are drawn from than
// there are strata: one cluster says nothing about others.
std::optional<Bootstrap> bootstrap(const SumStatistic& statistic, const Resampling& resampling);
std::optional<Bootstrap> bootstrap(const CountStatistic& statistic, std::size_t items,
                                   const Resampling& resampling);

// The second's value minus the first's, of the same items, drawn together.
std::optional<Bootstrap> bootstrap_difference(const SumStatistic& first, const SumStatistic& second,
                                              const Resampling& resampling);
std::optional<Bootstrap> bootstrap_difference(const CountStatistic& first,
                                              const CountStatistic& second, std::size_t items,
                                              const Resampling& resampling);

}  // namespace selene::stats
