#include "bench/score.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "bench/judged.h"
#include "bench/metrics.h"
#include "bench/tally.h"
#include "core/error.h"
#include "data/judgment.h"
#include "stats/bootstrap.h"
#include "stats/correlation.h"

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;

Figure missing(std::string name, std::string title, std::string why) {
  return {std::move(name), std::move(title), {}, {}, std::move(why)};
}

Figure plain(std::string name, std::string title, std::optional<double> value,
             std::string why = {}) {
  return {std::move(name), std::move(title), value, {}, value ? std::string() : std::move(why)};
}

// Resamples of the figures beside the headline: some cost O(n log n) each.
constexpr size_t kOtherResamples = 2'000;

class Scorer {
 public:
  Scorer(const Spec& spec, const Scored& scored, const ScoreOptions& options)
      : spec_(spec),
        scored_(scored),
        options_(options),
        metric_(find_metric(spec.metric)),
        tally_(spec, scored),
        judged_(judged_of(spec, scored, tally_)) {}

  Score run() {
    score_.benchmark = spec_.name;
    score_.title = spec_.title;
    score_.task = data::task_name(spec_.task);
    score_.average = spec_.average;
    score_.judge = scored_.judge;
    score_.template_name = scored_.template_name;
    score_.mode = scored_.mode;
    score_.metric = metric_.heading;
    score_.items = scored_.items.size();
    score_.judged = tally_.size();
    score_.skipped = score_.items - score_.judged;
    score_.reasons = scored_.reasons;
    for (size_t i = 0; i < tally_.size(); ++i)
      score_.unreadable += tally_.item(i).state == State::Unreadable;
    if (tally_.size() == 0) {
      score_.figure = missing(spec_.metric, score_.metric, "no item was judged");
    } else if (!tally_.has_figure()) {
      score_.figure = missing(spec_.metric, score_.metric, "no judged item is in a section");
    } else if (metric_.numeric_truth()) {
      score_correlation();
    } else {
      score_accuracy();
    }
    return std::move(score_);
  }

 private:
  stats::Resampling resampling() const {
    return {.resamples = options_.resamples, .seed = options_.seed};
  }

  static Figure of_estimate(std::string name, std::string title, const stats::Estimate& estimate) {
    Figure figure = plain(std::move(name), std::move(title), estimate.value);
    figure.interval = estimate.interval;
    return figure;
  }
  Figure accuracy_of(std::string name, std::string title,
                     const std::vector<double>& credits) const {
    return of_estimate(std::move(name), std::move(title), tally_.estimate(credits, resampling()));
  }

  // A figure of the judged items with these numbers, with its interval where there is one.
  Figure resampled(std::string name, std::string title, const Statistic& statistic,
                   std::span<const size_t> items, std::string why,
                   stats::IntervalKind kind = stats::IntervalKind::Percentile) const {
    std::vector<size_t> clusters;
    for (const size_t i : items) clusters.push_back(tally_.item(i).cluster);
    stats::Resampling how = resampling();
    how.kind = kind;
    how.resamples = std::min(how.resamples, kOtherResamples);
    if (scored_.has_clusters) how.clusters = clusters;
    std::optional<stats::Bootstrap> found;
    std::optional<double> value;
    if (const auto* sums = std::get_if<stats::SumStatistic>(&statistic)) {
      if (!items.empty()) value = stats::value_of(*sums);
      if (value) found = stats::bootstrap(*sums, how);
    } else {
      const auto& counts = std::get<stats::CountStatistic>(statistic);
      if (!items.empty()) value = stats::value_of(counts, items.size());
      if (value) found = stats::bootstrap(counts, items.size(), how);
    }
    Figure figure = plain(std::move(name), std::move(title), value, std::move(why));
    if (found) figure.interval = found->estimate.interval;
    return figure;
  }
  Figure figure_of(const Metric& metric) const {
    const std::string about = spec_.positive.empty() ? "all labels" : spec_.positive;
    return resampled(std::string(metric.name), fmt::format(fmt::runtime(metric.title), about),
                     statistic_of(metric, judged_), items_of(metric, judged_),
                     std::string(metric.undefined), metric.interval);
  }
  // The metrics of these lists, in the order of the table.
  void add_others(std::initializer_list<Metric::Of> lists) {
    for (const Metric& metric : metrics()) {
      const bool wanted = std::find(lists.begin(), lists.end(), metric.of) != lists.end();
      if (wanted && !metric.is_headline() && has_needs(metric))
        score_.others.push_back(figure_of(metric));
    }
  }
  bool has_needs(const Metric& metric) const {
    switch (metric.needs) {
      case Metric::Needs::Nothing:
        return true;
      case Metric::Needs::Positive:
        return judged_.positive.has_value();
      case Metric::Needs::Groups:
        return spec_.task == data::Task::Classification && scored_.groups.size() > 1;
    }
    return false;
  }
  std::vector<size_t> all_judged() const {
    std::vector<size_t> items(tally_.size());
    std::iota(items.begin(), items.end(), size_t{0});
    return items;
  }

  void score_accuracy() {
    const std::vector<double> credits = metric_.values(judged_);
    if (spec_.task == data::Task::Pairwise) {
      score_orders(credits);
    } else {
      score_.figure = accuracy_of("accuracy", "accuracy", credits);
    }
    add_groups(credits);
    add_answer_baselines();
    add_annotators();
    add_confusion();
    add_others({Metric::Of::Verdicts, Metric::Of::Probabilities});
    add_disagreements();
  }

  // All conventions; the figure is by the benchmark's own.
  void score_orders(const std::vector<double>& credits) {
    if (!scored_.both_orders) {
      score_.convention = convention_name(Convention::First);
      score_.figure = accuracy_of("accuracy", "accuracy", credits);
      add_others({Metric::Of::Shown});
      return;
    }
    score_.conventions = {
        accuracy_of("first", "first order", tally_.credits(Convention::First)),
        accuracy_of("mean", "mean of the distributions", tally_.credits(Convention::Mean)),
        // The interval is that of the order which scored better, taken as given: quantiles of the
        // better of each resample would shut out what a judge without skill reaches.
        accuracy_of("best", "best of the two orders", tally_.credits(Convention::Best)),
        accuracy_of("consistent", "consistent only", tally_.credits(Convention::Consistent)),
    };
    score_.convention = convention_name(spec_.convention);
    score_.figure = score_.conventions[static_cast<size_t>(spec_.convention)];
    score_.figure.name = score_.figure.title = "accuracy";
    add_others({Metric::Of::Orders, Metric::Of::Shown});
  }

  void add_groups(const std::vector<double>& credits) {
    for (size_t s = 0; s < spec_.sections.size(); ++s) {
      GroupFigure section{spec_.sections[s].name, tally_.section_items(s), {}};
      const stats::CountStatistic mean = [&](std::span<const std::uint32_t> counts) {
        return tally_.section(s, credits, counts);
      };
      section.figure =
          resampled("accuracy", "accuracy", mean, all_judged(), "none of its items ran");
      score_.sections.push_back(std::move(section));
    }
    if (scored_.groups.size() < 2) return;
    for (size_t g = 0; g < scored_.groups.size(); ++g) {
      GroupFigure group{scored_.groups[g], tally_.group_items(g), {}};
      group.figure = plain("accuracy", "accuracy", tally_.group(g, credits), "not judged");
      // Without regard to clusters, which are seldom many within a group.
      if (group.figure.value) {
        group.figure.interval =
            stats::proportion_of_share(*group.figure.value, static_cast<std::int64_t>(group.items))
                .interval;
      }
      score_.groups.push_back(std::move(group));
    }
  }

  Figure baseline(std::string name, std::string title, const std::vector<double>& credits) const {
    stats::Resampling how = resampling();
    how.resamples = std::min(how.resamples, kOtherResamples);
    return of_estimate(std::move(name), std::move(title), tally_.estimate(credits, how));
  }

  // What judges reach that do not read the responses. The best constant answer is taken as given.
  void add_answer_baselines() {
    const auto right_always = [&](size_t label) {
      return tally_.values(
          [&](const ScoredItem& one) { return one.truth == static_cast<int>(label); });
    };
    size_t best_label = 0;
    for (size_t label = 1; label < spec_.labels.size(); ++label) {
      if (tally_.overall(right_always(label)) > tally_.overall(right_always(best_label)))
        best_label = label;
    }
    score_.baselines.push_back(baseline(
        "constant", fmt::format("always {}", spec_.labels[best_label]), right_always(best_label)));
    if (spec_.task != data::Task::Pairwise) return;
    const auto by_length = [&](bool longer) {
      return tally_.values([&](const ScoredItem& one) {
        if (one.lengths[0] == one.lengths[1]) return one.truth == 0 || one.truth == 1 ? 0.5 : 0.0;
        const bool first = (one.lengths[0] > one.lengths[1]) == longer;
        return one.truth == (first ? 0 : 1) ? 1.0 : 0.0;
      });
    };
    for (const bool longer : {true, false}) {
      score_.baselines.push_back(
          baseline(longer ? "longer" : "shorter",
                   longer ? "always the longer response" : "always the shorter response",
                   by_length(longer)));
    }
  }

  // How far people agree with one another, over the items that several of them labelled.
  void add_annotators() {
    std::vector<std::uint32_t> counts(tally_.size());
    size_t items = 0;
    for (size_t i = 0; i < tally_.size(); ++i) {
      counts[i] = tally_.item(i).annotator_agreement ? 1 : 0;
      items += counts[i];
    }
    if (items == 0 || !tally_.has_figure(counts)) return;
    const std::vector<double> agreement =
        tally_.values([](const ScoredItem& one) { return one.annotator_agreement.value_or(0); });
    // Of the items drawn, those that several labelled.
    const stats::CountStatistic overall =
        [&](std::span<const std::uint32_t> drawn) -> std::optional<double> {
      std::vector<std::uint32_t> both(drawn.begin(), drawn.end());
      for (size_t i = 0; i < both.size(); ++i) both[i] *= counts[i];
      const double value = tally_.overall(agreement, both);
      return std::isnan(value) ? std::nullopt : std::optional(value);
    };
    score_.baselines.push_back(
        resampled("annotators",
                  fmt::format("two annotators agree ({} {})", items, items == 1 ? "item" : "items"),
                  overall, all_judged(), ""));
  }

  void add_confusion();
  void add_disagreements();
  void score_correlation();

  const Spec& spec_;
  const Scored& scored_;
  const ScoreOptions& options_;
  const Metric& metric_;
  Tally tally_;
  Judged judged_;
  Score score_;
};

void Scorer::add_confusion() {
  std::vector<std::pair<std::string, std::string>> ratings;
  const Judged::Verdicts& verdicts = judged_.verdicts;
  for (size_t i = 0; i < verdicts.items.size(); ++i) {
    const size_t verdict = verdicts.verdicts[i];
    ratings.emplace_back(spec_.labels[verdicts.truths[i]],
                         verdict == judged_.labels ? "(unreadable)" : spec_.labels[verdict]);
  }
  score_.confusion = stats::confusion(ratings, spec_.labels);
}

void Scorer::add_disagreements() {
  std::vector<std::pair<double, size_t>> worst;
  for (size_t i = 0; i < tally_.size(); ++i) {
    const ScoredItem& one = tally_.item(i);
    if (one.label < 0 || one.label == one.truth || one.probabilities.empty()) continue;
    worst.emplace_back(one.probabilities[static_cast<size_t>(one.truth)], i);
  }
  std::sort(worst.begin(), worst.end());
  worst.resize(std::min(worst.size(), options_.disagreements));
  for (const auto& [probability, i] : worst) {
    const ScoredItem& one = tally_.item(i);
    score_.disagreements.push_back({one.id,
                                    scored_.groups[one.group],
                                    spec_.labels[static_cast<size_t>(one.truth)],
                                    spec_.labels[static_cast<size_t>(one.label)],
                                    probability,
                                    {},
                                    {}});
  }
}

void Scorer::score_correlation() {
  const auto& [read, truth, expected, verdict, log_length, groups] = judged_.scores;
  score_.figure = figure_of(metric_);
  add_others({Metric::Of::Scores});
  score_.baselines.push_back(missing("constant", "one score to everything", "no correlation"));
  score_.baselines.push_back(resampled("log_length", "Pearson's r of log length",
                                       stats::pearson_of(log_length, truth), read,
                                       std::string(metric_.undefined), metric_.interval));

  if (scored_.groups.size() > 1) {
    for (size_t g = 0; g < scored_.groups.size(); ++g) {
      std::vector<double> own_expected, own_truth;
      for (size_t i = 0; i < read.size(); ++i) {
        if (groups[i] != g) continue;
        own_expected.push_back(expected[i]);
        own_truth.push_back(truth[i]);
      }
      GroupFigure group{scored_.groups[g], own_truth.size(), {}};
      group.figure = plain("pearson", "Pearson's r", stats::pearson(own_expected, own_truth),
                           std::string(metric_.undefined));
      score_.groups.push_back(std::move(group));
    }
  }
  std::vector<std::pair<double, size_t>> worst;
  for (size_t i = 0; i < read.size(); ++i)
    worst.emplace_back(-std::abs(expected[i] - truth[i]), read[i]);
  std::sort(worst.begin(), worst.end());
  worst.resize(std::min(worst.size(), options_.disagreements));
  for (const auto& [distance, i] : worst) {
    const ScoredItem& one = tally_.item(i);
    score_.disagreements.push_back({one.id,
                                    scored_.groups[one.group],
                                    fmt::format("{:g}", one.truth_number),
                                    spec_.labels[static_cast<size_t>(one.label)],
                                    -distance,
                                    {},
                                    {}});
  }
}

Json to_json(const Figure& figure) {
  Json row = {{"name", figure.name}, {"title", figure.title}};
  row["value"] = figure.value ? Json(*figure.value) : Json(nullptr);
  if (figure.interval) row["interval"] = {figure.interval->low, figure.interval->high};
  if (!figure.missing.empty()) row["missing"] = figure.missing;
  return row;
}

Json to_json(const std::vector<Figure>& figures) {
  Json rows = Json::array();
  for (const Figure& figure : figures) rows.push_back(to_json(figure));
  return rows;
}

Json to_json(const std::vector<GroupFigure>& groups) {
  Json rows = Json::array();
  for (const GroupFigure& group : groups) {
    rows.push_back(
        {{"name", group.name}, {"items", group.items}, {"figure", to_json(group.figure)}});
  }
  return rows;
}

}  // namespace

Score score(const Spec& spec, const Scored& scored, const ScoreOptions& options) {
  return Scorer(spec, scored, options).run();
}

Json to_json(const Score& score) {
  Json row = {{"benchmark", score.benchmark},
              {"title", score.title},
              {"task", score.task},
              {"average", score.average.empty() ? Json(nullptr) : Json(score.average)},
              {"judge", score.judge},
              {"template", score.template_name},
              {"mode", score.mode},
              {"metric", score.metric},
              {"convention", score.convention.empty() ? Json(nullptr) : Json(score.convention)},
              {"items_of_benchmark", score.items_of_benchmark},
              {"items", score.items},
              {"judged", score.judged},
              {"unreadable", score.unreadable},
              {"not_judged", score.skipped},
              {"reasons", score.reasons},
              {"figure", to_json(score.figure)},
              {"baselines", to_json(score.baselines)},
              {"conventions", to_json(score.conventions)},
              {"others", to_json(score.others)},
              {"sections", to_json(score.sections)},
              {"groups", to_json(score.groups)}};
  if (score.confusion)
    row["confusion"] = {{"labels", score.confusion->labels}, {"counts", score.confusion->counts}};
  Json worst = Json::array();
  for (const Score::Disagreement& one : score.disagreements) {
    worst.push_back({{"id", one.id},
                     {"group", one.group},
                     {"truth", one.truth},
                     {"label", one.label},
                     {"probability", one.probability}});
    if (!one.critique.empty()) worst.back()["critique"] = one.critique;
    Json texts = Json::object();
    for (const ItemText& text : one.texts) texts[text.name] = text.text;
    if (!texts.empty()) worst.back()["texts"] = std::move(texts);
  }
  row["disagreements"] = std::move(worst);
  if (!score.no_texts.empty()) row["no_texts"] = score.no_texts;
  return row;
}

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
