// How honest stated probabilities are. Empty of no items.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "stats/statistic.h"

namespace selene::stats {

// The mean squared error of the probability of the positive label (0..1): 0..1, lower is better.
std::optional<double> brier(std::span<const double> probabilities,
                            const std::vector<bool>& positive);

// Over all labels, as G. W. Brier, "Verification of forecasts expressed in terms of probability",
// Monthly Weather Review 78 (1950): the sum of the squared errors of an item's probabilities,
// averaged over items: 0..2, with two labels twice the other's value. probabilities: (items,
// labels), row-major; truth[i] < labels.
std::optional<double> brier(std::span<const double> probabilities, std::size_t labels,
                            std::span<const std::size_t> truth);

// The bins of C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
// networks", ICML 2017.
inline constexpr std::size_t kCalibrationBins = 15;

// Their expected calibration error: items in bins of equal width by the probability of the label
// that was given, (0, 1/bins], (1/bins, 2/bins], ..., and the mean over items of their bin's
// |share right - mean probability|. A probability of 0 is in the first.
std::optional<double> calibration_error(std::span<const double> confidences,
                                        const std::vector<bool>& right,
                                        std::size_t bins = kCalibrationBins);

// For resamples. A resample's calibration error is higher than the sample's on average: its
// interval leans up.
CountStatistic calibration_error_of(std::span<const double> confidences,
                                    const std::vector<bool>& right,
                                    std::size_t bins = kCalibrationBins);

// Each item's part of a Brier score, whose mean that is (`mean_of`).
std::vector<double> squared_errors(std::span<const double> probabilities,
                                   const std::vector<bool>& positive);
std::vector<double> squared_errors(std::span<const double> probabilities, std::size_t labels,
                                   std::span<const std::size_t> truth);

}  // namespace selene::stats
