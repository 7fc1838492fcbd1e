// `selene bench compare`: two runs over the same items, paired.
#include <unistd.h>

#include <memory>

#include <CLI/CLI.hpp>

#include "bench/compare.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace selene::cli {
namespace {

struct BenchCompareCommand {
  std::string first;
  std::string second;
  std::string format = "table";
  bench::ScoreOptions score;
};

int compare(const BenchCompareCommand& options) {
  const bench::RunComparison comparison =
      bench::compare_runs(options.first, options.second, options.score);
  put(options.format == "json"
          ? bench::to_json(comparison).dump(1) + "\n"
          : bench::comparison_text(comparison, report::terminal(STDOUT_FILENO)));
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene bench compare runs/base runs/tuned
  selene bench compare runs/base runs/tuned --format json)";

}  // namespace

void add_bench_compare_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchCompareCommand>();
  CLI::App* command = bench.add_subcommand(
      "compare", "Two runs over the same items: paired differences with intervals");
  command->add_option("A", options->first, "Folder of selene bench run")
      ->required()
      ->check(not_empty());
  command->add_option("B", options->second, "Another")->required()->check(not_empty());
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--seed", options->score.seed, "Of the intervals' resamples")
      ->capture_default_str();
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = compare(*options); });
}

}  // namespace selene::cli
