// `selene bench report`: the figures of runs, as a table, Markdown, JSON, a page and SVG files.
#include <unistd.h>

#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/figures.h"
#include "bench/reports.h"
#include "bench/texts.h"
#include "cli/arguments.h"
#include "cli/bench.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

struct BenchReportCommand {
  std::vector<std::string> folders;
  std::string markdown;
  std::string json;
  std::string html;
  std::string svg;
  std::string format = "table";
  std::string data;
  std::vector<std::string> studies;
  bench::ScoreOptions score;
};

// Before the work: what cannot be written is said at once.
void check_targets(const BenchReportCommand& options) {
  for (const std::string* file : {&options.markdown, &options.json, &options.html}) {
    if (!file->empty()) output_target(*file, true);
  }
  if (!options.svg.empty() && fs::exists(options.svg) && !fs::is_directory(options.svg))
    throw Error("this is no folder", options.svg);
}

void write_page(const std::string& file, const std::vector<bench::Report>& reports,
                bench::Studies studies) {
  if (!bench::has_charts()) {
    fmt::print(stderr,
               "note: {} has tables and no figures: this program was built without what draws "
               "them (`make tables` brings it); --svg makes figures without it\n",
               file);
  }
  write_file_atomically(output_target(file, true), bench::report_page(reports, studies));
}

void write_figures(const fs::path& folder, const std::vector<bench::Report>& reports,
                   bench::Studies studies) {
  fs::create_directories(folder);
  for (const bench::SvgFile& figure : bench::svg_figures(reports, studies))
    write_file_atomically(output_target(folder / figure.name, true), figure.text);
}

// The texts are for JSON and the page; the tables have none.
void add_texts(const BenchReportCommand& options, std::vector<bench::Report>& reports) {
  if (options.json.empty() && options.html.empty() && options.format != "json") return;
  for (bench::Report& report : reports) {
    bench::add_texts(report, options.data);
    if (options.data.empty()) continue;
    for (const bench::Score& score : report.scores) {
      if (!score.no_texts.empty()) {
        fmt::print(stderr, "note: no texts of the items of {}: {}\n", score.benchmark,
                   score.no_texts);
      }
    }
  }
}

int report_runs(const BenchReportCommand& options) {
  check_targets(options);
  std::vector<bench::Report> reports;
  for (const std::string& folder : options.folders)
    reports.push_back(bench::read_report(folder, options.score));
  std::vector<bench::Robustness> studies;
  for (const std::string& folder : options.studies) {
    for (bench::Robustness& study : bench::read_study(folder, options.score))
      studies.push_back(std::move(study));
  }
  add_texts(options, reports);
  const std::string json = bench::to_json(reports, studies).dump(1) + "\n";
  if (!options.markdown.empty())
    write_file_atomically(output_target(options.markdown, true),
                          bench::report_markdown(reports, studies));
  if (!options.json.empty()) write_file_atomically(output_target(options.json, true), json);
  if (!options.html.empty()) write_page(options.html, reports, studies);
  if (!options.svg.empty()) write_figures(options.svg, reports, studies);
  put(options.format == "json"
          ? json
          : bench::report_text(reports, report::terminal(STDOUT_FILENO), studies));
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene bench report runs/selene
  selene bench report runs/selene --html report.html --svg figures
  selene bench report runs/selene --robustness runs/formats --html report.html
  selene bench report runs/selene runs/prometheus --markdown report.md)";

}  // namespace

void add_bench_report_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchReportCommand>();
  CLI::App* command = bench.add_subcommand(
      "report", "Figures of runs, with intervals, baselines and published rows");
  command->add_option("RUN", options->folders, "Folders of selene bench run, a row each")
      ->required()
      ->check(not_empty());
  command->add_option("--markdown", options->markdown, "Markdown file")->check(not_empty());
  command->add_option("--json", options->json, "JSON file: every figure")->check(not_empty());
  command->add_option("--html", options->html, "HTML file: one offline page with everything")
      ->check(not_empty());
  command->add_option("--svg", options->svg, "Folder for the figures as SVG files")
      ->check(not_empty());
  command
      ->add_option(
          "--robustness", options->studies,
          "Folder of selene bench robustness, shown too; several times: judges side by side")
      ->allow_extra_args(false)
      ->check(not_empty());
  command
      ->add_option(
          "--data", options->data,
          "Folder of the benchmarks' data, for the texts of the items to read [that of the run]")
      ->check(not_empty());
  command->add_option("--format", options->format, "To standard output: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--seed", options->score.seed, "Of the intervals' resamples")
      ->capture_default_str();
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = report_runs(*options); });
}

}  // namespace selene::cli
