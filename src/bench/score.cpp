#include "bench/score.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "bench/metrics.h"
#include "stats/bootstrap.h"
#include "stats/classification.h"
#include "stats/correlation.h"

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;

// How often each item counts: 1, or in a resample how often it was drawn.
using Counts = std::span<const std::uint32_t>;

Figure missing(std::string name, std::string title, std::string why) {
  return {std::move(name), std::move(title), {}, {}, std::move(why)};
}

Figure plain(std::string name, std::string title, std::optional<double> value,
             std::string why = {}) {
  return {std::move(name), std::move(title), value, {}, value ? std::string() : std::move(why)};
}

// The arithmetic of a benchmark whose figure is a mean of items, of groups or of sections.
class Arithmetic {
 public:
  Arithmetic(const Spec& spec, const Scored& scored, std::span<const size_t> used)
      : overall_(spec.overall), groups_(scored.groups.size()) {
    for (const size_t i : used) group_.push_back(scored.items[i].group);
    for (const Section& section : spec.sections) {
      std::vector<std::pair<size_t, double>> members;
      for (const auto& [name, weight] : section.groups) {
        const auto found = std::find(scored.groups.begin(), scored.groups.end(), name);
        if (found != scored.groups.end())
          members.emplace_back(static_cast<size_t>(found - scored.groups.begin()), weight);
      }
      sections_.push_back(std::move(members));
    }
  }

  // Of one group or section; nothing where none of its items counts.
  std::optional<double> group(size_t group, std::span<const float> values) const {
    double sum = 0;
    double count = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (group_[i] != group) continue;
      sum += static_cast<double>(values[i]);
      count += 1;
    }
    return count > 0 ? std::optional(sum / count) : std::nullopt;
  }
  size_t group_items(size_t group) const {
    return static_cast<size_t>(std::count(group_.begin(), group_.end(), group));
  }
  std::optional<double> section(size_t section, std::span<const float> values) const {
    sum_up(values, {});
    return section_mean(section);
  }

  // Of values by item, each counted `counts` times (empty: once).
  double overall(std::span<const float> values, Counts counts) const {
    sum_up(values, counts);
    if (overall_ == Overall::Items) {
      const double sum = std::accumulate(sums_.begin(), sums_.end(), 0.0);
      const double count = std::accumulate(numbers_.begin(), numbers_.end(), 0.0);
      return sum / count;
    }
    double sum = 0;
    double count = 0;
    if (overall_ == Overall::Groups) {
      for (size_t group = 0; group < groups_; ++group) {
        if (numbers_[group] == 0) continue;
        sum += sums_[group] / numbers_[group];
        count += 1;
      }
    } else {
      for (size_t section = 0; section < sections_.size(); ++section) {
        const auto mean = section_mean(section);
        if (!mean) continue;
        sum += *mean;
        count += 1;
      }
    }
    return sum / count;
  }

 private:
  void sum_up(std::span<const float> values, Counts counts) const {
    sums_.assign(groups_, 0);
    numbers_.assign(groups_, 0);
    for (size_t i = 0; i < values.size(); ++i) {
      const double count = counts.empty() ? 1.0 : static_cast<double>(counts[i]);
      sums_[group_[i]] += count * static_cast<double>(values[i]);
      numbers_[group_[i]] += count;
    }
  }
  std::optional<double> section_mean(size_t section) const {
    double sum = 0;
    double weights = 0;
    for (const auto& [group, weight] : sections_[section]) {
      if (numbers_[group] == 0) continue;
      sum += weight * sums_[group] / numbers_[group];
      weights += weight;
    }
    return weights > 0 ? std::optional(sum / weights) : std::nullopt;
  }

  Overall overall_;
  size_t groups_;
  std::vector<std::uint32_t> group_;  // By used item.
  std::vector<std::vector<std::pair<size_t, double>>> sections_;
  mutable std::vector<double> sums_;     // By group.
  mutable std::vector<double> numbers_;  // By group.
};

class Scorer {
 public:
  Scorer(const Spec& spec, const Scored& scored, const ScoreOptions& options)
      : spec_(spec), scored_(scored), options_(options), used_(used_items(scored)),
        arithmetic_(spec, scored, used_) {}

  Score run() {
    score_.benchmark = spec_.name;
    score_.title = spec_.title;
    score_.judge = scored_.judge;
    score_.template_name = scored_.template_name;
    score_.mode = scored_.mode;
    score_.metric = find_metric(spec_.metric).title;
    score_.items = scored_.items.size();
    score_.judged = used_.size();
    score_.skipped = score_.items - score_.judged;
    score_.reasons = scored_.reasons;
    for (const size_t i : used_) score_.unreadable += scored_.items[i].state == State::Unreadable;
    if (used_.empty()) {
      score_.figure = missing(spec_.metric, score_.metric, "no item was judged");
    } else if (find_metric(spec_.metric).numeric_truth) {
      score_correlation();
    } else {
      score_accuracy();
    }
    return std::move(score_);
  }

 private:
  static std::vector<size_t> used_items(const Scored& scored) {
    std::vector<size_t> used;
    for (size_t i = 0; i < scored.items.size(); ++i) {
      if (scored.items[i].state != State::Skipped) used.push_back(i);
    }
    return used;
  }
  const ScoredItem& item(size_t i) const { return scored_.items[used_[i]]; }

  // By used item.
  template <typename Value>
  std::vector<float> values(const Value& value) const {
    std::vector<float> all(used_.size());
    for (size_t i = 0; i < used_.size(); ++i) all[i] = static_cast<float>(value(item(i)));
    return all;
  }

  double credit(int label, int truth) const {
    if (label < 0) return spec_.unreadable == Unreadable::Half ? 0.5 : 0.0;
    return label == truth ? 1.0 : 0.0;
  }

  // A figure that is a function of one or two series of values.
  using Statistic = std::function<double(Counts counts)>;
  Figure with_interval(std::string name, std::string title, const Statistic& statistic) const {
    Figure figure = plain(std::move(name), std::move(title), statistic({}));
    figure.interval = interval(statistic);
    return figure;
  }
  std::optional<stats::Interval> interval(const Statistic& statistic) const;

  Figure accuracy_of(std::string name, std::string title, std::vector<float> credits) const {
    return with_interval(std::move(name), std::move(title),
                         [&](Counts counts) { return arithmetic_.overall(credits, counts); });
  }

  void score_accuracy() {
    const std::vector<float> mean =
        values([&](const ScoredItem& one) { return credit(one.label, one.truth); });
    std::vector<float> credits = mean;
    if (spec_.task == data::Task::Pairwise) {
      credits = score_orders(mean);
    } else {
      score_.figure = accuracy_of("accuracy", "accuracy", mean);
    }
    add_groups(credits);
    add_answer_baselines();
    add_label_figures();
    add_disagreements();
  }

  // All conventions; gives the credits of the benchmark's own.
  std::vector<float> score_orders(const std::vector<float>& mean) {
    const std::vector<float> ab =
        values([&](const ScoredItem& one) { return credit(one.label_ab, one.truth); });
    if (!scored_.both_orders) {
      score_.convention = convention_name(Convention::First);
      score_.figure = accuracy_of("accuracy", "accuracy", ab);
      add_first_share();
      return ab;
    }
    const std::vector<float> ba =
        values([&](const ScoredItem& one) { return credit(one.label_ba, one.truth); });
    std::vector<float> consistent(ab.size());
    for (size_t i = 0; i < ab.size(); ++i) consistent[i] = std::min(ab[i], ba[i]);
    const auto best = [&](Counts counts) {
      return std::max(arithmetic_.overall(ab, counts), arithmetic_.overall(ba, counts));
    };
    score_.conventions = {
        accuracy_of("first", "first order", ab),
        accuracy_of("mean", "mean of the distributions", mean),
        with_interval("best", "best of the two orders", best),
        accuracy_of("consistent", "consistent only", consistent),
    };
    score_.convention = convention_name(spec_.convention);
    score_.figure = score_.conventions[static_cast<size_t>(spec_.convention)];
    score_.figure.name = score_.figure.title = "accuracy";
    const auto flips = values([](const ScoredItem& one) { return one.label_ab != one.label_ba; });
    score_.others.push_back(plain("flip_rate", "verdicts that flip with the order",
                                  mean_of(flips)));
    add_first_share();
    switch (spec_.convention) {
      case Convention::First:
        return ab;
      case Convention::Mean:
        return mean;
      case Convention::Best:
        return arithmetic_.overall(ab, {}) >= arithmetic_.overall(ba, {}) ? ab : ba;
      case Convention::Consistent:
        return consistent;
    }
    return mean;
  }

  static std::optional<double> mean_of(std::span<const float> all) {
    if (all.empty()) return std::nullopt;
    return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
  }

  // Of the verdicts for a response, how many are for the one shown first.
  void add_first_share() {
    double first = 0;
    double all = 0;
    for (const size_t i : used_) {
      const ScoredItem& one = scored_.items[i];
      for (const auto& [label, shown_first] :
           {std::pair{one.label_ab, 0}, {scored_.both_orders ? one.label_ba : -1, 1}}) {
        if (label != 0 && label != 1) continue;  // A and B stand first.
        first += label == shown_first;
        all += 1;
      }
    }
    score_.others.push_back(plain("first_share", "share of verdicts for the response shown first",
                                  all > 0 ? std::optional(first / all) : std::nullopt,
                                  "no verdict is for a response"));
  }

  void add_groups(const std::vector<float>& credits) {
    for (size_t s = 0; s < spec_.sections.size(); ++s) {
      GroupFigure section{spec_.sections[s].name, 0, {}};
      for (const auto& [name, weight] : spec_.sections[s].groups) {
        const auto found = std::find(scored_.groups.begin(), scored_.groups.end(), name);
        if (found != scored_.groups.end())
          section.items +=
              arithmetic_.group_items(static_cast<size_t>(found - scored_.groups.begin()));
      }
      section.figure =
          plain("accuracy", "accuracy", arithmetic_.section(s, credits), "none of its items ran");
      score_.sections.push_back(std::move(section));
    }
    if (scored_.groups.size() < 2) return;
    for (size_t g = 0; g < scored_.groups.size(); ++g) {
      GroupFigure group{scored_.groups[g], arithmetic_.group_items(g), {}};
      group.figure = plain("accuracy", "accuracy", arithmetic_.group(g, credits), "not judged");
      // Without regard to clusters, which are seldom many within a group.
      if (group.figure.value) {
        const double n = static_cast<double>(group.items);
        group.figure.interval =
            stats::proportion(std::llround(*group.figure.value * n), std::llround(n)).interval;
      }
      score_.groups.push_back(std::move(group));
    }
  }

  // What judges reach that do not read the responses.
  void add_answer_baselines() {
    std::optional<double> best;
    std::string answer;
    for (size_t label = 0; label < spec_.labels.size(); ++label) {
      const double value = arithmetic_.overall(values([&](const ScoredItem& one) {
                                                 return one.truth == static_cast<int>(label);
                                               }),
                                               {});
      if (best && value <= *best) continue;
      best = value;
      answer = spec_.labels[label];
    }
    score_.baselines.push_back(
        plain("constant", fmt::format("always {}", answer), best));
    if (spec_.task != data::Task::Pairwise) return;
    // Of equal lengths, half.
    const auto by_length = [&](bool longer) {
      return values([&](const ScoredItem& one) {
        if (one.lengths[0] == one.lengths[1]) return one.truth == 0 || one.truth == 1 ? 0.5 : 0.0;
        const bool first = (one.lengths[0] > one.lengths[1]) == longer;
        return one.truth == (first ? 0 : 1) ? 1.0 : 0.0;
      });
    };
    score_.baselines.push_back(
        plain("longer", "always the longer response", arithmetic_.overall(by_length(true), {})));
    score_.baselines.push_back(
        plain("shorter", "always the shorter response", arithmetic_.overall(by_length(false), {})));
  }

  // Figures of labels, over the items with a verdict.
  void add_label_figures();
  void add_disagreements();
  void score_correlation();

  const Spec& spec_;
  const Scored& scored_;
  const ScoreOptions& options_;
  std::vector<size_t> used_;
  Arithmetic arithmetic_;
  Score score_;
};

}  // namespace

std::string_view convention_name(Convention convention) {
  switch (convention) {
    case Convention::First:
      return "first";
    case Convention::Mean:
      return "mean";
    case Convention::Best:
      return "best";
    case Convention::Consistent:
      return "consistent";
  }
  return "";
}

}  // namespace selene::bench
