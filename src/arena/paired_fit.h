// Strengths of judges fitted to votes by maximum likelihood, and how sure they are.
//
// A strength is on the scale of natural log-odds; those of a fit have the mean 0. The judges have
// to be one group (arena/ballots.h), or there is no maximum.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "arena/ballots.h"

namespace selene::arena {

enum class PairedModel {
  // P(i beats j) = 1 / (1 + exp(s_j - s_i)), a tie half a win and half a loss: R. A. Bradley and
  // M. E. Terry, "Rank analysis of incomplete block designs", Biometrika 39 (1952).
  BradleyTerry,
  // With a third outcome, of odds nu sqrt(exp(s_i + s_j)): R. R. Davidson, "On extending the
  // Bradley-Terry model to accommodate ties in paired comparison experiments", JASA 65 (1970).
  // Without ties, and of nothing but ties, it is Bradley-Terry.
  Davidson,
};

struct Fit {
  std::vector<double> strengths;   // (judges), mean 0
  std::optional<double> log_nu{};  // Of Davidson's ties.
};

// By Newton's method, to a gradient of less than 1e-10 a vote. `start` is a fit of like votes.
Fit fit(PairedModel model, const PairCounts& counts, const Fit* start = nullptr);

// (judges, judges): the covariance of the strengths, asking nothing of the model but that it is
// fitted by its likelihood: the sandwich of P. J. Huber, "The behavior of maximum likelihood
// estimates under nonstandard conditions" (1967), each vote by itself.
std::vector<double> covariance(PairedModel model, const PairCounts& counts, const Fit& fit);

// The same where the votes of one person go together (K.-Y. Liang and S. L. Zeger, Biometrika 73,
// 1986). Ballots of the fit's judges alone.
std::vector<double> covariance_by_voter(PairedModel model, const Ballots& ballots,
                                        const PairCounts& counts, const Fit& fit);

// Fits of many resamples of the same votes: what they have in common is computed once.
class Refit {
 public:
  Refit(PairedModel model, const PairCounts& counts, const Fit& fit);
  ~Refit();
  Refit(const Refit&) = delete;
  Refit& operator=(const Refit&) = delete;

  // Of counts for the same pairs in the same order, some of them perhaps 0. On several threads.
  Fit of(const PairCounts& counts) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::arena
