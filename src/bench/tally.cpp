#include "bench/tally.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace selene::bench {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

}  // namespace

Tally::Tally(const Spec& spec, const Scored& scored) : spec_(spec), scored_(scored) {
  for (size_t i = 0; i < scored.items.size(); ++i) {
    if (scored.items[i].state != State::Skipped) used_.push_back(i);
  }
  for (const Section& section : spec.sections) {
    std::vector<std::pair<size_t, double>> members;
    for (const auto& [name, weight] : section.groups) {
      const auto found = std::find(scored.groups.begin(), scored.groups.end(), name);
      if (found != scored.groups.end())
        members.emplace_back(static_cast<size_t>(found - scored.groups.begin()), weight);
    }
    sections_.push_back(std::move(members));
  }
  std::vector<size_t> number(scored.groups.size(), kNone);
  size_t strata = 0;
  for (size_t i = 0; i < size(); ++i) {
    clusters_.push_back(item(i).cluster);
    groups_.push_back(item(i).group);
    size_t& stratum = number[item(i).group];
    if (stratum == kNone) stratum = strata++;
    strata_.push_back(stratum);
  }
  groups_are_strata_ = groups_are_strata();
}

// Where the figure is a mean over groups, no cluster is in two of them, and each has several: one
// alone says nothing about others of its group.
bool Tally::groups_are_strata() const {
  if (spec_.overall == Overall::Items) return false;
  std::vector<size_t> stratum_of(scored_.clusters, kNone);
  std::vector<size_t> clusters(scored_.groups.size());
  for (size_t i = 0; i < size(); ++i) {
    size_t& stratum = stratum_of[clusters_[i]];
    if (stratum != kNone && stratum != strata_[i]) return false;
    if (stratum == kNone) ++clusters[strata_[i]];
    stratum = strata_[i];
  }
  return std::find(clusters.begin(), clusters.end(), 1) == clusters.end();
}

bool Tally::is_sum() const { return spec_.overall == Overall::Items || groups_are_strata_; }

std::vector<double> Tally::credits(int ScoredItem::*label) const {
  const double unread = spec_.unreadable == Unreadable::Half ? 0.5 : 0.0;
  return values([&](const ScoredItem& one) {
    return one.*label < 0 ? unread : one.*label == one.truth ? 1.0 : 0.0;
  });
}

std::vector<double> Tally::credits(Convention convention) const {
  std::vector<double> ab = credits(&ScoredItem::label_ab);
  if (convention == Convention::First) return ab;
  if (convention == Convention::Mean) return credits(&ScoredItem::label);
  const std::vector<double> ba = credits(&ScoredItem::label_ba);
  if (convention == Convention::Best) return overall(ab) >= overall(ba) ? ab : ba;
  for (size_t i = 0; i < ab.size(); ++i) ab[i] = std::min(ab[i], ba[i]);
  return ab;
}

Tally::Sums Tally::sum_up(std::span<const double> values,
                          std::span<const std::uint32_t> counts) const {
  Sums sums{std::vector<double>(scored_.groups.size()), std::vector<double>(scored_.groups.size())};
  // Items of a group mostly stand together: their sums stay in registers meanwhile.
  for (size_t i = 0; i < values.size();) {
    const std::uint32_t group = groups_[i];
    double sum = sums.sums[group];
    double number = sums.numbers[group];
    for (; i < values.size() && groups_[i] == group; ++i) {
      const double count = counts.empty() ? 1.0 : static_cast<double>(counts[i]);
      sum += count * values[i];
      number += count;
    }
    sums.sums[group] = sum;
    sums.numbers[group] = number;
  }
  return sums;
}

std::optional<double> Tally::section_mean(size_t section, const Sums& sums) const {
  double sum = 0;
  double weights = 0;
  for (const auto& [group, weight] : sections_[section]) {
    if (sums.numbers[group] == 0) continue;
    sum += weight * sums.sums[group] / sums.numbers[group];
    weights += weight;
  }
  return weights > 0 ? std::optional(sum / weights) : std::nullopt;
}

double Tally::overall(std::span<const double> values, std::span<const std::uint32_t> counts) const {
  const Sums sums = sum_up(values, counts);
  double sum = 0;
  double count = 0;
  switch (spec_.overall) {
    case Overall::Items:
      sum = std::accumulate(sums.sums.begin(), sums.sums.end(), 0.0);
      count = std::accumulate(sums.numbers.begin(), sums.numbers.end(), 0.0);
      break;
    case Overall::Groups:
      for (size_t group = 0; group < sums.sums.size(); ++group) {
        if (sums.numbers[group] == 0) continue;
        sum += sums.sums[group] / sums.numbers[group];
        count += 1;
      }
      break;
    case Overall::Sections:
      for (size_t section = 0; section < sections_.size(); ++section) {
        const auto mean = section_mean(section, sums);
        if (!mean) continue;
        sum += *mean;
        count += 1;
      }
      break;
  }
  return sum / count;
}

bool Tally::has_figure(std::span<const std::uint32_t> counts) const {
  return !std::isnan(overall(std::vector<double>(size()), counts));
}

std::optional<double> Tally::section(size_t section, std::span<const double> values,
                                     std::span<const std::uint32_t> counts) const {
  return section_mean(section, sum_up(values, counts));
}

std::optional<double> Tally::group(size_t group, std::span<const double> values) const {
  const Sums sums = sum_up(values, {});
  if (sums.numbers[group] == 0) return std::nullopt;
  return sums.sums[group] / sums.numbers[group];
}

size_t Tally::group_items(size_t group) const {
  size_t items = 0;
  for (size_t i = 0; i < size(); ++i) items += item(i).group == group;
  return items;
}

size_t Tally::section_items(size_t section) const {
  size_t items = 0;
  for (const auto& [group, weight] : sections_[section]) items += group_items(group);
  return items;
}

// What each stratum's mean weighs in the figure.
std::vector<double> Tally::stratum_weights() const {
  std::vector<bool> present(scored_.groups.size());
  for (size_t i = 0; i < size(); ++i) present[item(i).group] = true;
  std::vector<double> weight(scored_.groups.size(), spec_.overall == Overall::Groups ? 1.0 : 0.0);
  for (const auto& section : sections_) {
    double sum = 0;
    for (const auto& [group, own] : section) sum += present[group] ? own : 0;
    for (const auto& [group, own] : section) {
      if (present[group]) weight[group] = own / sum;
    }
  }
  std::vector<double> weights;
  for (size_t i = 0; i < size(); ++i) {
    if (strata_[i] == weights.size()) weights.push_back(weight[item(i).group]);
  }
  return weights;
}

stats::SumStatistic Tally::sum_statistic(std::span<const double> values) const {
  return spec_.overall == Overall::Items ? stats::mean_of(values)
                                         : stats::group_mean_of(values, strata_, stratum_weights());
}

stats::CountStatistic Tally::count_statistic(std::span<const double> values) const {
  return [this, values](std::span<const std::uint32_t> counts) {
    return std::optional(overall(values, counts));
  };
}

stats::Resampling Tally::with_units(stats::Resampling how) const {
  if (scored_.has_clusters) how.clusters = clusters_;
  if (groups_are_strata_) how.strata = strata_;
  return how;
}

stats::Estimate Tally::estimate(std::span<const double> values, stats::Resampling how) const {
  if (spec_.overall == Overall::Items) return *stats::mean_estimate(values, with_units(how));
  how.kind = is_sum() ? stats::IntervalKind::Bca : stats::IntervalKind::Percentile;
  const double value = overall(values);
  return with_fallback(
      value, is_sum() ? stats::bootstrap(sum_statistic(values), with_units(how))
                      : stats::bootstrap(count_statistic(values), size(), with_units(how)));
}

// Where resamples cannot differ: as of so many independent items.
stats::Estimate Tally::with_fallback(double value,
                                     const std::optional<stats::Bootstrap>& found) const {
  if (found && found->estimate.interval.low < found->estimate.interval.high)
    return {value, found->estimate.interval};
  return stats::proportion_of_share(value, static_cast<std::int64_t>(scored_.clusters));
}

std::optional<stats::Bootstrap> Tally::difference(std::span<const double> first,
                                                  std::span<const double> second,
                                                  stats::Resampling how) const {
  how = with_units(how);
  return is_sum() ? stats::bootstrap_difference(sum_statistic(first), sum_statistic(second), how)
                  : stats::bootstrap_difference(count_statistic(first), count_statistic(second),
                                                size(), how);
}

}  // namespace selene::bench
