// `selene bench report`: the figures of a run, as a table, Markdown, JSON.
#include <unistd.h>

#include <memory>

#include <CLI/CLI.hpp>

#include "bench/report.h"
#include "cli/arguments.h"
#include "cli/bench.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/file.h"

namespace selene::cli {
namespace {

struct BenchReportCommand {
  std::string folder;
  std::string markdown;
  std::string json;
  std::string format = "table";
  bench::ScoreOptions score;
};

int report_run(const BenchReportCommand& options) {
  for (const std::string* file : {&options.markdown, &options.json}) {
    if (!file->empty()) output_target(*file, true);
  }
  const bench::Report report = bench::read_report(options.folder, options.score);
  const std::string json = bench::to_json(report).dump(1) + "\n";
  if (!options.markdown.empty())
    write_file_atomically(output_target(options.markdown, true), bench::report_markdown(report));
  if (!options.json.empty()) write_file_atomically(output_target(options.json, true), json);
  put(options.format == "json" ? json
                               : bench::report_text(report, report::terminal(STDOUT_FILENO)));
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene bench report runs/selene
  selene bench report runs/selene --markdown report.md --json report.json)";

}  // namespace

void add_bench_report_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchReportCommand>();
  CLI::App* command = bench.add_subcommand(
      "report", "Figures of a run, with intervals, baselines and published rows");
  command->add_option("RUN", options->folder, "Folder of selene bench run")
      ->required()
      ->check(not_empty());
  command->add_option("--markdown", options->markdown, "Markdown file")->check(not_empty());
  command->add_option("--json", options->json, "JSON file: every figure")->check(not_empty());
  command->add_option("--format", options->format, "To standard output: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--seed", options->score.seed, "Of the intervals' resamples")
      ->capture_default_str();
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = report_run(*options); });
}

}  // namespace selene::cli
