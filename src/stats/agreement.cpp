#include "stats/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_map>

#include "core/error.h"
#include "stats/distribution.h"

namespace selene::stats {
namespace {

// Each rater's share of each label.
struct Marginals {
  std::vector<double> first;
  std::vector<double> second;
};

Marginals marginals(const Confusion& confusion) {
  const std::size_t size = confusion.labels.size();
  const auto total = static_cast<double>(confusion.total());
  Marginals shares{std::vector<double>(size), std::vector<double>(size)};
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      const double share = static_cast<double>(confusion.counts[i][j]) / total;
      shares.first[i] += share;
      shares.second[j] += share;
    }
  }
  return shares;
}

// Of Fleiss, Cohen and Everitt (1969): the variance is (A + B - C) / (n (1 - chance)^2).
double kappa_standard_error(const Confusion& confusion, const Marginals& shares, double chance,
                            double kappa) {
  const auto total = static_cast<double>(confusion.total());
  double a = 0;
  double b = 0;
  for (std::size_t i = 0; i < confusion.labels.size(); ++i) {
    for (std::size_t j = 0; j < confusion.labels.size(); ++j) {
      const double share = static_cast<double>(confusion.counts[i][j]) / total;
      const double scaled = (shares.second[i] + shares.first[j]) * (1 - kappa);
      (i == j ? a : b) += share * (i == j ? (1 - scaled) * (1 - scaled) : scaled * scaled);
    }
  }
  const double root_c = kappa - chance * (1 - kappa);
  const double variance = std::max(a + b - root_c * root_c, 0.0) / total;
  return std::sqrt(variance) / (1 - chance);
}

Estimate kappa_estimate(const Confusion& confusion, double observed) {
  const Marginals shares = marginals(confusion);
  double chance = 0;
  for (std::size_t i = 0; i < shares.first.size(); ++i)
    chance += shares.first[i] * shares.second[i];
  const double kappa = std::clamp((observed - chance) / (1 - chance), -1.0, 1.0);
  const double half = kNormal975 * kappa_standard_error(confusion, shares, chance, kappa);
  return {kappa, {std::max(kappa - half, -1.0), std::min(kappa + half, 1.0)}};
}

}  // namespace

std::int64_t Confusion::total() const {
  std::int64_t sum = 0;
  for (const auto& row : counts) {
    for (const std::int64_t count : row) sum += count;
  }
  return sum;
}

Confusion confusion(std::span<const std::pair<std::string, std::string>> ratings,
                    std::vector<std::string> labels) {
  std::unordered_map<std::string, std::size_t> index;
  for (const std::string& label : labels) {
    ensure(index.emplace(label, index.size()).second, "a label is given twice");
  }
  const auto place = [&](const std::string& label) {
    const auto [entry, is_new] = index.emplace(label, labels.size());
    if (is_new) labels.push_back(label);
    return entry->second;
  };
  std::vector<std::pair<std::size_t, std::size_t>> places;
  places.reserve(ratings.size());
  for (const auto& [first, second] : ratings) {
    const std::size_t row = place(first);
    places.emplace_back(row, place(second));
  }
  Confusion table{std::move(labels), {}};
  table.counts.assign(table.labels.size(), std::vector<std::int64_t>(table.labels.size()));
  for (const auto& [row, column] : places) ++table.counts[row][column];
  return table;
}

Agreement agreement(const Confusion& confusion) {
  const std::size_t size = confusion.labels.size();
  ensure(confusion.counts.size() == size, "a confusion table has one row a label");
  for (const auto& row : confusion.counts) {
    ensure(row.size() == size, "a confusion table has one column a label");
    ensure(std::all_of(row.begin(), row.end(), [](std::int64_t count) { return count >= 0; }),
           "a negative count of ratings");
  }
  const std::int64_t total = confusion.total();
  ensure(total > 0, "an agreement on nothing");

  std::int64_t same = 0;
  std::int64_t most_frequent = 0;
  bool one_label = false;
  for (std::size_t i = 0; i < size; ++i) {
    same += confusion.counts[i][i];
    one_label = one_label || confusion.counts[i][i] == total;
    std::int64_t column = 0;
    for (const auto& row : confusion.counts) column += row[i];
    most_frequent = std::max(most_frequent, column);
  }
  Agreement result;
  result.observed = proportion(same, total);
  result.most_frequent = static_cast<double>(most_frequent) / static_cast<double>(total);
  result.has_kappa = !one_label;
  if (result.has_kappa) result.kappa = kappa_estimate(confusion, result.observed.value);
  return result;
}

}  // namespace selene::stats
