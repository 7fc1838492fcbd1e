// `selene bench export`: judgments of a run for other programs' scorers.
#include <memory>

#include <CLI/CLI.hpp>

#include "bench/export.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/file.h"

namespace selene::cli {
namespace {

struct BenchExportCommand {
  std::string folder;
  std::string benchmark;
  std::string format;
  std::string out;
  bool overwrite = false;
};

int export_run(const BenchExportCommand& options) {
  const bench::ExportFormat& format = bench::find_export_format(options.format);
  if (options.out.empty() || options.out == "-") {
    put(format.write(options.folder, options.benchmark));
    return kExitOk;
  }
  AtomicFile file(output_target(options.out, options.overwrite));
  file.append(format.write(options.folder, options.benchmark));
  file.commit(options.overwrite);
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene bench export runs/selene rewardbench --format rewardbench --out scores.json
  selene bench export runs/selene mt-bench --format mt-bench --out selene_single.jsonl)";

}  // namespace

void add_bench_export_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchExportCommand>();
  CLI::App* command =
      bench.add_subcommand("export", "A run's judgments for RewardBench's and MT-Bench's scorers");
  command->add_option("RUN", options->folder, "Folder of selene bench run")
      ->required()
      ->check(not_empty());
  command->add_option("BENCHMARK", options->benchmark, "One of its benchmarks")
      ->required()
      ->check(not_empty());
  std::vector<std::string> names;
  std::string help;
  for (const bench::ExportFormat& format : bench::export_formats()) {
    names.emplace_back(format.name);
    help += (help.empty() ? "" : "; ") + std::string(format.name) + ": " + std::string(format.help);
  }
  command->add_option("--format", options->format, help)->required()->check(CLI::IsMember(names));
  command->add_option("--out", options->out, "File [standard output]")->check(not_empty());
  command->add_flag("--overwrite", options->overwrite, "Replace the file");
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = export_run(*options); });
}

}  // namespace selene::cli
