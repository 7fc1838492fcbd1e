#include "stats/mean.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

#include "core/error.h"

namespace selene::stats {

std::optional<Estimate> mean_estimate(std::span<const double> scores,
                                      const Resampling& resampling) {
  ensure(std::all_of(scores.begin(), scores.end(),
                     [](double score) { return score >= 0 && score <= 1; }),
         "a score outside 0..1");
  if (scores.empty()) return std::nullopt;
  const auto is_binary = [](double score) { return score == 0 || score == 1; };
  const bool is_binomial = std::all_of(scores.begin(), scores.end(), is_binary) &&
                           resampling.clusters.empty() && resampling.strata.empty();
  const SumStatistic mean = mean_of(scores);
  const double value = *value_of(mean);
  const auto items = static_cast<std::int64_t>(scores.size());
  if (is_binomial) return proportion(std::llround(value * static_cast<double>(items)), items);

  Resampling bca = resampling;
  bca.kind = IntervalKind::Bca;
  const auto resampled = bootstrap(mean, bca);
  if (resampled && resampled->estimate.interval.low < resampled->estimate.interval.high) {
    return resampled->estimate;
  }
  const std::set<std::size_t> clusters(resampling.clusters.begin(), resampling.clusters.end());
  return proportion_of_share(value,
                             clusters.empty() ? items : static_cast<std::int64_t>(clusters.size()));
}

}  // namespace selene::stats
