#include "arena/intervals.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "arena/symmetric.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "stats/distribution.h"

namespace selene::arena {
namespace {

constexpr double kLevel = 0.95;
constexpr std::size_t kDraws = 4'000;
constexpr double kVanishing = 1e-12;  // A share of a variance that is nothing but rounding.

// One of many cells with their chances in one step: A. J. Walker, "An efficient method for
// generating discrete random variables with general distributions", ACM TOMS 3 (1977).
class Alias {
 public:
  explicit Alias(std::span<const double> weights) : cells_(weights.size()) {
    double total = 0;
    for (const double weight : weights) total += weight;
    std::vector<double> scaled;
    std::vector<std::uint32_t> small;
    std::vector<std::uint32_t> large;
    for (std::uint32_t i = 0; i < weights.size(); ++i) {
      scaled.push_back(weights[i] * static_cast<double>(weights.size()) / total);
      (scaled[i] < 1 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
      const std::uint32_t low = small.back();
      const std::uint32_t high = large.back();
      small.pop_back();
      cells_[low] = {static_cast<std::uint32_t>(scaled[low] * 0x1p32), high};
      scaled[high] -= 1 - scaled[low];
      if (scaled[high] < 1) {
        large.pop_back();
        small.push_back(high);
      }
    }
    for (const auto& rest : {small, large})
      for (const std::uint32_t i : rest) cells_[i] = {0xFFFFFFFFu, i};
  }
  std::uint32_t draw(Random& random) const {
    const std::uint64_t bits = random.next();
    const auto cell = static_cast<std::uint32_t>(((bits >> 32) * cells_.size()) >> 32);
    return static_cast<std::uint32_t>(bits) < cells_[cell].chance ? cell : cells_[cell].other;
  }

 private:
  struct Cell {
    std::uint32_t chance = 0;
    std::uint32_t other = 0;
  };
  std::vector<Cell> cells_;
};

// Draws as many votes as there are, and counts them.
class Resampler {
 public:
  explicit Resampler(const PairCounts& counts) : counts_(counts), alias_(weights(counts)) {
    double votes = 0;
    for (const PairCount& pair : counts.pairs) votes += pair.total();
    votes_ = static_cast<std::uint64_t>(std::llround(votes));
  }
  PairCounts draw(std::uint64_t seed) const {
    Random random(seed);
    std::vector<std::uint32_t> drawn(3 * counts_.pairs.size(), 0);
    for (std::uint64_t v = 0; v < votes_; ++v) ++drawn[alias_.draw(random)];
    PairCounts sample = counts_;
    for (std::size_t p = 0; p < sample.pairs.size(); ++p) {
      sample.pairs[p].first_wins = drawn[3 * p];
      sample.pairs[p].ties = drawn[3 * p + 1];
      sample.pairs[p].second_wins = drawn[3 * p + 2];
    }
    return sample;
  }

 private:
  static std::vector<double> weights(const PairCounts& counts) {
    std::vector<double> result;
    for (const PairCount& pair : counts.pairs)
      result.insert(result.end(), {pair.first_wins, pair.ties, pair.second_wins});
    return result;
  }
  const PairCounts& counts_;
  Alias alias_;
  std::uint64_t votes_ = 0;
};

bool is_one_group(const PairCounts& counts) {
  const Groups found = groups(counts);
  return found.members.size() == 1 && found.members.front().size() == counts.judges;
}

// Linear between the values, as NumPy's: type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in
// statistical packages", The American Statistician 50 (1996).
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double variance_of_difference(std::span<const double> covariance, std::size_t n, std::size_t i,
                              std::size_t j) {
  const double sum = covariance[i * n + i] + covariance[j * n + j];
  const double variance = sum - 2 * covariance[i * n + j];
  return variance > kVanishing * sum ? variance : 0;
}

// Box and Muller's pairs.
class Normal {
 public:
  explicit Normal(std::uint64_t seed) : random_(seed) {}
  double next() {
    if (has_second_) {
      has_second_ = false;
      return second_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - random_.uniform()));
    const double angle = 2 * std::numbers::pi * random_.uniform();
    second_ = radius * std::sin(angle);
    has_second_ = true;
    return radius * std::cos(angle);
  }

 private:
  Random random_;
  double second_ = 0;
  bool has_second_ = false;
};

// What the largest of all |difference| / error stays below in 95 of 100 draws.
double critical_value(std::span<const double> covariance, std::size_t n, std::uint64_t seed) {
  // Of strengths less the last one's, which leave no direction without variance.
  const std::size_t m = n - 1;
  std::vector<double> reduced(m * m);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < m; ++j)
      reduced[i * m + j] = covariance[i * n + j] - covariance[i * n + m] - covariance[m * n + j] +
                           covariance[m * n + m];
  for (std::size_t i = 0; i < m; ++i) reduced[i * m + i] *= 1 + kVanishing;
  const Cholesky root(std::move(reduced), m);
  if (!root.ok()) return stats::kNormal975 * std::sqrt(static_cast<double>(n));
  std::vector<double> inverse_error(n * n, 0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) {
      const double variance = variance_of_difference(covariance, n, i, j);
      inverse_error[i * n + j] = variance > 0 ? 1 / std::sqrt(variance) : 0;
    }
  std::vector<double> most(kDraws, 0);
  parallel_for(kDraws, machine_threads(), [&](std::size_t d) {
    Normal normal(derive_seed(seed, "rank draw " + std::to_string(d)));
    std::vector<double> drawn(n, 0);
    for (std::size_t k = 0; k < m; ++k) {
      const double z = normal.next();
      for (std::size_t i = k; i < m; ++i) drawn[i] += z * root.upper()[k * m + i];
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i + 1; j < n; ++j)
        most[d] = std::max(most[d], std::abs(drawn[i] - drawn[j]) * inverse_error[i * n + j]);
  });
  std::sort(most.begin(), most.end());
  return quantile(most, kLevel);
}

}  // namespace

std::vector<stats::Interval> normal_intervals(std::span<const double> strengths,
                                              std::span<const double> covariance,
                                              std::size_t anchor) {
  const std::size_t n = strengths.size();
  std::vector<stats::Interval> result;
  for (std::size_t i = 0; i < n; ++i) {
    const double value = strengths[i] - (anchor == kMean ? 0 : strengths[anchor]);
    const double variance = anchor == kMean ? covariance[i * n + i]
                            : i == anchor   ? 0
                                            : variance_of_difference(covariance, n, i, anchor);
    const double margin = stats::kNormal975 * std::sqrt(std::max(0.0, variance));
    result.push_back({value - margin, value + margin});
  }
  return result;
}

BootstrapIntervals bootstrap_intervals(PairedModel model, const PairCounts& counts, const Fit& fit,
                                       const Resamples& resamples, std::size_t anchor) {
  const std::size_t n = counts.judges;
  const Resampler resampler(counts);
  const Refit refit(model, counts, fit);
  std::vector<std::vector<double>> strengths(resamples.count);
  const int threads = resamples.threads > 0 ? resamples.threads : machine_threads();
  parallel_for(resamples.count, threads, [&](std::size_t r) {
    const PairCounts sample =
        resampler.draw(derive_seed(resamples.seed, "resample " + std::to_string(r)));
    if (is_one_group(sample)) strengths[r] = refit.of(sample).strengths;
  });
  BootstrapIntervals result;
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) {
    values.clear();
    for (const std::vector<double>& drawn : strengths)
      if (!drawn.empty()) values.push_back(drawn[i] - (anchor == kMean ? 0 : drawn[anchor]));
    result.undefined = resamples.count - values.size();
    if (values.size() * 2 < resamples.count || values.empty()) return result;
    std::sort(values.begin(), values.end());
    result.intervals.push_back(
        {quantile(values, (1 - kLevel) / 2), quantile(values, (1 + kLevel) / 2)});
  }
  return result;
}

std::vector<RankSet> rank_sets(std::span<const double> strengths,
                               std::span<const double> covariance, std::uint64_t seed) {
  const std::size_t n = strengths.size();
  std::vector<RankSet> ranks(n, {1, n});
  if (n < 2) return ranks;
  const double critical = critical_value(covariance, n, seed);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double margin = critical * std::sqrt(variance_of_difference(covariance, n, i, j));
      if (strengths[j] - strengths[i] > margin) ++ranks[i].low;
      if (strengths[i] - strengths[j] > margin) --ranks[i].high;
    }
  return ranks;
}

double judge_arena_margin(double votes) { return 1.96 * 400 / std::sqrt(votes + 1); }

}  // namespace selene::arena
