#include "stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_map>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "stats/distribution.h"

namespace selene::stats {
namespace {

template <typename Key>
std::vector<std::size_t> numbers_of(std::span<const Key> keys) {
  std::unordered_map<Key, std::size_t> known;
  std::vector<std::size_t> numbers;
  numbers.reserve(keys.size());
  for (const Key& key : keys) numbers.push_back(known.emplace(key, known.size()).first->second);
  return numbers;
}

// What is drawn: clusters, or items where each is its own. Those of a stratum stand together.
struct Units {
  std::vector<std::size_t> of_item;
  std::vector<std::size_t> strata;  // The first unit of each; then the number of units.
  std::size_t count() const { return strata.back(); }
  std::size_t degrees() const { return count() - (strata.size() - 1); }
};

std::vector<std::size_t> numbers_or(std::span<const std::size_t> keys, std::size_t items,
                                    bool apart) {
  if (!keys.empty()) {
    ensure(keys.size() == items, "clusters or strata of another number of items");
    return numbers_of(keys);
  }
  std::vector<std::size_t> numbers(items);
  for (std::size_t i = 0; apart && i < items; ++i) numbers[i] = i;
  return numbers;
}

Units units_of(std::size_t items, const Resampling& resampling) {
  const auto clusters = numbers_or(resampling.clusters, items, true);
  const auto strata = numbers_or(resampling.strata, items, false);
  std::vector<std::size_t> stratum_of_cluster;
  std::vector<std::size_t> sizes;  // In clusters, of each stratum.
  for (std::size_t i = 0; i < items; ++i) {
    if (strata[i] == sizes.size()) sizes.push_back(0);
    if (clusters[i] == stratum_of_cluster.size()) {
      stratum_of_cluster.push_back(strata[i]);
      ++sizes[strata[i]];
    }
    ensure(stratum_of_cluster[clusters[i]] == strata[i], "a cluster in two strata");
  }
  Units units{{}, {0}};
  for (const std::size_t size : sizes) units.strata.push_back(units.strata.back() + size);
  std::vector<std::size_t> next(units.strata);
  std::vector<std::size_t> unit_of_cluster;
  unit_of_cluster.reserve(units.count());
  for (const std::size_t stratum : stratum_of_cluster) {
    unit_of_cluster.push_back(next[stratum]++);
  }
  units.of_item.reserve(items);
  for (const std::size_t cluster : clusters) units.of_item.push_back(unit_of_cluster[cluster]);
  return units;
}

void draw(const Units& units, Random& random, std::span<std::uint32_t> counts) {
  std::fill(counts.begin(), counts.end(), 0);
  for (std::size_t i = 0; i + 1 < units.strata.size(); ++i) {
    const std::size_t first = units.strata[i];
    const std::size_t size = units.strata[i + 1] - first;
    const auto scale = static_cast<double>(size);
    for (std::size_t j = 0; j < size; ++j) {
      ++counts[first + static_cast<std::size_t>(random.uniform() * scale)];
    }
  }
}

using UnitStatistic = std::function<std::optional<double>(std::span<const std::uint32_t> counts)>;

UnitStatistic by_unit(const SumStatistic& statistic, const Units& units) {
  const std::size_t width = statistic.width;
  std::vector<double> rows(units.count() * width);
  for (std::size_t i = 0; i < statistic.values.size(); ++i) {
    rows[units.of_item[i / width] * width + i % width] += statistic.values[i];
  }
  return [width, rows = std::move(rows), sums = std::vector<double>(width),
          &of = statistic.of](std::span<const std::uint32_t> counts) mutable {
    std::fill(sums.begin(), sums.end(), 0.0);
    const double* row = rows.data();
    for (const std::uint32_t count : counts) {
      for (std::size_t j = 0; j < width; ++j) sums[j] += count * row[j];
      row += width;
    }
    return of(sums);
  };
}

UnitStatistic by_unit(const CountStatistic& statistic, const Units& units) {
  return [&statistic, &units, item_counts = std::vector<std::uint32_t>(units.of_item.size())](
             std::span<const std::uint32_t> counts) mutable {
    for (std::size_t i = 0; i < item_counts.size(); ++i) item_counts[i] = counts[units.of_item[i]];
    return statistic(item_counts);
  };
}

// Values and, as shares of them, how many are smaller, equal ones half counted; a straight line
// between them.
class MidDistribution {
 public:
  explicit MidDistribution(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto total = static_cast<double>(values.size());
    least_ = 0.5 / total;
    for (std::size_t i = 0; i < values.size();) {
      std::size_t end = i;
      while (end < values.size() && values[end] == values[i]) ++end;
      values_.push_back(values[i]);
      shares_.push_back(static_cast<double>(i + end) / 2 / total);
      i = end;
    }
  }

  // The smallest and largest value stand for shares beyond theirs.
  double quantile(double share) const { return interpolate(shares_, values_, share); }

  // Never 0 or 1: half a resample at least.
  double share_below(double value) const {
    if (value < values_.front()) return least_;
    if (value > values_.back()) return 1 - least_;
    return interpolate(values_, shares_, value);
  }

 private:
  static double interpolate(const std::vector<double>& x, const std::vector<double>& y, double at) {
    const auto next =
        static_cast<std::size_t>(std::lower_bound(x.begin(), x.end(), at) - x.begin());
    if (next == 0) return y.front();
    if (next == x.size()) return y.back();
    const double part = (at - x[next - 1]) / (x[next] - x[next - 1]);
    return y[next - 1] + part * (y[next] - y[next - 1]);
  }

  std::vector<double> values_;
  std::vector<double> shares_;
  double least_ = 0;
};

// Efron's (1987) two corrections, both 0 for a percentile interval.
struct Correction {
  static constexpr double kFarthest = 38;  // A normal deviate: no double has a level beyond.
  double bias = 0;
  double acceleration = 0;

  // The level to take a quantile at for a normal deviate, and back.
  double level(double deviate) const {
    const double shifted = bias + deviate;
    const double divisor = 1 - acceleration * shifted;
    if (divisor <= 0) return shifted < 0 ? 0 : 1;
    return normal_cdf(bias + shifted / divisor);
  }
  double deviate(double level) const {
    const double shifted = normal_quantile(level) - bias;
    const double divisor = 1 + acceleration * shifted;
    if (divisor <= 0) return shifted < 0 ? -kFarthest : kFarthest;
    return shifted / divisor - bias;
  }
};

// The values without one unit each, of those units where there is one, less the mean of them in the
// unit's stratum.
struct Jackknife {
  std::vector<double> distances;
  double variance = 0;
};

Jackknife jackknife(const UnitStatistic& statistic, const Units& units) {
  Jackknife result;
  std::vector<std::uint32_t> counts(units.count(), 1);
  for (std::size_t stratum = 0; stratum + 1 < units.strata.size(); ++stratum) {
    std::vector<double> values;
    for (std::size_t unit = units.strata[stratum]; unit < units.strata[stratum + 1]; ++unit) {
      counts[unit] = 0;
      if (const auto value = statistic(counts)) values.push_back(*value);
      counts[unit] = 1;
    }
    const auto size = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / size;
    for (const double value : values) {
      result.distances.push_back(mean - value);
      result.variance += (mean - value) * (mean - value) * (size - 1) / size;
    }
  }
  return result;
}

// Efron's (1987): the skewness of the jackknife's distances.
double acceleration(const Jackknife& jackknife) {
  double squares = 0;
  double cubes = 0;
  for (const double distance : jackknife.distances) {
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  return squares > 0 ? cubes / (6 * squares * std::sqrt(squares)) : 0;
}

double artanh(double correlation) {
  constexpr double kMost = 1 - 1e-15;
  return std::atanh(std::clamp(correlation, -kMost, kMost));
}

// Nothing where the units do not differ, or too few are left to say so.
std::optional<Bootstrap> fisher_z(const UnitStatistic& statistic, const Units& units,
                                  double correlation) {
  ensure(std::abs(correlation) <= 1, "Fisher's z of what is no correlation");
  const UnitStatistic z = [&](std::span<const std::uint32_t> counts) {
    auto value = statistic(counts);
    if (value) value = artanh(*value);
    return value;
  };
  const auto degrees = static_cast<double>(units.degrees());
  const Jackknife without = jackknife(z, units);
  const double error = std::sqrt(without.variance);
  if (without.distances.size() < 3 || !(error > 0)) return std::nullopt;
  const double centre = artanh(correlation);
  const double half = student_quantile(0.975, degrees) * error;
  Bootstrap result{{correlation,
                    {std::min(std::tanh(centre - half), correlation),
                     std::max(std::tanh(centre + half), correlation)}},
                   1,
                   0};
  result.p_of_zero = 2 * student_cdf(-std::abs(centre) / error, degrees);
  return result;
}

// A thread for so many units drawn: fewer are drawn in less time than one takes to begin.
constexpr std::size_t kDrawsOfThread = 1 << 19;

std::size_t threads_for(const Units& units, const Resampling& resampling) {
  const int most = resampling.threads > 0 ? resampling.threads : machine_threads();
  return std::min(static_cast<std::size_t>(most),
                  1 + resampling.resamples * units.count() / kDrawsOfThread);
}

// Of the resamples that have one, in the order of the resamples. Each has its own part of the
// random sequence, so that it does not matter which thread draws it.
std::vector<double> resampled_values(const UnitStatistic& statistic, const Units& units,
                                     const Resampling& resampling) {
  constexpr std::size_t kBatch = 64;
  std::vector<std::optional<double>> found(resampling.resamples);
  const auto some = [&](std::size_t, std::size_t begin, std::size_t end) {
    const UnitStatistic own = statistic;  // It keeps sums while it is called.
    std::vector<std::uint32_t> counts(units.count());
    Random random(resampling.seed);
    random.skip(begin * units.count());
    for (std::size_t i = begin; i < end; ++i) {
      draw(units, random, counts);
      found[i] = own(counts);
    }
  };
  in_batches(found.size(), kBatch, threads_for(units, resampling), some);
  std::vector<double> values;
  values.reserve(found.size());
  for (const std::optional<double>& value : found) {
    if (value) values.push_back(*value);
  }
  return values;
}

std::optional<Bootstrap> run(const UnitStatistic& statistic, const Units& units,
                             const Resampling& resampling) {
  ensure(resampling.resamples > 0, "a bootstrap without resamples");
  if (units.degrees() == 0) return std::nullopt;
  std::vector<std::uint32_t> counts(units.count(), 1);
  const auto value = statistic(counts);
  if (!value) return std::nullopt;
  if (resampling.kind == IntervalKind::FisherZ) return fisher_z(statistic, units, *value);

  std::vector<double> values = resampled_values(statistic, units, resampling);
  Bootstrap result{{*value, {}}, 1, resampling.resamples - values.size()};
  if (2 * values.size() < resampling.resamples) return std::nullopt;

  const MidDistribution distribution(std::move(values));
  Correction correction;
  if (resampling.kind == IntervalKind::Bca) {
    correction = {normal_quantile(distribution.share_below(*value)),
                  acceleration(jackknife(statistic, units))};
  }
  const auto degrees = static_cast<double>(units.degrees());
  const double factor = std::sqrt(static_cast<double>(units.count()) / degrees);
  const double reach = factor * student_quantile(0.975, degrees);
  result.estimate.interval = {std::min(distribution.quantile(correction.level(-reach)), *value),
                              std::max(distribution.quantile(correction.level(reach)), *value)};
  const double of_zero = correction.deviate(distribution.share_below(0)) / factor;
  result.p_of_zero = std::min(2 * student_cdf(-std::abs(of_zero), degrees), 1.0);
  return result;
}

SumStatistic difference(const SumStatistic& first, const SumStatistic& second) {
  ensure(first.items() == second.items(), "a difference over two numbers of items");
  SumStatistic both{first.width + second.width, {}, {}};
  both.values.reserve(first.values.size() + second.values.size());
  for (std::size_t i = 0; i < first.items(); ++i) {
    const auto add = [&](const SumStatistic& from) {
      const auto row = std::span(from.values).subspan(i * from.width, from.width);
      both.values.insert(both.values.end(), row.begin(), row.end());
    };
    add(first);
    add(second);
  }
  both.of = [&first, &second](std::span<const double> sums) -> std::optional<double> {
    const auto a = first.of(sums.first(first.width));
    const auto b = second.of(sums.last(second.width));
    if (!a || !b) return std::nullopt;
    return *b - *a;
  };
  return both;
}

}  // namespace

std::vector<std::size_t> numbered(std::span<const std::string> keys) { return numbers_of(keys); }

std::optional<Bootstrap> bootstrap(const SumStatistic& statistic, const Resampling& resampling) {
  ensure(statistic.values.size() % statistic.width == 0, "an item with too few values");
  const Units units = units_of(statistic.items(), resampling);
  return run(by_unit(statistic, units), units, resampling);
}

std::optional<Bootstrap> bootstrap(const CountStatistic& statistic, std::size_t items,
                                   const Resampling& resampling) {
  const Units units = units_of(items, resampling);
  return run(by_unit(statistic, units), units, resampling);
}

std::optional<Bootstrap> bootstrap_difference(const SumStatistic& first, const SumStatistic& second,
                                              const Resampling& resampling) {
  return bootstrap(difference(first, second), resampling);
}

std::optional<Bootstrap> bootstrap_difference(const CountStatistic& first,
                                              const CountStatistic& second, std::size_t items,
                                              const Resampling& resampling) {
  const CountStatistic difference =
      [&](std::span<const std::uint32_t> counts) -> std::optional<double> {
    const auto a = first(counts);
    const auto b = second(counts);
    if (!a || !b) return std::nullopt;
    return *b - *a;
  };
  return bootstrap(difference, items, resampling);
}

}  // namespace selene::stats
