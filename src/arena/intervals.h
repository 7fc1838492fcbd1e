// 95% intervals of ratings, ranks among them, and what Judge Arena prints for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arena/paired_fit.h"
#include "stats/proportion.h"

namespace selene::arena {

// What ratings are relative to: a judge, or the mean of all.
inline constexpr std::size_t kMean = static_cast<std::size_t>(-1);

// Of strengths less that of `anchor`: the normal distribution with this covariance, (judges,
// judges). The anchor's own is a point.
std::vector<stats::Interval> normal_intervals(std::span<const double> strengths,
                                              std::span<const double> covariance,
                                              std::size_t anchor = kMean);

struct Resamples {
  std::size_t count = 1'000;
  std::uint64_t seed = 0;
  int threads = 0;  // At most; 0: one a core. Changes no number.
};

struct BootstrapIntervals {
  std::vector<stats::Interval> intervals;
  std::size_t undefined = 0;  // Resamples without a fit, left out of the quantiles.
};

// Votes drawn anew, the strengths fitted again, and the 2.5% and 97.5% quantiles of them: B. Efron
// and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), each vote by itself. A resample
// in which the judges are not one group (arena/ballots.h) has no fit; where more than half have
// none, there are no intervals. Counts are whole numbers.
BootstrapIntervals bootstrap_intervals(PairedModel model, const PairCounts& counts, const Fit& fit,
                                       const Resamples& resamples, std::size_t anchor = kMean);

// The places, from 1, that a judge may have.
struct RankSet {
  std::size_t low = 1;
  std::size_t high = 1;
};

// All of them are right at once in 95 of 100: a judge is behind those whose difference to it is
// above 0 by simultaneous intervals of all differences (M. Mogstad, J. P. Romano, A. M. Shaikh and
// D. Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods and academic
// achievement across countries", Review of Economic Studies 91, 2024), whose critical value is
// taken from draws of the normal distribution with this covariance.
std::vector<RankSet> rank_sets(std::span<const double> strengths,
                               std::span<const double> covariance, std::uint64_t seed = 0);

// Judge Arena's 1.96 * 400 / sqrt(votes + 1), in points: it looks at nothing but the number of
// votes, and is no interval.
double judge_arena_margin(double votes);

}  // namespace selene::arena
