// Measures the arena's ratings, and how often their intervals hold the truth.
//
//   build/bench/arena votes JUDGES VOTES FILE       simulated votes, a line each: A B outcome
//   build/bench/arena rate FILE RESAMPLES           times of Elo, Bradley-Terry with sandwich
//                                                   intervals, and its bootstrap, as JSON
//   build/bench/arena store VOTES FILE              milliseconds of a durable vote, as JSON
//   build/bench/arena coverage ARENAS [RESAMPLES]   coverage of each interval
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arena/elo.h"
#include "arena/intervals.h"
#include "arena/paired_fit.h"
#include "arena/simulate.h"
#include "arena/store.h"
#include "core/digest.h"

namespace {

using namespace selene::arena;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int write_votes(std::size_t judges, std::size_t votes, const char* file) {
  const Simulation simulation{.judges = judges, .votes = votes};
  const Ballots ballots = simulate_votes(simulation, true_strengths(simulation));
  std::ofstream out(file);
  for (std::size_t v = 0; v < votes; ++v)
    out << ballots.a[v] << ' ' << ballots.b[v] << ' ' << outcome_name(ballots.outcome[v]) << '\n';
  return 0;
}

Ballots read_votes(const char* file) {
  Ballots ballots{.judges = 0, .a = {}, .b = {}, .outcome = {}};
  std::ifstream in(file);
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  for (std::string outcome; in >> a >> b >> outcome;) {
    ballots.a.push_back(a);
    ballots.b.push_back(b);
    ballots.outcome.push_back(outcome_from_name(outcome).value());
    ballots.judges = std::max<std::size_t>(ballots.judges, std::max(a, b) + 1);
  }
  return ballots;
}

int rate(const char* file, std::size_t resamples) {
  const Ballots ballots = read_votes(file);
  auto start = Clock::now();
  const std::vector<double> ratings = elo(ballots);
  const double elo_s = seconds_since(start);
  start = Clock::now();
  const PairCounts counts = count_pairs(ballots);
  const Fit found = fit(PairedModel::BradleyTerry, counts);
  const std::vector<double> spread = covariance(PairedModel::BradleyTerry, counts, found);
  const auto sandwich = normal_intervals(found.strengths, spread);
  const double sandwich_s = seconds_since(start);
  start = Clock::now();
  const BootstrapIntervals bootstrap =
      bootstrap_intervals(PairedModel::BradleyTerry, counts, found, {.count = resamples});
  const double bootstrap_s = seconds_since(start);
  std::vector<double> variances;
  for (std::size_t i = 0; i < ballots.judges; ++i)
    variances.push_back(spread[i * ballots.judges + i]);
  fmt::print("{}\n", nlohmann::json{{"elo_s", elo_s},
                                    {"sandwich_s", sandwich_s},
                                    {"bootstrap_s", bootstrap_s},
                                    {"elo", ratings},
                                    {"strengths", found.strengths},
                                    {"variances", variances},
                                    {"bootstrap_low", bootstrap.intervals.front().low}}
                         .dump());
  return 0;
}

// Each vote a transaction of its own, as the page stores them.
int store_votes(std::size_t votes, const char* file) {
  Store store(file, selene::data::Opening::MakeIfMissing);
  std::vector<double> times;
  for (std::size_t v = 0; v < votes; ++v) {
    const Vote vote{.id = selene::sha256(fmt::format("vote {}", v)),
                    .judge_a = "one",
                    .judge_b = "other",
                    .outcome = Outcome::A,
                    .voter = "somebody",
                    .session = "",
                    .time_ms = 1,
                    .category = "",
                    .sample = "",
                    .judgment_a = "",
                    .judgment_b = "",
                    .source = "page",
                    .removed = ""};
    const auto start = Clock::now();
    store.add_votes(std::vector<Vote>{vote});
    times.push_back(1'000 * seconds_since(start));
  }
  std::sort(times.begin(), times.end());
  fmt::print("{}\n", nlohmann::json{{"median_ms", times[times.size() / 2]},
                                    {"p99_ms", times[times.size() * 99 / 100]}}
                         .dump());
  return 0;
}

int coverage(std::size_t arenas, std::size_t resamples) {
  struct Case {
    const char* name;
    Simulation simulation;
    const char* rating = "bradley-terry";
  };
  const Case cases[] = {
      {"8 judges, 400 votes", {.judges = 8, .votes = 400}},
      {"8 judges, 1000 votes", {.judges = 8, .votes = 1'000}},
      {"12 judges, 5000 votes", {.judges = 12, .votes = 5'000}},
      {"12 judges, 2000 votes, unequal", {.judges = 12, .votes = 2'000, .unequal = true}},
      {"8 judges, 1000 votes, spread 800", {.judges = 8, .votes = 1'000, .spread = 800}},
      {"8 judges, 1000 votes, Davidson's ties",
       {.judges = 8, .votes = 1'000, .davidson = true},
       "davidson"}};
  for (const Case& one : cases) {
    for (const char* interval : {"sandwich", "sandwich-by-voter", "bootstrap", "judge-arena"}) {
      const SimulationReport report =
          simulate_arenas(one.simulation, arenas, one.rating,
                          {.interval = interval, .anchor = {}, .resamples = {.count = resamples}});
      const bool good = report.covered >= 0.935 && report.covered <= 0.965;
      fmt::print("{:<38} {:<18} {:.2f}% ± {:.2f}  {}  (half {:.1f} points; rank sets {:.1f}%{})\n",
                 one.name, interval, 100 * report.covered, 100 * report.covered_error,
                 good ? "within" : "OUTSIDE", report.half_width, 100 * report.ranks_held,
                 report.unrated > 0 ? fmt::format("; {} unrated", report.unrated) : "");
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  if (what == "votes" && argc == 5) return write_votes(number(2), number(3), argv[4]);
  if (what == "rate" && argc == 4) return rate(argv[2], number(3));
  if (what == "store" && argc == 4) return store_votes(number(2), argv[3]);
  if (what == "coverage" && argc >= 3) return coverage(number(2), argc > 3 ? number(3) : 1'000);
  std::fputs("usage: see the top of bench/arena.cpp\n", stderr);
  return 2;
}
