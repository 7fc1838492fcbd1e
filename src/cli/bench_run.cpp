// `selene bench run`: a judge over benchmarks, into a folder that `selene bench report` reads.
#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/bench.h"
#include "cli/bench_runner.h"
#include "cli/commands.h"

namespace selene::cli {
namespace {

int run(const BenchRunOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  check_judge_flags(options.judge);
  const BenchRunOutcome outcome = run_benchmarks(options);
  if (!outcome.done) {
    std::fprintf(stderr, "interrupted after %zu items; the same command again goes on from there\n",
                 outcome.judged);
    return kExitInterrupted;
  }
  if (!options.quiet) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::fprintf(stderr, "%zu benchmarks, %zu items, %.1f s; now: selene bench report %s\n",
                 outcome.benchmarks, outcome.items, seconds.count(), options.out.c_str());
  }
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene bench run all --judge selene-1-mini --out runs/selene
  selene bench run rewardbench hhh --limit 200 --mode verdict --out runs/quick
  selene bench run my.yaml --data my-data --judge http://127.0.0.1:8000#model --out runs/mine

Into a folder that is there: benchmarks that are done are left, the others are added.)";

}  // namespace

void add_bench_run_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchRunOptions>();
  CLI::App* command = bench.add_subcommand("run", "Judge benchmarks into a folder");
  command->add_option("NAMES", options->names, "Benchmarks by name or file, or all")
      ->required()
      ->check(not_empty());
  add_data_flag(*command, options->data);
  command
      ->add_option("--limit", options->limit,
                   "Items of each benchmark at most, spread over its groups by --seed [all]")
      ->check(CLI::PositiveNumber);
  command->add_option("--out", options->out, "Folder of the run; made where it is not there")
      ->required()
      ->check(not_empty());
  command->add_flag("--overwrite", options->overwrite, "Replace benchmarks of other work in OUT");
  command->add_flag("--quiet", options->quiet, "No progress");
  add_judge_flags(*command, options->judge);
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace selene::cli
