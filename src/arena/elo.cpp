#include "arena/elo.h"

#include <cmath>
#include <utility>

namespace selene::arena {

// Step by step as FastChat's loop, so that the last bits are the same too.
std::vector<double> elo(const Ballots& ballots, const EloSettings& settings,
                        std::vector<double> from) {
  constexpr double kScore[] = {1, 0, 0.5, 0.5};
  std::vector<double> rating = std::move(from);
  rating.resize(ballots.judges, settings.start);
  for (std::size_t v = 0; v < ballots.size(); ++v) {
    double& a = rating[ballots.a[v]];
    double& b = rating[ballots.b[v]];
    if (&a == &b) continue;
    const double expected_a = 1 / (1 + std::pow(10.0, (b - a) / settings.scale));
    const double expected_b = 1 / (1 + std::pow(10.0, (a - b) / settings.scale));
    const double score = kScore[static_cast<std::size_t>(ballots.outcome[v])];
    a += settings.k * (score - expected_a);
    b += settings.k * (1 - score - expected_b);
  }
  return rating;
}

}  // namespace selene::arena
