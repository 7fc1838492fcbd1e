// How well predicted labels, or scores, agree with true ones. A confusion has the truth as its
// first rater (rows) and the prediction as its second (columns); `label` is an index of its labels.
// Cohen's kappa is in agreement.h. What is undefined is empty.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "stats/agreement.h"
#include "stats/statistic.h"

namespace selene::stats {

// The share of items with the right label; undefined of none.
std::optional<double> accuracy(const Confusion& confusion);

// The mean recall of the labels that the truth has; undefined of no items.
std::optional<double> balanced_accuracy(const Confusion& confusion);

// Of what was given the label, the share that has it; undefined where nothing was given it.
std::optional<double> precision(const Confusion& confusion, std::size_t label);

// Of what has the label, the share that was given it; undefined where nothing has it.
std::optional<double> recall(const Confusion& confusion, std::size_t label);

// The harmonic mean of the two, 2 hits / (given + having): 0 where one of them is undefined, and
// undefined where both are.
std::optional<double> f1(const Confusion& confusion, std::size_t label);

// The mean F1 of the labels that the truth has: one that is only ever predicted, such as that of an
// unreadable verdict, costs the recall of others and is not a class of its own. Undefined of no
// items.
std::optional<double> macro_f1(const Confusion& confusion);

// The correlation of B. W. Matthews (Biochimica et Biophysica Acta 405, 1975), for any number of
// labels the R_K of J. Gorodkin, "Comparing two K-category assignments by a K-category correlation
// coefficient", Computational Biology and Chemistry 28 (2004). Undefined where either side gave one
// label to everything.
std::optional<double> matthews(const Confusion& confusion);

// The area under the ROC curve: the chance that a positive item scores above a negative one, half
// counted where they tie (J. A. Hanley and B. J. McNeil, Radiology 143, 1982). Scores are no NaN;
// undefined without a positive or without a negative item.
std::optional<double> roc_auc(std::span<const double> scores, const std::vector<bool>& positive);

// For resamples: any function of the confusion of `truth` and `predicted`, indices below `labels`.
CountStatistic confusion_of(std::span<const std::size_t> truth,
                            std::span<const std::size_t> predicted, std::size_t labels,
                            std::function<std::optional<double>(const Confusion&)> metric);
CountStatistic roc_auc_of(std::span<const double> scores, const std::vector<bool>& positive);

}  // namespace selene::stats
