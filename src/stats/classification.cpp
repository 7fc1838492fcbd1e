#include "stats/classification.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"

namespace selene::stats {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::int64_t having(const Confusion& confusion, std::size_t label) {
  const auto& row = confusion.counts[label];
  return std::accumulate(row.begin(), row.end(), std::int64_t{0});
}

std::int64_t given(const Confusion& confusion, std::size_t label) {
  return std::accumulate(confusion.counts.begin(), confusion.counts.end(), std::int64_t{0},
                         [label](std::int64_t sum, const auto& row) { return sum + row[label]; });
}

// The mean of a metric over the labels that the truth has, for all of which it is defined.
std::optional<double> macro(const Confusion& confusion,
                            std::optional<double> (*metric)(const Confusion&, std::size_t)) {
  double sum = 0;
  double labels = 0;
  for (std::size_t label = 0; label < confusion.labels.size(); ++label) {
    if (having(confusion, label) == 0) continue;
    sum += *metric(confusion, label);
    ++labels;
  }
  if (labels == 0) return std::nullopt;
  return sum / labels;
}

// Items from the lowest score up; those with one score are a group.
struct RankedItems {
  std::vector<std::size_t> order;
  std::vector<std::size_t> ends;  // Of each group, in `order`.
  std::vector<bool> positive;
};

RankedItems ranked(std::span<const double> scores, const std::vector<bool>& positive) {
  ensure(scores.size() == positive.size(), "scores and labels of two lengths");
  ensure(std::none_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); }),
         "a score that is not a number");
  RankedItems items{std::vector<std::size_t>(scores.size()), {}, positive};
  std::iota(items.order.begin(), items.order.end(), std::size_t{0});
  std::stable_sort(items.order.begin(), items.order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  for (std::size_t i = 1; i <= items.order.size(); ++i) {
    if (i == items.order.size() || scores[items.order[i]] != scores[items.order[i - 1]]) {
      items.ends.push_back(i);
    }
  }
  return items;
}

std::optional<double> roc_auc_from(const RankedItems& items,
                                   std::span<const std::uint32_t> counts) {
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
  std::int64_t twice_won = 0;
  std::size_t i = 0;
  for (const std::size_t end : items.ends) {
    std::int64_t positives_here = 0;
    std::int64_t negatives_here = 0;
    for (; i < end; ++i) {
      const std::size_t item = items.order[i];
      (items.positive[item] ? positives_here : negatives_here) += counts[item];
    }
    twice_won += positives_here * (2 * negatives + negatives_here);
    positives += positives_here;
    negatives += negatives_here;
  }
  if (positives == 0 || negatives == 0) return std::nullopt;
  return static_cast<double>(twice_won) / 2 / static_cast<double>(positives) /
         static_cast<double>(negatives);
}

}  // namespace

std::optional<double> accuracy(const Confusion& confusion) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < confusion.labels.size(); ++i) right += confusion.counts[i][i];
  const std::int64_t total = confusion.total();
  if (total == 0) return std::nullopt;
  return share(right, total);
}

std::optional<double> balanced_accuracy(const Confusion& confusion) {
  return macro(confusion, recall);
}

std::optional<double> precision(const Confusion& confusion, std::size_t label) {
  const std::int64_t whole = given(confusion, label);
  if (whole == 0) return std::nullopt;
  return share(confusion.counts[label][label], whole);
}

std::optional<double> recall(const Confusion& confusion, std::size_t label) {
  const std::int64_t whole = having(confusion, label);
  if (whole == 0) return std::nullopt;
  return share(confusion.counts[label][label], whole);
}

std::optional<double> f1(const Confusion& confusion, std::size_t label) {
  const std::int64_t both = having(confusion, label) + given(confusion, label);
  if (both == 0) return std::nullopt;
  return share(2 * confusion.counts[label][label], both);
}

std::optional<double> macro_f1(const Confusion& confusion) { return macro(confusion, f1); }

std::optional<double> matthews(const Confusion& confusion) {
  const auto total = static_cast<double>(confusion.total());
  double right = 0;
  double products = 0;
  double having_squares = 0;
  double given_squares = 0;
  for (std::size_t label = 0; label < confusion.labels.size(); ++label) {
    const auto row = static_cast<double>(having(confusion, label));
    const auto column = static_cast<double>(given(confusion, label));
    right += static_cast<double>(confusion.counts[label][label]);
    products += row * column;
    having_squares += row * row;
    given_squares += column * column;
  }
  const double having_spread = total * total - having_squares;
  const double given_spread = total * total - given_squares;
  if (having_spread <= 0 || given_spread <= 0) return std::nullopt;
  return std::clamp((right * total - products) / std::sqrt(having_spread) / std::sqrt(given_spread),
                    -1.0, 1.0);
}

std::optional<double> roc_auc(std::span<const double> scores, const std::vector<bool>& positive) {
  return value_of(roc_auc_of(scores, positive), scores.size());
}

CountStatistic confusion_of(std::span<const std::size_t> truth,
                            std::span<const std::size_t> predicted, std::size_t labels,
                            std::function<std::optional<double>(const Confusion&)> metric) {
  ensure(truth.size() == predicted.size(), "truth and prediction of two lengths");
  Confusion empty;
  for (std::size_t label = 0; label < labels; ++label) {
    empty.labels.push_back(std::to_string(label));
    empty.counts.emplace_back(labels);
  }
  std::vector<std::pair<std::size_t, std::size_t>> cells;
  cells.reserve(truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ensure(truth[i] < labels && predicted[i] < labels, "a label beyond the last");
    cells.emplace_back(truth[i], predicted[i]);
  }
  return [empty = std::move(empty), cells = std::move(cells),
          metric = std::move(metric)](std::span<const std::uint32_t> counts) {
    Confusion confusion = empty;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      confusion.counts[cells[i].first][cells[i].second] += counts[i];
    }
    return metric(confusion);
  };
}

CountStatistic roc_auc_of(std::span<const double> scores, const std::vector<bool>& positive) {
  return [items = ranked(scores, positive)](std::span<const std::uint32_t> counts) {
    return roc_auc_from(items, counts);
  };
}

}  // namespace selene::stats
