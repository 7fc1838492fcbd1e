#include "stats/correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/error.h"

namespace selene::stats {
namespace {

// Below this share of the sum of squares a variance is rounding.
constexpr double kRounding = 1e-12;

void check_lists(std::span<const double> x, std::span<const double> y) {
  ensure(x.size() == y.size(), "a correlation of two lengths");
  const auto is_finite = [](double value) { return std::isfinite(value); };
  ensure(std::all_of(x.begin(), x.end(), is_finite) && std::all_of(y.begin(), y.end(), is_finite),
         "a correlation of numbers that are not finite");
}

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values.front(); });
}

// Centred, and scaled to a largest of 1: squares neither overflow nor vanish. Of values that are
// not constant.
std::vector<double> standardised(std::span<const double> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  // A power of two: nothing is rounded.
  const int down = -std::ilogb(std::max(std::abs(*low), std::abs(*high))) - 1;
  std::vector<double> result;
  result.reserve(values.size());
  for (const double value : values) {
    result.push_back(std::scalbn(value, down) - std::scalbn(*low, down));
  }
  const double mean =
      std::accumulate(result.begin(), result.end(), 0.0) / static_cast<double>(result.size());
  double largest = 0;
  for (double& value : result) largest = std::max(largest, std::abs(value -= mean));
  for (double& value : result) value /= largest;
  return result;
}

double dot(std::span<const double> x, std::span<const double> y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

double cosine(std::span<const double> x, std::span<const double> y) {
  return std::clamp(dot(x, y) / std::sqrt(dot(x, x)) / std::sqrt(dot(y, y)), -1.0, 1.0);
}

// What the line through the origin along `given` leaves.
std::vector<double> residuals(std::span<const double> values, std::span<const double> given) {
  const double slope = dot(values, given) / dot(given, given);
  std::vector<double> result;
  result.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result.push_back(values[i] - slope * given[i]);
  return result;
}

// Standardised lists side by side with a 1, and all products of two: from their sums, any
// correlation of a resample. The sum of column (i, j), i <= j, is at place(i, j, lists).
struct Moments {
  std::vector<double> values;
  std::size_t width = 0;
};

std::size_t place(std::size_t i, std::size_t j, std::size_t lists) {
  return 1 + lists + i * lists - i * (i + 1) / 2 + j;
}

Moments moments(std::span<const std::span<const double>> lists) {
  std::vector<std::vector<double>> columns;
  for (const auto& list : lists) {
    columns.push_back(list.empty() || is_constant(list) ? std::vector<double>(list.size())
                                                        : standardised(list));
  }
  const std::size_t items = lists.front().size();
  Moments result{{}, 1 + lists.size() + lists.size() * (lists.size() + 1) / 2};
  result.values.reserve(items * result.width);
  for (std::size_t row = 0; row < items; ++row) {
    result.values.push_back(1);
    for (const auto& column : columns) result.values.push_back(column[row]);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (std::size_t j = i; j < columns.size(); ++j) {
        result.values.push_back(columns[i][row] * columns[j][row]);
      }
    }
  }
  return result;
}

// Pearson's of lists i < j from the sums of moments.
std::optional<double> pearson_from(std::span<const double> sums, std::size_t i, std::size_t j,
                                   std::size_t lists) {
  const double n = sums[0];
  const auto product = [&](std::size_t a, std::size_t b) {
    return sums[place(a, b, lists)] - sums[1 + a] * sums[1 + b] / n;
  };
  const double xx = product(i, i);
  const double yy = product(j, j);
  if (n < 2 || xx <= kRounding * sums[place(i, i, lists)] ||
      yy <= kRounding * sums[place(j, j, lists)]) {
    return std::nullopt;
  }
  return std::clamp(product(i, j) / std::sqrt(xx * yy), -1.0, 1.0);
}

std::optional<double> partial_from(std::span<const double> sums) {
  if (sums[0] < 3) return std::nullopt;
  const auto xy = pearson_from(sums, 0, 1, 3);
  const auto xz = pearson_from(sums, 0, 2, 3);
  const auto yz = pearson_from(sums, 1, 2, 3);
  if (!xy || !xz || !yz) return std::nullopt;
  const double left_x = 1 - *xz * *xz;
  const double left_y = 1 - *yz * *yz;
  if (left_x <= kRounding || left_y <= kRounding) return std::nullopt;
  return std::clamp((*xy - *xz * *yz) / std::sqrt(left_x * left_y), -1.0, 1.0);
}

// For each value the number of smaller distinct ones, and how many distinct ones there are.
struct Levels {
  std::vector<std::size_t> of;
  std::size_t count = 0;
};

Levels levels(std::span<const double> values) {
  std::vector<double> distinct(values.begin(), values.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  Levels result{{}, distinct.size()};
  result.of.reserve(values.size());
  for (const double value : values) {
    result.of.push_back(static_cast<std::size_t>(
        std::lower_bound(distinct.begin(), distinct.end(), value) - distinct.begin()));
  }
  return result;
}

std::vector<std::int64_t> level_counts(const Levels& levels,
                                       std::span<const std::uint32_t> counts) {
  std::vector<std::int64_t> result(levels.count);
  for (std::size_t i = 0; i < counts.size(); ++i) result[levels.of[i]] += counts[i];
  return result;
}

// Twice the distance of each level's average rank from the average of all: whole, so that sums of
// squares are exact far beyond any sample here.
std::vector<double> centred_ranks(std::span<const std::int64_t> sizes, std::int64_t total) {
  std::vector<double> result;
  result.reserve(sizes.size());
  std::int64_t below = 0;
  for (const std::int64_t size : sizes) {
    result.push_back(static_cast<double>(2 * below + size - total));
    below += size;
  }
  return result;
}

std::int64_t pairs_of(std::int64_t count) { return count * (count - 1) / 2; }

std::int64_t tied_pairs(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0},
                         [](std::int64_t sum, std::int64_t size) { return sum + pairs_of(size); });
}

// Sums of a prefix of counts that grow, each in O(log n).
class FenwickTree {
 public:
  explicit FenwickTree(std::size_t size) : sums_(size + 1) {}

  void add(std::size_t index, std::int64_t count) {
    for (std::size_t i = index + 1; i < sums_.size(); i += i & (~i + 1)) sums_[i] += count;
  }

  // Of the first `size` counts.
  std::int64_t sum(std::size_t size) const {
    std::int64_t result = 0;
    for (std::size_t i = size; i > 0; i -= i & (~i + 1)) result += sums_[i];
    return result;
  }

 private:
  std::vector<std::int64_t> sums_;
};

// Items in the order of x, their levels, and the ends of the groups of equal x.
struct KendallItems {
  Levels x;
  Levels y;
  std::vector<std::size_t> order;
};

// Concordant pairs minus discordant ones.
std::int64_t concordance(const KendallItems& items, std::span<const std::uint32_t> counts) {
  FenwickTree before(items.y.count);
  std::int64_t total_before = 0;
  std::int64_t result = 0;
  for (std::size_t first = 0; first < items.order.size();) {
    std::size_t end = first;
    for (;
         end < items.order.size() && items.x.of[items.order[end]] == items.x.of[items.order[first]];
         ++end) {
      const std::size_t item = items.order[end];
      if (counts[item] == 0) continue;
      const std::size_t level = items.y.of[item];
      const std::int64_t below = before.sum(level);
      const std::int64_t above = total_before - before.sum(level + 1);
      result += (below - above) * counts[item];
    }
    for (; first < end; ++first) {
      const std::size_t item = items.order[first];
      if (counts[item] == 0) continue;
      before.add(items.y.of[item], counts[item]);
      total_before += counts[item];
    }
  }
  return result;
}

std::optional<double> kendall_from(const KendallItems& items,
                                   std::span<const std::uint32_t> counts) {
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const std::int64_t pairs = pairs_of(total);
  const std::int64_t x_pairs = pairs - tied_pairs(level_counts(items.x, counts));
  const std::int64_t y_pairs = pairs - tied_pairs(level_counts(items.y, counts));
  if (x_pairs <= 0 || y_pairs <= 0) return std::nullopt;
  const double root =
      std::sqrt(static_cast<double>(x_pairs)) * std::sqrt(static_cast<double>(y_pairs));
  return std::clamp(static_cast<double>(concordance(items, counts)) / root, -1.0, 1.0);
}

std::optional<double> spearman_from(const Levels& x, const Levels& y,
                                    std::span<const std::uint32_t> counts) {
  const auto x_sizes = level_counts(x, counts);
  const auto y_sizes = level_counts(y, counts);
  const std::int64_t total = std::accumulate(x_sizes.begin(), x_sizes.end(), std::int64_t{0});
  const auto x_ranks = centred_ranks(x_sizes, total);
  const auto y_ranks = centred_ranks(y_sizes, total);
  const auto squares = [](std::span<const std::int64_t> sizes, std::span<const double> of) {
    double sum = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      sum += static_cast<double>(sizes[i]) * of[i] * of[i];
    }
    return sum;
  };
  const double xx = squares(x_sizes, x_ranks);
  const double yy = squares(y_sizes, y_ranks);
  if (xx <= 0 || yy <= 0) return std::nullopt;
  double xy = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    xy += counts[i] * x_ranks[x.of[i]] * y_ranks[y.of[i]];
  }
  return std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
}

}  // namespace

std::optional<double> pearson(std::span<const double> x, std::span<const double> y) {
  check_lists(x, y);
  if (x.size() < 2 || is_constant(x) || is_constant(y)) return std::nullopt;
  return cosine(standardised(x), standardised(y));
}

std::optional<double> spearman(std::span<const double> x, std::span<const double> y) {
  return value_of(spearman_of(x, y), x.size());
}

std::optional<double> kendall(std::span<const double> x, std::span<const double> y) {
  return value_of(kendall_of(x, y), x.size());
}

std::optional<double> partial_pearson(std::span<const double> x, std::span<const double> y,
                                      std::span<const double> given) {
  check_lists(x, y);
  check_lists(x, given);
  if (x.size() < 3 || is_constant(x) || is_constant(y) || is_constant(given)) return std::nullopt;
  const std::vector<double> line = standardised(given);
  const std::vector<double> all_x = standardised(x);
  const std::vector<double> all_y = standardised(y);
  const std::vector<double> left_x = residuals(all_x, line);
  const std::vector<double> left_y = residuals(all_y, line);
  if (dot(left_x, left_x) <= kRounding * dot(all_x, all_x) ||
      dot(left_y, left_y) <= kRounding * dot(all_y, all_y)) {
    return std::nullopt;
  }
  return cosine(left_x, left_y);
}

std::vector<double> ranks(std::span<const double> values) {
  const Levels of = levels(values);
  const auto sizes = level_counts(of, std::vector<std::uint32_t>(values.size(), 1));
  const auto total = static_cast<std::int64_t>(values.size());
  const auto centred = centred_ranks(sizes, total);
  std::vector<double> result;
  result.reserve(values.size());
  for (const std::size_t level : of.of) {
    result.push_back((centred[level] + static_cast<double>(total) + 1) / 2);
  }
  return result;
}

SumStatistic pearson_of(std::span<const double> x, std::span<const double> y) {
  check_lists(x, y);
  const std::span<const double> lists[] = {x, y};
  Moments of = moments(lists);
  return {of.width, std::move(of.values),
          [](std::span<const double> sums) { return pearson_from(sums, 0, 1, 2); }};
}

SumStatistic partial_pearson_of(std::span<const double> x, std::span<const double> y,
                                std::span<const double> given) {
  check_lists(x, y);
  check_lists(x, given);
  const std::span<const double> lists[] = {x, y, given};
  Moments of = moments(lists);
  return {of.width, std::move(of.values), partial_from};
}

CountStatistic spearman_of(std::span<const double> x, std::span<const double> y) {
  check_lists(x, y);
  return [x_levels = levels(x), y_levels = levels(y)](std::span<const std::uint32_t> counts) {
    return spearman_from(x_levels, y_levels, counts);
  };
}

CountStatistic kendall_of(std::span<const double> x, std::span<const double> y) {
  check_lists(x, y);
  KendallItems items{levels(x), levels(y), std::vector<std::size_t>(x.size())};
  std::iota(items.order.begin(), items.order.end(), std::size_t{0});
  std::stable_sort(items.order.begin(), items.order.end(),
                   [&](std::size_t a, std::size_t b) { return items.x.of[a] < items.x.of[b]; });
  return [items = std::move(items)](std::span<const std::uint32_t> counts) {
    return kendall_from(items, counts);
  };
}

}  // namespace selene::stats
