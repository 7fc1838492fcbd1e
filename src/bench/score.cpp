#include "bench/score.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <type_traits>

#include <fmt/format.h>

#include "bench/metrics.h"
#include "bench/tally.h"
#include "core/error.h"
#include "data/judgment.h"
#include "stats/bootstrap.h"
#include "stats/calibration.h"
#include "stats/classification.h"
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
      : spec_(spec), scored_(scored), options_(options), tally_(spec, scored) {}

  Score run() {
    score_.benchmark = spec_.name;
    score_.title = spec_.title;
    score_.task = data::task_name(spec_.task);
    score_.average = spec_.average;
    score_.judge = scored_.judge;
    score_.template_name = scored_.template_name;
    score_.mode = scored_.mode;
    score_.metric = find_metric(spec_.metric).title;
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
    } else if (find_metric(spec_.metric).numeric_truth) {
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

  // A figure beside the headline, of the judged items with these numbers, with its percentile
  // interval where there is one.
  template <typename Statistic>
  Figure resampled(std::string name, std::string title, const Statistic& statistic,
                   std::span<const size_t> items, std::string why = "undefined") const {
    std::vector<size_t> clusters;
    for (const size_t i : items) clusters.push_back(tally_.item(i).cluster);
    stats::Resampling how = resampling();
    how.resamples = std::min(how.resamples, kOtherResamples);
    if (scored_.has_clusters) how.clusters = clusters;
    std::optional<stats::Bootstrap> found;
    std::optional<double> value;
    if constexpr (std::is_same_v<Statistic, stats::SumStatistic>) {
      if (!items.empty()) value = stats::value_of(statistic);
      if (value) found = stats::bootstrap(statistic, how);
    } else {
      if (!items.empty()) value = stats::value_of(statistic, items.size());
      if (value) found = stats::bootstrap(statistic, items.size(), how);
    }
    Figure figure = plain(std::move(name), std::move(title), value, std::move(why));
    if (found) figure.interval = found->estimate.interval;
    return figure;
  }
  std::vector<size_t> all_judged() const {
    std::vector<size_t> items(tally_.size());
    std::iota(items.begin(), items.end(), size_t{0});
    return items;
  }

  void score_accuracy() {
    std::vector<double> credits = tally_.credits(&ScoredItem::label);
    if (spec_.task == data::Task::Pairwise) {
      credits = score_orders();
    } else {
      score_.figure = accuracy_of("accuracy", "accuracy", credits);
    }
    add_groups(credits);
    add_answer_baselines();
    add_annotators();
    add_label_figures();
    add_disagreements();
  }

  // All conventions; gives the credits of the benchmark's own.
  std::vector<double> score_orders() {
    const std::vector<double> ab = tally_.credits(Convention::First);
    if (!scored_.both_orders) {
      score_.convention = convention_name(Convention::First);
      score_.figure = accuracy_of("accuracy", "accuracy", ab);
      add_first_share();
      return ab;
    }
    score_.conventions = {
        accuracy_of("first", "first order", ab),
        accuracy_of("mean", "mean of the distributions", tally_.credits(Convention::Mean)),
        // The interval is that of the order which scored better, taken as given: quantiles of the
        // better of each resample would shut out what a judge without skill reaches.
        accuracy_of("best", "best of the two orders", tally_.credits(Convention::Best)),
        accuracy_of("consistent", "consistent only", tally_.credits(Convention::Consistent)),
    };
    score_.convention = convention_name(spec_.convention);
    score_.figure = score_.conventions[static_cast<size_t>(spec_.convention)];
    score_.figure.name = score_.figure.title = "accuracy";
    std::vector<double> flips;
    std::vector<size_t> read;  // In both orders.
    for (size_t i = 0; i < tally_.size(); ++i) {
      const ScoredItem& one = tally_.item(i);
      if (one.label_ab < 0 || one.label_ba < 0) continue;
      read.push_back(i);
      flips.push_back(one.label_ab != one.label_ba);
    }
    score_.others.push_back(resampled("flip_rate", "verdicts that flip with the order",
                                      stats::mean_of(flips), read,
                                      "no item has a verdict in both orders"));
    add_first_share();
    return tally_.credits(spec_.convention);
  }

  // Of the verdicts for a response, how many are for the one shown first.
  void add_first_share() {
    std::vector<double> first(tally_.size());
    std::vector<double> all(tally_.size());
    for (size_t i = 0; i < tally_.size(); ++i) {
      const ScoredItem& one = tally_.item(i);
      for (const auto& [label, shown_first] :
           {std::pair{one.label_ab, 0}, {scored_.both_orders ? one.label_ba : -1, 1}}) {
        if (label != 0 && label != 1) continue;  // A and B stand first.
        first[i] += label == shown_first;
        all[i] += 1;
      }
    }
    score_.others.push_back(
        resampled("first_share", "share of verdicts for the response shown first",
                  stats::ratio_of(first, all), all_judged(), "no verdict is for a response"));
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

  // What judges reach that do not read the responses.
  void add_answer_baselines() {
    std::optional<double> best;
    std::string answer;
    for (size_t label = 0; label < spec_.labels.size(); ++label) {
      const double value = tally_.overall(tally_.values(
          [&](const ScoredItem& one) { return one.truth == static_cast<int>(label); }));
      if (best && value <= *best) continue;
      best = value;
      answer = spec_.labels[label];
    }
    score_.baselines.push_back(plain("constant", fmt::format("always {}", answer), best));
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
          plain(longer ? "longer" : "shorter",
                longer ? "always the longer response" : "always the shorter response",
                tally_.overall(by_length(longer))));
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
    score_.baselines.push_back(
        plain("annotators",
              fmt::format("two annotators agree ({} {})", items, items == 1 ? "item" : "items"),
              tally_.overall(agreement, counts)));
  }

  // Figures of labels. One that could not be read is a wrong verdict of no label in those of the
  // confusion; those of probabilities are over the items that have them.
  void add_label_figures();
  void add_disagreements();
  void score_correlation();

  const Spec& spec_;
  const Scored& scored_;
  const ScoreOptions& options_;
  Tally tally_;
  Score score_;
};

void Scorer::add_label_figures() {
  const size_t labels = spec_.labels.size();
  std::vector<std::pair<std::string, std::string>> ratings;
  std::vector<size_t> truths;
  std::vector<size_t> verdicts;  // `labels`: unreadable.
  // Of the items with probabilities.
  std::vector<size_t> stated;
  std::vector<size_t> stated_truths;
  std::vector<double> distributions;
  std::vector<double> confidences;
  std::vector<bool> right;
  std::vector<double> positive_probability;
  std::vector<bool> positive;
  const auto positive_at = std::find(spec_.labels.begin(), spec_.labels.end(), spec_.positive);
  const bool has_positive = positive_at != spec_.labels.end();
  const auto positive_label = static_cast<size_t>(positive_at - spec_.labels.begin());
  for (size_t i = 0; i < tally_.size(); ++i) {
    const ScoredItem& one = tally_.item(i);
    const auto truth = static_cast<size_t>(one.truth);
    const size_t verdict = one.label < 0 ? labels : static_cast<size_t>(one.label);
    ratings.emplace_back(spec_.labels[truth],
                         verdict == labels ? "(unreadable)" : spec_.labels[verdict]);
    truths.push_back(truth);
    verdicts.push_back(verdict);
    if (verdict == labels || one.probabilities.empty()) continue;
    stated.push_back(i);
    stated_truths.push_back(truth);
    distributions.insert(distributions.end(), one.probabilities.begin(), one.probabilities.end());
    confidences.push_back(one.probabilities[verdict]);
    right.push_back(one.label == one.truth);
    if (!has_positive) continue;
    positive_probability.push_back(one.probabilities[positive_label]);
    positive.push_back(truth == positive_label);
  }
  score_.confusion = stats::confusion(ratings, spec_.labels);
  const std::vector<size_t> all = all_judged();
  using Metric = std::function<std::optional<double>(const stats::Confusion&)>;
  const auto of_confusion = [&](const char* name, const std::string& title, const Metric& metric) {
    score_.others.push_back(
        resampled(name, title, stats::confusion_of(truths, verdicts, labels + 1, metric), all));
  };
  of_confusion("balanced_accuracy", "balanced accuracy", stats::balanced_accuracy);
  of_confusion("macro_f1", "macro F1", stats::macro_f1);
  if (has_positive) {
    const auto of_positive = [&](const auto& metric) {
      return [=](const stats::Confusion& confusion) { return metric(confusion, positive_label); };
    };
    of_confusion("precision", "precision of " + spec_.positive, of_positive(stats::precision));
    of_confusion("recall", "recall of " + spec_.positive, of_positive(stats::recall));
    of_confusion("f1", "F1 of " + spec_.positive, of_positive(stats::f1));
    score_.others.push_back(resampled("auc", "area under the ROC curve",
                                      stats::roc_auc_of(positive_probability, positive), stated));
  }
  of_confusion("kappa", "Cohen's kappa", [](const stats::Confusion& confusion) {
    const stats::Agreement agreement = stats::agreement(confusion);
    return agreement.has_kappa ? std::optional(agreement.kappa.value) : std::nullopt;
  });
  of_confusion("matthews", "Matthews correlation", stats::matthews);
  const std::vector<double> errors =
      has_positive ? stats::squared_errors(positive_probability, positive)
                   : stats::squared_errors(distributions, labels, stated_truths);
  score_.others.push_back(resampled(
      "brier", has_positive ? "Brier score of " + spec_.positive : "Brier score over all labels",
      stats::mean_of(errors), stated));
  score_.others.push_back(resampled("ece", "expected calibration error",
                                    stats::calibration_error_of(confidences, right), stated));
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
  // Those with a verdict.
  std::vector<double> truth, expected, verdict, log_length;
  std::vector<size_t> clusters, groups, read;
  for (size_t i = 0; i < tally_.size(); ++i) {
    const ScoredItem& one = tally_.item(i);
    if (one.label < 0) continue;
    verdict.push_back(label_score(spec_, one));
    expected.push_back(score_of(spec_, one));
    truth.push_back(one.truth_number);
    log_length.push_back(std::log1p(static_cast<double>(one.lengths[0])));
    clusters.push_back(one.cluster);
    groups.push_back(one.group);
    read.push_back(i);
  }
  stats::Resampling how = resampling();
  how.kind = stats::IntervalKind::FisherZ;
  if (scored_.has_clusters) how.clusters = clusters;
  const auto figure = [&](const char* name, const char* title, const auto& statistic) {
    Figure made =
        plain(name, title, stats::value_of(statistic), "undefined: one of the two is constant");
    if (const auto found = stats::bootstrap(statistic, how))
      made.interval = found->estimate.interval;
    return made;
  };
  score_.figure =
      figure("pearson", "Pearson's r of the expected score", stats::pearson_of(expected, truth));
  const auto add = [&](const char* name, const char* title, const auto& statistic) {
    score_.others.push_back(
        resampled(name, title, statistic, read, "undefined: one of the two is constant"));
  };
  score_.others.push_back(
      figure("pearson_verdict", "Pearson's r of the verdict", stats::pearson_of(verdict, truth)));
  add("spearman", "Spearman's rho of the expected score", stats::spearman_of(expected, truth));
  add("spearman_verdict", "Spearman's rho of the verdict", stats::spearman_of(verdict, truth));
  add("kendall", "Kendall's tau-b of the expected score", stats::kendall_of(expected, truth));
  add("kendall_verdict", "Kendall's tau-b of the verdict", stats::kendall_of(verdict, truth));
  add("partial_pearson", "Pearson's r of the expected score without log length",
      stats::partial_pearson_of(expected, truth, log_length));
  score_.baselines.push_back(missing("constant", "one score to everything", "no correlation"));
  Figure log_length_figure =
      figure("log_length", "Pearson's r of log length", stats::pearson_of(log_length, truth));
  score_.baselines.push_back(std::move(log_length_figure));

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
                           "undefined: one of the two is constant");
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
