// Which two judges a voter should see next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "arena/ballots.h"
#include "core/random.h"

namespace selene::arena {

// A vote between i and j lowers the variance of every difference of strengths: by the inverse of
// the information matrix with and without it (A. C. Atkinson and A. N. Donev, "Optimum Experimental
// Designs", 1992: A-optimality). A weak prior keeps that finite, so that judges without votes are
// the first to be shown.
class Pairing {
 public:
  // One pair in `kFloor` offers is the one with the fewest votes, whatever it would tell.
  static constexpr double kFloor = 0.2;

  explicit Pairing(const PairCounts& counts);

  // The expected drop of the sum of the variances of all differences, in squared points.
  double gain(std::uint32_t first, std::uint32_t second) const;
  double votes(std::uint32_t first, std::uint32_t second) const;
  // The best of `pairs` (at least one): of equals any.
  std::pair<std::uint32_t, std::uint32_t> choose(
      const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs, Random& random) const;

 private:
  std::size_t judges_;
  std::vector<double> covariance_;  // (judges, judges)
  std::vector<double> strengths_;
  std::vector<double> votes_;  // (judges, judges)
};

}  // namespace selene::arena
