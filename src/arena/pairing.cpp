#include "arena/pairing.h"

#include <cmath>
#include <numbers>

#include "arena/paired_fit.h"
#include "arena/ratings.h"
#include "arena/symmetric.h"
#include "core/error.h"

namespace selene::arena {
namespace {

// Before any vote a strength is taken for 0 give or take 2, some 350 points.
constexpr double kPriorVariance = 4;
// What a judge that never lost is taken to be ahead by, and one that never won behind: two to one.
constexpr double kUnrated = std::numbers::ln2;

// Of the judges that can be rated; of others only where they stand.
std::vector<double> rough_strengths(const PairCounts& counts) {
  std::vector<double> strengths(counts.judges, 0);
  const Groups found = groups(counts);
  for (std::size_t judge = 0; judge < counts.judges; ++judge) {
    if (found.standing[judge] == Standing::Above) strengths[judge] = kUnrated;
    if (found.standing[judge] == Standing::Below) strengths[judge] = -kUnrated;
  }
  if (found.members.empty()) return strengths;
  const std::vector<std::uint32_t>& members = found.members.front();
  std::vector<std::uint32_t> place(counts.judges, 0xFFFFFFFF);
  for (std::uint32_t m = 0; m < members.size(); ++m) place[members[m]] = m;
  PairCounts part{.judges = members.size(), .pairs = {}};
  for (PairCount pair : counts.pairs) {
    pair.first = place[pair.first];
    pair.second = place[pair.second];
    if (pair.first < members.size() && pair.second < members.size()) part.pairs.push_back(pair);
  }
  const Fit found_fit = fit(PairedModel::BradleyTerry, part);
  for (std::size_t m = 0; m < members.size(); ++m) strengths[members[m]] = found_fit.strengths[m];
  return strengths;
}

double information(double difference) {
  const double p = 1 / (1 + std::exp(-difference));
  return p * (1 - p);
}

}  // namespace

Pairing::Pairing(const PairCounts& counts)
    : judges_(counts.judges),
      strengths_(rough_strengths(counts)),
      votes_(counts.judges * counts.judges, 0) {
  std::vector<double> matrix(judges_ * judges_, 0);
  for (std::size_t i = 0; i < judges_; ++i) matrix[i * judges_ + i] = 1 / kPriorVariance;
  for (const PairCount& pair : counts.pairs) {
    const std::size_t i = pair.first;
    const std::size_t j = pair.second;
    const double value = pair.total() * information(strengths_[i] - strengths_[j]);
    matrix[i * judges_ + i] += value;
    matrix[j * judges_ + j] += value;
    matrix[i * judges_ + j] -= value;
    matrix[j * judges_ + i] -= value;
    votes_[i * judges_ + j] = votes_[j * judges_ + i] = pair.total();
  }
  covariance_ = Cholesky(std::move(matrix), judges_).inverse();
}

// C - w C x x' C / (1 + w x' C x), x = e_i - e_j: the sum over all differences falls by
// w (n |C x|^2 - (1' C x)^2) / (1 + w x' C x).
double Pairing::gain(std::uint32_t first, std::uint32_t second) const {
  double squares = 0;
  double sum = 0;
  for (std::size_t k = 0; k < judges_; ++k) {
    const double value = covariance_[first * judges_ + k] - covariance_[second * judges_ + k];
    squares += value * value;
    sum += value;
  }
  const double variance = covariance_[first * judges_ + first] +
                          covariance_[second * judges_ + second] -
                          2 * covariance_[first * judges_ + second];
  const double w = information(strengths_[first] - strengths_[second]);
  const double points = kScale / std::numbers::ln10;
  return points * points * w * (static_cast<double>(judges_) * squares - sum * sum) /
         (1 + w * variance);
}

double Pairing::votes(std::uint32_t first, std::uint32_t second) const {
  return votes_[first * judges_ + second];
}

std::pair<std::uint32_t, std::uint32_t> Pairing::choose(
    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs, Random& random) const {
  ensure(!pairs.empty(), "a choice of no pairs");
  const bool floor = random.uniform() < kFloor;
  const auto value = [&](const auto& pair) {
    return floor ? -votes(pair.first, pair.second) : gain(pair.first, pair.second);
  };
  std::size_t best = 0;
  double most = value(pairs[0]);
  double equals = 1;
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    const double here = value(pairs[i]);
    const double margin = 1e-9 * std::abs(most);
    if (here < most - margin) continue;
    equals = here > most + margin ? 1 : equals + 1;
    if (here > most + margin || random.uniform() * equals < 1) {
      best = i;
      most = here;
    }
  }
  return pairs[best];
}

}  // namespace selene::arena
