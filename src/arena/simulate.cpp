#include "arena/simulate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"

namespace selene::arena {
namespace {

constexpr double kPoints = kScale / std::numbers::ln10;

// Of a vote between two judges, the first `points` ahead.
Outcome outcome_of(const Simulation& simulation, double points, Random& random) {
  const double difference = points / kPoints;
  const double p = 1 / (1 + std::exp(-difference));
  double win = 0;
  double tie = 0;
  if (simulation.davidson) {
    // Between equals a tie has the share nu / (2 + nu).
    const double nu = 2 * simulation.ties / (1 - simulation.ties);
    const double all = std::exp(difference / 2) + std::exp(-difference / 2) + nu;
    win = std::exp(difference / 2) / all;
    tie = nu / all;
  } else {
    tie = 4 * simulation.ties * p * (1 - p);
    win = p - tie / 2;  // So that a win and half a tie make p.
  }
  const double drawn = random.uniform();
  return drawn < win ? Outcome::A : drawn < win + tie ? Outcome::Tie : Outcome::B;
}

std::uint32_t below(Random& random, std::size_t count) {
  return static_cast<std::uint32_t>(random.uniform() * static_cast<double>(count));
}

std::uint32_t drawn_judge(const Simulation& simulation, Random& random) {
  if (!simulation.unequal) return below(random, simulation.judges);
  const double u = random.uniform();  // The first quarter of judges has half of the votes.
  return std::min<std::uint32_t>(
      static_cast<std::uint32_t>(u * u * static_cast<double>(simulation.judges)),
      static_cast<std::uint32_t>(simulation.judges - 1));
}

struct ArenaResult {
  std::size_t intervals = 0, covered = 0, unrated = 0, in_order = 0, pairs = 0, strong = 0;
  double bias = 0, square = 0, half_width = 0;
  bool ranks_held = true;
};

ArenaResult look_at(const std::vector<double>& truth, const Ratings& ratings,
                    const RatingOptions& options) {
  ArenaResult result;
  const double zero = options.anchor ? truth[*options.anchor] : 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const JudgeRating& judge = ratings.judges[i];
    if (!judge.rating) {
      ++result.unrated;
      result.ranks_held = false;
      continue;
    }
    const double true_rating = options.anchor_rating + truth[i] - zero;
    const double off = *judge.rating - true_rating;
    if (truth[i] > 0) {
      result.bias += off;
      ++result.strong;
    }
    result.square += off * off;
    if (judge.interval && (!options.anchor || i != *options.anchor)) {
      ++result.intervals;
      result.covered += judge.interval->low <= true_rating && true_rating <= judge.interval->high;
      result.half_width += (judge.interval->high - judge.interval->low) / 2;
    }
    if (judge.ranks)
      result.ranks_held =
          result.ranks_held && judge.ranks->low <= i + 1 && i + 1 <= judge.ranks->high;
    for (std::size_t j = i + 1; j < truth.size(); ++j) {
      ++result.pairs;
      result.in_order += ratings.judges[j].rating && *judge.rating > *ratings.judges[j].rating;
    }
  }
  return result;
}

}  // namespace

std::vector<double> true_strengths(const Simulation& simulation) {
  ensure(simulation.judges >= 2, "an arena of fewer than two judges");
  Random random(derive_seed(simulation.seed, "strengths"));
  std::vector<double> strengths;
  for (std::size_t i = 0; i < simulation.judges; ++i)
    strengths.push_back(simulation.spread * random.uniform());
  std::sort(strengths.rbegin(), strengths.rend());
  const double span = strengths.front() - strengths.back();
  double mean = 0;
  for (double& strength : strengths) {
    strength = (strength - strengths.back()) * (span > 0 ? simulation.spread / span : 0);
    mean += strength / static_cast<double>(simulation.judges);
  }
  for (double& strength : strengths) strength -= mean;
  return strengths;
}

Ballots simulate_votes(const Simulation& simulation, const std::vector<double>& strengths) {
  Random random(derive_seed(simulation.seed, "votes"));
  Ballots ballots{.judges = simulation.judges, .a = {}, .b = {}, .outcome = {}};
  for (std::size_t v = 0; v < simulation.votes; ++v) {
    const std::uint32_t a = drawn_judge(simulation, random);
    std::uint32_t b = a;
    while (b == a) b = drawn_judge(simulation, random);
    ballots.a.push_back(a);
    ballots.b.push_back(b);
    ballots.outcome.push_back(
        outcome_of(simulation, strengths[a] - strengths[b] + simulation.first_bias, random));
    ballots.voter.push_back(below(random, std::max<std::size_t>(1, simulation.voters)));
  }
  return ballots;
}

SimulationReport simulate_arenas(const Simulation& simulation, std::size_t arenas,
                                 std::string_view rating, const RatingOptions& options) {
  const RatingKind& kind = rating_kind(rating);
  std::vector<ArenaResult> results(arenas);
  parallel_for(arenas, machine_threads(), [&](std::size_t i) {
    Simulation one = simulation;
    one.seed = derive_seed(simulation.seed, "arena " + std::to_string(i));
    const std::vector<double> truth = true_strengths(one);
    RatingOptions own = options;
    own.resamples.threads = 1;
    own.resamples.seed = one.seed;
    results[i] = look_at(truth, kind.rate(simulate_votes(one, truth), own), own);
  });
  SimulationReport report{.arenas = arenas};
  double strong = 0, rated = 0, ordered = 0, pairs = 0, square = 0, held = 0;
  for (const ArenaResult& one : results) {
    report.intervals += one.intervals;
    report.covered += static_cast<double>(one.covered);
    report.half_width += one.half_width;
    report.bias += one.bias;
    report.unrated += one.unrated;
    strong += static_cast<double>(one.strong);
    rated += static_cast<double>(simulation.judges - one.unrated);
    square += one.square;
    ordered += static_cast<double>(one.in_order);
    pairs += static_cast<double>(one.pairs);
    held += one.ranks_held;
  }
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  const auto intervals = static_cast<double>(report.intervals);
  report.covered = share(report.covered, intervals);
  report.half_width = share(report.half_width, intervals);
  report.bias = share(report.bias, strong);
  report.error = std::sqrt(share(square, rated));
  report.in_order = share(ordered, pairs);
  report.ranks_held = share(held, static_cast<double>(arenas));
  double spread = 0;
  for (const ArenaResult& one : results) {
    const double off =
        static_cast<double>(one.covered) - report.covered * static_cast<double>(one.intervals);
    spread += off * off;
  }
  report.covered_error = share(std::sqrt(spread), intervals);
  return report;
}

}  // namespace selene::arena
