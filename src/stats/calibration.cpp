#include "stats/calibration.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace selene::stats {
namespace {

void check_probabilities(std::span<const double> probabilities) {
  ensure(std::all_of(probabilities.begin(), probabilities.end(),
                     [](double probability) { return probability >= 0 && probability <= 1; }),
         "a probability outside 0..1");
}

}  // namespace

std::vector<double> squared_errors(std::span<const double> probabilities,
                                   const std::vector<bool>& positive) {
  ensure(probabilities.size() == positive.size(), "probabilities and labels of two lengths");
  check_probabilities(probabilities);
  std::vector<double> result;
  result.reserve(probabilities.size());
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double error = probabilities[i] - (positive[i] ? 1 : 0);
    result.push_back(error * error);
  }
  return result;
}

std::vector<double> squared_errors(std::span<const double> probabilities, std::size_t labels,
                                   std::span<const std::size_t> truth) {
  ensure(probabilities.size() == truth.size() * labels, "probabilities and labels of two lengths");
  check_probabilities(probabilities);
  std::vector<double> result;
  result.reserve(truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ensure(truth[i] < labels, "a label beyond the last");
    double sum = 0;
    for (std::size_t label = 0; label < labels; ++label) {
      const double error = probabilities[i * labels + label] - (label == truth[i] ? 1 : 0);
      sum += error * error;
    }
    result.push_back(sum);
  }
  return result;
}

std::optional<double> brier(std::span<const double> probabilities,
                            const std::vector<bool>& positive) {
  return value_of(mean_of(squared_errors(probabilities, positive)));
}

std::optional<double> brier(std::span<const double> probabilities, std::size_t labels,
                            std::span<const std::size_t> truth) {
  return value_of(mean_of(squared_errors(probabilities, labels, truth)));
}

std::optional<double> calibration_error(std::span<const double> confidences,
                                        const std::vector<bool>& right, std::size_t bins) {
  return value_of(calibration_error_of(confidences, right, bins), confidences.size());
}

CountStatistic calibration_error_of(std::span<const double> confidences,
                                    const std::vector<bool>& right, std::size_t bins) {
  ensure(confidences.size() == right.size(), "probabilities and labels of two lengths");
  ensure(bins > 0, "a calibration error without bins");
  check_probabilities(confidences);
  std::vector<std::size_t> bin_of;
  std::vector<double> gaps;  // 1 or 0 for right or wrong, less the probability.
  for (std::size_t i = 0; i < confidences.size(); ++i) {
    const double up = std::ceil(confidences[i] * static_cast<double>(bins));
    bin_of.push_back(std::min(static_cast<std::size_t>(std::max(up, 1.0)), bins) - 1);
    gaps.push_back((right[i] ? 1 : 0) - confidences[i]);
  }
  return [bins, bin_of = std::move(bin_of),
          gaps = std::move(gaps)](std::span<const std::uint32_t> counts) -> std::optional<double> {
    std::vector<double> sums(bins);
    double total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sums[bin_of[i]] += counts[i] * gaps[i];
      total += counts[i];
    }
    if (total == 0) return std::nullopt;
    double error = 0;
    for (const double sum : sums) error += std::abs(sum);
    return error / total;
  };
}

}  // namespace selene::stats
