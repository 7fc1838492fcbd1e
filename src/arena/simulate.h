// Votes of judges whose strength is known: to see what a board makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arena/ballots.h"
#include "arena/ratings.h"

namespace selene::arena {

struct Simulation {
  std::size_t judges = 12;  // At least 2.
  std::size_t votes = 5'000;
  std::size_t voters = 100;
  double spread = 400;    // Points between the best and the worst.
  double ties = 0.3;      // The share of votes between equals that are ties.
  double first_bias = 0;  // How much likelier the first of a pair is, in points.
  bool unequal = false;   // Some pairs are met far more often than others.
  bool davidson = false;  // Ties by Davidson's model; else so that a tie is half a win.
  std::uint64_t seed = 0;
};

// In points, with the mean 0, from the best to the worst; random within their order.
std::vector<double> true_strengths(const Simulation& simulation);

Ballots simulate_votes(const Simulation& simulation, const std::vector<double>& strengths);

// What many simulated arenas say of a rating and its interval.
struct SimulationReport {
  std::size_t arenas = 0;
  std::size_t intervals = 0;  // Of all judges of all arenas.
  double covered = 0;         // The share of them that hold the true strength.
  double covered_error = 0;   // One standard error of it: arenas vary as a whole.
  double bias =
      0;  // The mean of rating less truth over judges with more than average strength, points.
  double error = 0;         // The root mean square of rating less truth, points.
  double half_width = 0;    // The mean half of an interval, points.
  double ranks_held = 0;    // The share of arenas whose rank sets all hold the true ranks.
  double in_order = 0;      // The share of pairs of judges in their true order.
  std::size_t unrated = 0;  // Judges without a rating.
};
SimulationReport simulate_arenas(const Simulation& simulation, std::size_t arenas,
                                 std::string_view rating, const RatingOptions& options);

}  // namespace selene::arena
