#include "stats/weighted_sum.h"

#include <cmath>
#include <utility>

namespace selene::stats {

Estimate weighted_sum(std::span<const Weighted> terms) {
  double value = 0;
  double below = 0;
  double above = 0;
  for (const Weighted& term : terms) {
    double down = term.weight * (term.estimate.value - term.estimate.interval.low);
    double up = term.weight * (term.estimate.interval.high - term.estimate.value);
    if (term.weight < 0) std::swap(down, up);
    value += term.weight * term.estimate.value;
    below += down * down;
    above += up * up;
  }
  return {value, {value - std::sqrt(below), value + std::sqrt(above)}};
}

}  // namespace selene::stats
