#include "bench/judged.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/metrics.h"

namespace selene::bench {
namespace {

void add_label(const Spec& spec, const ScoredItem& one, size_t i, Judged& judged) {
  const size_t labels = spec.labels.size();
  const auto truth = static_cast<size_t>(one.truth);
  const size_t verdict = one.label < 0 ? labels : static_cast<size_t>(one.label);
  judged.verdicts.items.push_back(i);
  judged.verdicts.truths.push_back(truth);
  judged.verdicts.verdicts.push_back(verdict);
  judged.verdicts.groups.push_back(one.group);
  if (verdict == labels || one.probabilities.empty()) return;
  Judged::Probabilities& stated = judged.probabilities;
  stated.items.push_back(i);
  stated.truths.push_back(truth);
  stated.of_labels.insert(stated.of_labels.end(), one.probabilities.begin(),
                          one.probabilities.end());
  stated.of_verdict.push_back(one.probabilities[verdict]);
  stated.right.push_back(one.label == one.truth);
  if (!judged.positive) return;
  stated.of_positive.push_back(one.probabilities[*judged.positive]);
  stated.positive.push_back(truth == *judged.positive);
}

void add_orders(const ScoredItem& one, bool both_orders, size_t i, Judged& judged) {
  if (both_orders && one.label_ab >= 0 && one.label_ba >= 0) {
    judged.orders.items.push_back(i);
    judged.orders.flips.push_back(one.label_ab != one.label_ba);
  }
  double first = 0;
  double all = 0;
  for (const auto& [label, shown_first] :
       {std::pair{one.label_ab, 0}, {both_orders ? one.label_ba : -1, 1}}) {
    if (label != 0 && label != 1) continue;  // A and B stand first.
    first += label == shown_first;
    all += 1;
  }
  judged.shown.items.push_back(i);
  judged.shown.first.push_back(first);
  judged.shown.all.push_back(all);
}

void add_score(const Spec& spec, const ScoredItem& one, size_t i, Judged::Scores& scores) {
  if (one.label < 0) return;
  scores.items.push_back(i);
  scores.truths.push_back(one.truth_number);
  scores.expected.push_back(score_of(spec, one));
  scores.verdicts.push_back(label_score(spec, one));
  scores.log_lengths.push_back(std::log1p(static_cast<double>(one.lengths[0])));
  scores.groups.push_back(one.group);
}

}  // namespace

Judged judged_of(const Spec& spec, const Scored& scored, const Tally& tally) {
  Judged judged;
  judged.labels = spec.labels.size();
  const auto positive = std::find(spec.labels.begin(), spec.labels.end(), spec.positive);
  if (positive != spec.labels.end())
    judged.positive = static_cast<size_t>(positive - spec.labels.begin());
  const bool numeric_truth = find_metric(spec.metric).numeric_truth();
  const bool pairwise = spec.task == data::Task::Pairwise;
  for (size_t i = 0; i < tally.size(); ++i) {
    if (numeric_truth) {
      add_score(spec, tally.item(i), i, judged.scores);
      continue;
    }
    add_label(spec, tally.item(i), i, judged);
    if (pairwise) add_orders(tally.item(i), scored.both_orders, i, judged);
  }
  if (numeric_truth) return judged;
  const bool both = pairwise && scored.both_orders;
  judged.verdicts.credits = !pairwise ? tally.credits(&ScoredItem::label)
                            : both    ? tally.credits(spec.convention)
                                      : tally.credits(Convention::First);
  return judged;
}

}  // namespace selene::bench
