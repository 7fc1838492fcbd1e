#include "arena/paired_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "arena/symmetric.h"
#include "core/error.h"

namespace selene::arena {
namespace {

constexpr int kMostSteps = 200;
constexpr double kTolerance = 1e-10;
// A step by an old matrix has to bring the gradient down to this share, or a new one is made.
constexpr double kGoodStep = 0.25;

// The three outcomes of a pair: the first judge wins, a tie, the second wins.
constexpr std::size_t kOutcomes = 3;
using Counts = std::array<double, kOutcomes>;

Counts counts_of(const PairCount& pair) { return {pair.first_wins, pair.ties, pair.second_wins}; }

// Of the log-likelihood of one vote, by the difference of the strengths and by log nu.
struct Slope {
  double difference = 0;
  double tie = 0;
};
// Minus its second derivatives, which do not depend on the outcome.
struct Curvature {
  double difference = 0;
  double tie = 0;
  double cross = 0;
};
struct Derivatives {
  std::array<Slope, kOutcomes> slopes{};
  Curvature curvature{};
};

Derivatives bradley_terry(double difference) {
  const double p = 1 / (1 + std::exp(-difference));
  return {.slopes = {{{1 - p, 0}, {0.5 - p, 0}, {-p, 0}}}, .curvature = {p * (1 - p), 0, 0}};
}

Derivatives davidson(double difference, double log_nu) {
  const double up = std::exp(difference / 2);
  const double nu = std::exp(log_nu);
  const double all = up + 1 / up + nu;
  const double win = up / all;
  const double loss = 1 / up / all;
  const double tie = nu / all;
  const double lead = win - loss;
  return {.slopes = {{{(1 - lead) / 2, -tie}, {-lead / 2, 1 - tie}, {(-1 - lead) / 2, -tie}}},
          .curvature = {(win + loss - lead * lead) / 4, tie * (1 - tie), -lead * tie / 2}};
}

// The unknowns: the strengths, and log nu behind them where ties have it.
struct Problem {
  const PairCounts& counts;
  std::size_t judges;
  bool ties;
  double votes = 0;

  Problem(PairedModel model, const PairCounts& pairs) : counts(pairs), judges(pairs.judges) {
    double tied = 0;
    for (const PairCount& pair : pairs.pairs) {
      votes += pair.total();
      tied += pair.ties;
    }
    ties = model == PairedModel::Davidson && tied > 0 && tied < votes;
  }
  std::size_t unknowns() const { return judges + (ties ? 1 : 0); }
  Derivatives at(const std::vector<double>& x, const PairCount& pair) const {
    const double difference = x[pair.first] - x[pair.second];
    return ties ? davidson(difference, x[judges]) : bradley_terry(difference);
  }
  // log(exp(d / 2) + exp(-d / 2) [+ nu]) is what both models have under the line.
  double log_likelihood(const std::vector<double>& x) const {
    double sum = 0;
    for (const PairCount& pair : counts.pairs) {
      const double half = (x[pair.first] - x[pair.second]) / 2;
      const double most = std::abs(half);
      const double nu = ties ? std::exp(x[judges] - most) : 0;
      sum += (pair.first_wins - pair.second_wins) * half + (ties ? pair.ties * x[judges] : 0) -
             pair.total() * (most + std::log(1 + std::exp(-2 * most) + nu));
    }
    return sum;
  }
  std::vector<double> gradient(const std::vector<double>& x) const {
    std::vector<double> g(unknowns(), 0);
    for (const PairCount& pair : counts.pairs) {
      const Derivatives here = at(x, pair);
      const Counts n = counts_of(pair);
      for (std::size_t o = 0; o < kOutcomes; ++o) {
        g[pair.first] += n[o] * here.slopes[o].difference;
        g[pair.second] -= n[o] * here.slopes[o].difference;
        if (ties) g[judges] += n[o] * here.slopes[o].tie;
      }
    }
    return g;
  }
  // Adds `value` of a pair, as products of (e_first - e_second) and the tie's own unknown.
  void add(std::vector<double>& matrix, const PairCount& pair, const Curvature& value) const {
    const std::size_t n = unknowns();
    const std::size_t i = pair.first;
    const std::size_t j = pair.second;
    matrix[i * n + i] += value.difference;
    matrix[j * n + j] += value.difference;
    matrix[i * n + j] -= value.difference;
    matrix[j * n + i] -= value.difference;
    if (!ties) return;
    for (const auto& [at, sign] : {std::pair{i, 1.0}, std::pair{j, -1.0}}) {
      matrix[at * n + judges] += sign * value.cross;
      matrix[judges * n + at] += sign * value.cross;
    }
    matrix[judges * n + judges] += value.tie;
  }
  // Minus the second derivatives. All strengths may be moved together: a constant on the judges'
  // part makes the matrix definite and changes no step, as gradients add up to 0.
  std::vector<double> curvature(const std::vector<double>& x) const {
    const std::size_t n = unknowns();
    std::vector<double> matrix(n * n, 0);
    for (const PairCount& pair : counts.pairs) {
      const Curvature one = at(x, pair).curvature;
      const double total = pair.total();
      add(matrix, pair, {one.difference * total, one.tie * total, one.cross * total});
    }
    double trace = 0;
    for (std::size_t i = 0; i < judges; ++i) trace += matrix[i * n + i];
    const double constant = trace / static_cast<double>(judges * judges);
    for (std::size_t i = 0; i < judges; ++i)
      for (std::size_t j = 0; j < judges; ++j) matrix[i * n + j] += constant;
    return matrix;
  }
};

double size_of(const std::vector<double>& gradient) {
  double most = 0;
  for (const double g : gradient) most = std::max(most, std::abs(g));
  return most;
}

// A Newton step from x; shorter where the likelihood would fall.
std::vector<double> step(const Problem& problem, const Cholesky& matrix,
                         const std::vector<double>& x, std::vector<double> gradient) {
  matrix.solve(gradient);
  const double before = problem.log_likelihood(x);
  std::vector<double> next(x.size());
  for (double length = 1; length > 1e-9; length /= 2) {
    for (std::size_t i = 0; i < x.size(); ++i) next[i] = x[i] + length * gradient[i];
    // Of steps too small for the sum to tell, any is good.
    if (problem.log_likelihood(next) >= before - 1e-12 * std::abs(before)) return next;
  }
  return x;
}

// `matrix` is where to begin; it is made anew when it is too far from here.
std::vector<double> climb(const Problem& problem, std::vector<double> x, const Cholesky* matrix) {
  std::optional<Cholesky> own;
  double before = 0;
  for (int steps = 0; steps < kMostSteps; ++steps) {
    std::vector<double> gradient = problem.gradient(x);
    const double now = size_of(gradient);
    if (now <= kTolerance * problem.votes) break;
    const bool is_slow = steps > 0 && now > kGoodStep * before;
    if (own || matrix == nullptr || is_slow) {
      own.emplace(problem.curvature(x), problem.unknowns());
      if (!own->ok()) break;  // As flat as numbers can tell: a strength without an end.
    }
    x = step(problem, own ? *own : *matrix, x, std::move(gradient));
    before = now;
  }
  return x;
}

std::vector<double> unknowns_of(const Problem& problem, const Fit* start) {
  std::vector<double> x(problem.unknowns(), 0);
  if (start == nullptr) return x;
  std::copy(start->strengths.begin(), start->strengths.end(), x.begin());
  if (problem.ties) x[problem.judges] = start->log_nu.value_or(0);
  return x;
}

Fit fit_of(const Problem& problem, std::vector<double> x) {
  Fit result;
  if (problem.ties) {
    result.log_nu = x.back();
    x.pop_back();
  }
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  for (double& strength : x) strength -= mean;
  result.strengths = std::move(x);
  return result;
}

// H^-1 M H^-1 of the strengths that have the mean 0.
std::vector<double> sandwich(const Problem& problem, const std::vector<double>& x,
                             const std::vector<double>& middle) {
  const std::size_t n = problem.unknowns();
  const std::size_t judges = problem.judges;
  const Cholesky matrix(problem.curvature(x), n);
  ensure(matrix.ok(), "a covariance of judges who are no group");
  const std::vector<double> inverse = matrix.inverse();
  const std::vector<double> whole = product(product(inverse, middle, n), inverse, n);
  std::vector<double> result(judges * judges);
  for (std::size_t i = 0; i < judges; ++i) std::copy_n(&whole[i * n], judges, &result[i * judges]);
  return result;
}

}  // namespace

Fit fit(PairedModel model, const PairCounts& counts, const Fit* start) {
  ensure(counts.judges > 0, "a fit of no judges");
  const Problem problem(model, counts);
  return fit_of(problem, climb(problem, unknowns_of(problem, start), nullptr));
}

std::vector<double> covariance(PairedModel model, const PairCounts& counts, const Fit& fit) {
  const Problem problem(model, counts);
  const std::vector<double> x = unknowns_of(problem, &fit);
  std::vector<double> middle(problem.unknowns() * problem.unknowns(), 0);
  for (const PairCount& pair : counts.pairs) {
    const Derivatives here = problem.at(x, pair);
    const Counts n = counts_of(pair);
    Curvature squares;
    for (std::size_t o = 0; o < kOutcomes; ++o) {
      const Slope& slope = here.slopes[o];
      squares.difference += n[o] * slope.difference * slope.difference;
      squares.tie += n[o] * slope.tie * slope.tie;
      squares.cross += n[o] * slope.difference * slope.tie;
    }
    problem.add(middle, pair, squares);
  }
  return sandwich(problem, x, middle);
}

std::vector<double> covariance_by_voter(PairedModel model, const Ballots& ballots,
                                        const PairCounts& counts, const Fit& fit) {
  ensure(ballots.voter.size() == ballots.size(), "votes without voters");
  const Problem problem(model, counts);
  const std::vector<double> x = unknowns_of(problem, &fit);
  const std::size_t n = problem.unknowns();
  std::map<std::uint32_t, std::map<std::size_t, double>>
      sums;  // The gradient of each voter's votes.
  for (std::size_t v = 0; v < ballots.size(); ++v) {
    if (ballots.a[v] == ballots.b[v]) continue;
    constexpr std::size_t kPlace[] = {0, 2, 1, 1};
    const Derivatives here = problem.at(x, {.first = ballots.a[v], .second = ballots.b[v]});
    const Slope& slope = here.slopes[kPlace[static_cast<std::size_t>(ballots.outcome[v])]];
    auto& sum = sums[ballots.voter[v]];
    sum[ballots.a[v]] += slope.difference;
    sum[ballots.b[v]] -= slope.difference;
    if (problem.ties) sum[problem.judges] += slope.tie;
  }
  std::vector<double> middle(n * n, 0);
  for (const auto& [voter, sum] : sums)
    for (const auto& [i, left] : sum)
      for (const auto& [j, right] : sum) middle[i * n + j] += left * right;
  return sandwich(problem, x, middle);
}

struct Refit::State {
  PairedModel model;
  Fit fit;
  std::size_t unknowns;
  Cholesky matrix;
};

Refit::Refit(PairedModel model, const PairCounts& counts, const Fit& fit) {
  const Problem problem(model, counts);
  state_ = std::make_unique<State>(
      State{model, fit, problem.unknowns(),
            Cholesky(problem.curvature(unknowns_of(problem, &fit)), problem.unknowns())});
}

Refit::~Refit() = default;

Fit Refit::of(const PairCounts& counts) const {
  const Problem problem(state_->model, counts);
  const bool fits = state_->matrix.ok() && problem.unknowns() == state_->unknowns;
  return fit_of(problem, climb(problem, unknowns_of(problem, &state_->fit),
                               fits ? &state_->matrix : nullptr));
}

}  // namespace selene::arena
