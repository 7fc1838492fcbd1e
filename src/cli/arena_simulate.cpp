// `selene arena simulate`: judges of known strength, to see what a board makes of their votes.
#include <unistd.h>

#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "arena/board.h"
#include "arena/simulate.h"
#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/digest.h"
#include "core/error.h"

namespace selene::cli {
namespace {

struct ArenaSimulateCommand {
  std::string out;
  std::size_t arenas = 0;
  arena::Simulation simulation;
  arena::BoardOptions board;
};

constexpr std::int64_t kBeginMs = 1'767'225'600'000;  // 2026-01-01.

void write_store(const ArenaSimulateCommand& options) {
  const std::vector<double> truth = arena::true_strengths(options.simulation);
  const arena::Ballots ballots = arena::simulate_votes(options.simulation, truth);
  nlohmann::ordered_json known = nlohmann::ordered_json::object();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < truth.size(); ++i)  // From the strongest.
    names.push_back(fmt::format("judge-{:02}", i + 1));
  for (std::size_t i = 0; i < truth.size(); ++i) known[names[i]] = truth[i];
  std::vector<arena::Vote> votes;
  for (std::size_t v = 0; v < ballots.size(); ++v)
    votes.push_back({.id = sha256(fmt::format("simulated {} {}", options.simulation.seed, v)),
                     .judge_a = names[ballots.a[v]],
                     .judge_b = names[ballots.b[v]],
                     .outcome = ballots.outcome[v],
                     .voter = sha256(fmt::format("voter {}", ballots.voter[v])).substr(0, 32),
                     .session = "",
                     .time_ms = kBeginMs + static_cast<std::int64_t>(v) * 1'000,
                     .category = "",
                     .sample = "",
                     .judgment_a = "",
                     .judgment_b = "",
                     .source = "simulate",
                     .removed = ""});
  arena::Store store(options.out, data::Opening::MustBeNew);
  store.add_votes(votes);
  store.set_note(arena::kTruthNote, known.dump());
  put(arena::board_text(arena::make_board(store, options.board), report::terminal(STDOUT_FILENO)));
}

void print_report(const ArenaSimulateCommand& options) {
  const arena::RatingOptions rating{
      .interval = options.board.interval, .anchor = {}, .resamples = options.board.resamples};
  const arena::SimulationReport report =
      arena::simulate_arenas(options.simulation, options.arenas, options.board.rating, rating);
  put(fmt::format("{} arenas of {} judges and {} votes, {} by {}\n", report.arenas,
                  options.simulation.judges, options.simulation.votes, options.board.rating,
                  options.board.interval));
  put(fmt::format("  intervals that hold the true rating   {:.2f}% ± {:.2f} of {}\n",
                  100 * report.covered, 100 * report.covered_error, report.intervals));
  put(fmt::format("  boards whose rank sets are all right  {:.1f}%\n", 100 * report.ranks_held));
  put(fmt::format("  pairs of judges in their true order   {:.2f}%\n", 100 * report.in_order));
  put(fmt::format("  bias of the better half, points       {:+.2f}\n", report.bias));
  put(fmt::format("  root mean square error, points        {:.2f}\n", report.error));
  put(fmt::format("  half an interval, points              {:.2f}\n", report.half_width));
  for (const double points : {50.0, 25.0, 10.0}) {
    const double times = report.half_width / points;
    put(fmt::format("  votes for half an interval of {:<8} {:.0f}\n", points,
                    std::ceil(static_cast<double>(options.simulation.votes) * times * times)));
  }
  if (report.unrated > 0)
    put(fmt::format("  judges that won or lost everything    {}\n", report.unrated));
}

int simulate(const ArenaSimulateCommand& options) {
  if (options.out.empty() && options.arenas == 0)
    throw UsageError("there is nothing to do", "", "give --out FILE, or --arenas N");
  if (!options.out.empty()) write_store(options);
  if (options.arenas > 0) print_report(options);
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene arena simulate --judges 12 --votes 5000 --out simulated.db
  selene arena simulate --judges 8 --votes 1000 --arenas 2000)";

}  // namespace

void add_arena_simulate_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaSimulateCommand>();
  CLI::App* command = arena_command.add_subcommand(
      "simulate", "Judges of known strength: coverage, bias, and the votes that are needed");
  arena::Simulation& simulation = options->simulation;
  command->add_option("--judges", simulation.judges, "How many")
      ->check(CLI::Range(2, 1'000))
      ->capture_default_str();
  command->add_option("--votes", simulation.votes, "Of one arena")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command->add_option("--voters", simulation.voters, "Of one arena")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--spread", simulation.spread, "Points between the best and the worst judge")
      ->check(number_from(0, 4'000))
      ->capture_default_str();
  command->add_option("--ties", simulation.ties, "The share of ties between equals")
      ->check(number_from(0, 0.99))
      ->capture_default_str();
  command
      ->add_option("--first-bias", simulation.first_bias,
                   "Points that the judgment shown first is ahead by")
      ->check(number_from(-1'000, 1'000))
      ->capture_default_str();
  command->add_flag("--unequal", simulation.unequal, "Some judges are met far more often");
  command->add_flag("--davidson-ties", simulation.davidson,
                    "Ties by Davidson's model, not so that one is half a win");
  command->add_option("--out", options->out, "The arena of the votes, a new file")
      ->check(not_empty());
  command->add_option("--arenas", options->arenas, "Simulate so many, and sum them up")
      ->check(CLI::Range(1, 1'000'000));
  add_rating_flags(*command, options->board);
  command->footer(kExamples);
  command->callback([options, &exit_code] {
    options->simulation.seed = options->board.resamples.seed;
    exit_code = simulate(*options);
  });
}

}  // namespace selene::cli
