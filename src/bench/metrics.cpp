#include "bench/metrics.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/judged.h"
#include "core/error.h"
#include "core/text.h"
#include "stats/agreement.h"
#include "stats/calibration.h"
#include "stats/classification.h"
#include "stats/correlation.h"

namespace selene::bench {
namespace {

using stats::Confusion;
using Of = Metric::Of;
using Needs = Metric::Needs;

constexpr std::string_view kUndefined = "undefined";
constexpr std::string_view kConstant = "undefined: one of the two is constant";

// A verdict that could not be read is a label of its own.
template <std::optional<double> (*Of)(const Confusion&)>
Statistic of_confusion(const Judged& judged) {
  return stats::confusion_of(judged.verdicts.truths, judged.verdicts.verdicts, judged.labels + 1,
                             Of);
}

template <std::optional<double> (*Of)(const Confusion&, size_t)>
Statistic of_positive(const Judged& judged) {
  return stats::confusion_of(
      judged.verdicts.truths, judged.verdicts.verdicts, judged.labels + 1,
      [label = *judged.positive](const Confusion& confusion) { return Of(confusion, label); });
}

std::optional<double> kappa(const Confusion& confusion) {
  if (confusion.total() == 0) return std::nullopt;
  const stats::Agreement agreement = stats::agreement(confusion);
  return agreement.has_kappa ? std::optional(agreement.kappa.value) : std::nullopt;
}

// A resample in which a group has lost one of its labels has no value: the group's figure would be
// of fewer labels, which is another one.
Statistic group_balanced_accuracy(const Judged& judged) {
  const Judged::Verdicts& verdicts = judged.verdicts;
  std::vector<size_t> cells;  // Of each item: its group and truth, numbered by their first items.
  std::vector<bool> right;
  std::map<size_t, std::map<size_t, size_t>> numbers;  // By group and truth.
  size_t number = 0;
  for (size_t i = 0; i < verdicts.items.size(); ++i) {
    const auto [found, added] = numbers[verdicts.groups[i]].try_emplace(verdicts.truths[i], number);
    number += added ? 1 : 0;
    cells.push_back(found->second);
    right.push_back(verdicts.verdicts[i] == verdicts.truths[i]);
  }
  std::vector<double> weights(number);  // Of each cell's recall.
  for (const auto& [group, labels] : numbers) {
    for (const auto& [truth, cell] : labels)
      weights[cell] = 1 / static_cast<double>(numbers.size() * labels.size());
  }
  return stats::CountStatistic(
      [cells = std::move(cells), right = std::move(right), weights = std::move(weights)](
          std::span<const std::uint32_t> counts) -> std::optional<double> {
        std::vector<double> having(weights.size());
        std::vector<double> hits(weights.size());
        for (size_t i = 0; i < counts.size(); ++i) {
          having[cells[i]] += counts[i];
          if (right[i]) hits[cells[i]] += counts[i];
        }
        double mean = 0;
        for (size_t cell = 0; cell < weights.size(); ++cell) {
          if (having[cell] == 0) return std::nullopt;
          mean += weights[cell] * hits[cell] / having[cell];
        }
        return weights.empty() ? std::nullopt : std::optional(mean);
      });
}

Statistic first_share(const Judged& judged) {
  return stats::ratio_of(judged.shown.first, judged.shown.all);
}

Statistic auc(const Judged& judged) {
  return stats::roc_auc_of(judged.probabilities.of_positive, judged.probabilities.positive);
}

Statistic calibration_error(const Judged& judged) {
  return stats::calibration_error_of(judged.probabilities.of_verdict, judged.probabilities.right);
}

std::vector<double> credits(const Judged& judged) { return judged.verdicts.credits; }

std::vector<double> flips(const Judged& judged) { return judged.orders.flips; }

std::vector<double> squared_errors(const Judged& judged) {
  const Judged::Probabilities& stated = judged.probabilities;
  return judged.positive ? stats::squared_errors(stated.of_positive, stated.positive)
                         : stats::squared_errors(stated.of_labels, judged.labels, stated.truths);
}

template <auto Correlation>
Statistic of_expected(const Judged& judged) {
  return Correlation(judged.scores.expected, judged.scores.truths);
}

template <auto Correlation>
Statistic of_verdict(const Judged& judged) {
  return Correlation(judged.scores.verdicts, judged.scores.truths);
}

Statistic partial_pearson(const Judged& judged) {
  return stats::partial_pearson_of(judged.scores.expected, judged.scores.truths,
                                   judged.scores.log_lengths);
}

constexpr Metric kMetrics[] = {
    {.name = "accuracy",
     .title = "accuracy",
     .heading = "accuracy",
     .help = "share of items whose verdict is the truth",
     .source = "arXiv 2409.14664, 4.2-4.3; sections: rewardbench/constants.py of RewardBench",
     .undefined = kUndefined,
     .of = Of::Verdicts,
     .values = credits},
    {.name = "flip_rate",
     .title = "verdicts that flip with the order",
     .heading = {},
     .help = "share of items with another verdict when the responses change places",
     .source = "1 - consistency of arXiv 2409.14664, 4.3",
     .undefined = "no item has a verdict in both orders",
     .of = Of::Orders,
     .values = flips},
    {.name = "first_share",
     .title = "share of verdicts for the response shown first",
     .heading = {},
     .help = "a judge without a leaning to a place has one half",
     .source = "position bias of arXiv 2306.05685, 3.3",
     .undefined = "no verdict is for a response",
     .of = Of::Shown,
     .statistic = first_share},
    {.name = "balanced_accuracy",
     .title = "balanced accuracy",
     .heading = {},
     .help = "the mean recall of the labels",
     .source = "K. H. Brodersen and others, ICPR 2010",
     .undefined = kUndefined,
     .statistic = of_confusion<stats::balanced_accuracy>},
    {.name = "group_balanced_accuracy",
     .title = "balanced accuracy, mean of the groups",
     .heading = {},
     .help = "each group counts the same",
     .source = "arXiv 2404.10774, the figure of LLM-AggreFact",
     .undefined = kUndefined,
     .needs = Needs::Groups,
     .statistic = group_balanced_accuracy},
    {.name = "macro_f1",
     .title = "macro F1",
     .heading = {},
     .help = "the mean F1 of the labels",
     .source = "Y. Yang and X. Liu, SIGIR 1999",
     .undefined = kUndefined,
     .statistic = of_confusion<stats::macro_f1>},
    {.name = "precision",
     .title = "precision of {}",
     .heading = {},
     .help = "of what was given the label, the share that has it",
     .source = "C. J. van Rijsbergen, Information Retrieval, 1979",
     .undefined = kUndefined,
     .needs = Needs::Positive,
     .statistic = of_positive<stats::precision>},
    {.name = "recall",
     .title = "recall of {}",
     .heading = {},
     .help = "of what has the label, the share that was given it",
     .source = "C. J. van Rijsbergen, Information Retrieval, 1979",
     .undefined = kUndefined,
     .needs = Needs::Positive,
     .statistic = of_positive<stats::recall>},
    {.name = "f1",
     .title = "F1 of {}",
     .heading = {},
     .help = "the harmonic mean of precision and recall",
     .source = "C. J. van Rijsbergen, Information Retrieval, 1979",
     .undefined = kUndefined,
     .needs = Needs::Positive,
     .statistic = of_positive<stats::f1>},
    {.name = "auc",
     .title = "area under the ROC curve",
     .heading = {},
     .help = "the chance that a positive item has the higher probability",
     .source = "J. A. Hanley and B. J. McNeil, Radiology 143, 1982",
     .undefined = kUndefined,
     .of = Of::Probabilities,
     .needs = Needs::Positive,
     .statistic = auc},
    {.name = "kappa",
     .title = "Cohen's kappa",
     .heading = {},
     .help = "agreement beyond chance",
     .source = "J. Cohen, Educational and Psychological Measurement 20, 1960",
     .undefined = kUndefined,
     .statistic = of_confusion<kappa>},
    {.name = "matthews",
     .title = "Matthews correlation",
     .heading = {},
     .help = "the correlation of verdict and truth",
     .source = "J. Gorodkin, Computational Biology and Chemistry 28, 2004",
     .undefined = kUndefined,
     .statistic = of_confusion<stats::matthews>},
    {.name = "brier",
     .title = "Brier score of {}",
     .heading = {},
     .help = "the squared error of the probabilities; lower is better",
     .source = "G. W. Brier, Monthly Weather Review 78, 1950",
     .undefined = kUndefined,
     .of = Of::Probabilities,
     .values = squared_errors},
    {.name = "ece",
     .title = "expected calibration error",
     .heading = {},
     .help = "how far probabilities are from shares of right verdicts; lower is better",
     .source = "C. Guo and others, arXiv 1706.04599, equation 3",
     .undefined = kUndefined,
     .of = Of::Probabilities,
     .statistic = calibration_error},
    {.name = "pearson",
     .title = "Pearson's r of the expected score",
     .heading = "Pearson's r",
     .help = "of the judge's score with the truth",
     .source = "arXiv 2409.14664, 4.3; interval: R. A. Fisher, Metron 1, 1921",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = of_expected<stats::pearson_of>,
     .interval = stats::IntervalKind::FisherZ},
    {.name = "pearson_verdict",
     .title = "Pearson's r of the verdict",
     .heading = {},
     .help = "of the label given, not the mean of the distribution",
     .source = "arXiv 2409.14664, 4.3; interval: R. A. Fisher, Metron 1, 1921",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = of_verdict<stats::pearson_of>,
     .interval = stats::IntervalKind::FisherZ},
    {.name = "spearman",
     .title = "Spearman's rho of the expected score",
     .heading = {},
     .help = "Pearson's r of the ranks",
     .source = "C. Spearman, American Journal of Psychology 15, 1904",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = of_expected<stats::spearman_of>},
    {.name = "spearman_verdict",
     .title = "Spearman's rho of the verdict",
     .heading = {},
     .help = "Pearson's r of the ranks",
     .source = "C. Spearman, American Journal of Psychology 15, 1904",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = of_verdict<stats::spearman_of>},
    {.name = "kendall",
     .title = "Kendall's tau-b of the expected score",
     .heading = {},
     .help = "pairs in the same order less those in the other",
     .source = "M. G. Kendall, Rank Correlation Methods, 1948",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = of_expected<stats::kendall_of>},
    {.name = "kendall_verdict",
     .title = "Kendall's tau-b of the verdict",
     .heading = {},
     .help = "pairs in the same order less those in the other",
     .source = "M. G. Kendall, Rank Correlation Methods, 1948",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = of_verdict<stats::kendall_of>},
    {.name = "partial_pearson",
     .title = "Pearson's r of the expected score without log length",
     .heading = {},
     .help = "what is left of it beyond the length of the response",
     .source = "R. A. Fisher, Metron 3, 1924",
     .undefined = kConstant,
     .of = Of::Scores,
     .statistic = partial_pearson},
};

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

const Metric& find_metric(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Metric& metric : kMetrics) {
    if (!metric.is_headline()) continue;
    if (metric.name == name) return metric;
    names.push_back(metric.name);
  }
  throw Error(fmt::format("unknown metric '{}'; known: {}", cut_to_columns(name, 60),
                          fmt::join(names, ", ")));
}

Statistic statistic_of(const Metric& metric, const Judged& judged) {
  if (metric.values != nullptr) return stats::mean_of(metric.values(judged));
  return metric.statistic(judged);
}

const std::vector<size_t>& items_of(const Metric& metric, const Judged& judged) {
  switch (metric.of) {
    case Of::Verdicts:
      return judged.verdicts.items;
    case Of::Probabilities:
      return judged.probabilities.items;
    case Of::Orders:
      return judged.orders.items;
    case Of::Shown:
      return judged.shown.items;
    case Of::Scores:
      break;
  }
  return judged.scores.items;
}

}  // namespace selene::bench
