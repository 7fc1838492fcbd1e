#include "stats/proportion.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "stats/distribution.h"

namespace selene::stats {
namespace {

// The correlation of the two outcomes as method 10 takes it: one that is positive is moved towards
// 0 by a continuity correction of n/2, at most to 0; one that is negative is left alone.
double corrected_phi(const PairedCounts& counts) {
  const auto both = static_cast<double>(counts.both);
  const auto only_first = static_cast<double>(counts.only_first);
  const auto only_second = static_cast<double>(counts.only_second);
  const auto neither = static_cast<double>(counts.neither);
  const double marginals =
      (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither);
  if (marginals == 0) return 0;
  double covariance = both * neither - only_first * only_second;
  if (covariance > 0) {
    covariance = std::max(covariance - static_cast<double>(counts.total()) / 2, 0.0);
  }
  return std::min(covariance / std::sqrt(marginals), 1.0);
}

// sqrt(x^2 - 2 phi x y + y^2), in a form in which rounding makes nothing negative.
double square_and_add(double x, double y, double phi) {
  return std::sqrt((x - y) * (x - y) + 2 * (1 - phi) * x * y);
}

Estimate wilson(double h, double n) {
  const double value = h / n;
  const double z2 = kNormal975 * kNormal975;
  const double centre = (h + z2 / 2) / (n + z2);
  const double half = kNormal975 * std::sqrt(h * (n - h) / n + z2 / 4) / (n + z2);
  // The bounds are 0 and 1 exactly where all items agree, and the value is never outside.
  return {value, {std::clamp(centre - half, 0.0, value), std::clamp(centre + half, value, 1.0)}};
}

}  // namespace

Estimate proportion(std::int64_t hits, std::int64_t total) {
  ensure(total > 0, "a proportion of nothing");
  ensure(hits >= 0 && hits <= total, "more hits than items, or fewer than none");
  return wilson(static_cast<double>(hits), static_cast<double>(total));
}

Estimate proportion_of_share(double share, std::int64_t total) {
  ensure(total > 0, "a proportion of nothing");
  ensure(share >= 0 && share <= 1, "a share outside 0..1");
  const auto n = static_cast<double>(total);
  Estimate estimate = wilson(share * n, n);
  estimate.value = std::clamp(share, estimate.interval.low, estimate.interval.high);
  return estimate;
}

Estimate paired_difference(const PairedCounts& counts) {
  ensure(
      counts.both >= 0 && counts.only_first >= 0 && counts.only_second >= 0 && counts.neither >= 0,
      "a negative count of pairs");
  ensure(counts.total() > 0, "a difference of no pairs");
  const auto n = static_cast<double>(counts.total());
  const double value = static_cast<double>(counts.only_second - counts.only_first) / n;
  const Estimate first = proportion(counts.both + counts.only_first, counts.total());
  const Estimate second = proportion(counts.both + counts.only_second, counts.total());
  const double phi = corrected_phi(counts);
  const double below =
      square_and_add(second.value - second.interval.low, first.interval.high - first.value, phi);
  const double above =
      square_and_add(second.interval.high - second.value, first.value - first.interval.low, phi);
  return {value, {std::max(value - below, -1.0), std::min(value + above, 1.0)}};
}

double mcnemar_p(std::int64_t only_first, std::int64_t only_second) {
  ensure(only_first >= 0 && only_second >= 0, "a negative count of pairs");
  const std::int64_t pairs = only_first + only_second;
  const std::int64_t fewer = std::min(only_first, only_second);
  const std::int64_t middle = pairs / 2;
  // Binomial probabilities in units of the middle one, from there down. They are at most 1, and the
  // sum of all of them takes the place of 2^pairs: nothing overflows. The loop ends where they are
  // no longer normal numbers, at most 19 sqrt(pairs) steps down: a subnormal one would be rounded
  // to itself for ever.
  double weight = 1;
  double half = 0;
  double tail = 0;
  for (std::int64_t i = middle; i >= 0 && std::isnormal(weight); --i) {
    half += weight;
    if (i <= fewer) tail += weight;
    weight *= static_cast<double>(i) / static_cast<double>(pairs - i + 1);
  }
  const double all = pairs % 2 == 0 ? 2 * half - 1 : 2 * half;  // An even one has one middle.
  return std::min(2 * tail / all, 1.0);
}

}  // namespace selene::stats
