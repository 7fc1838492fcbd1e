// `selene curate report`: the funnel of a curation, as a table, Markdown, SVG files and a data
// card.
#include <unistd.h>

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "curate/report.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

struct CurateReportCommand {
  std::string folder;
  std::string markdown;
  std::string svg;
  std::string card;
  std::string format = "table";
};

// Before the work: what cannot be written is said at once.
void check_targets(const CurateReportCommand& options) {
  for (const std::string* file : {&options.markdown, &options.card}) {
    if (!file->empty()) output_target(*file, true);
  }
  if (!options.svg.empty() && fs::exists(options.svg) && !fs::is_directory(options.svg))
    throw Error("this is no folder", options.svg);
}

void write_figures(const fs::path& folder, const curate::Funnel& funnel) {
  fs::create_directories(folder);
  write_file_atomically(output_target(folder / "funnel.svg", true), curate::funnel_svg(funnel));
  if (const std::string scores = curate::scores_svg(funnel); !scores.empty())
    write_file_atomically(output_target(folder / "scores.svg", true), scores);
}

int report_curation(const CurateReportCommand& options) {
  check_targets(options);
  const curate::Funnel funnel = curate::read_funnel(options.folder);
  if (!options.markdown.empty())
    write_file_atomically(output_target(options.markdown, true), curate::report_markdown(funnel));
  if (!options.card.empty())
    write_file_atomically(output_target(options.card, true), curate::data_card_markdown(funnel));
  if (!options.svg.empty()) write_figures(options.svg, funnel);
  put(options.format == "json" ? read_file(fs::path(options.folder) / "funnel.json")
                               : curate::funnel_text(funnel, report::terminal(STDOUT_FILENO)));
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene curate report mix
  selene curate report mix --markdown report.md --svg figures
  selene curate report mix --card README.md)";

}  // namespace

void add_curate_report_command(CLI::App& curate, int& exit_code) {
  auto options = std::make_shared<CurateReportCommand>();
  CLI::App* command = curate.add_subcommand(
      "report", "The funnel of a curation: rows in, out and why, step by step and by source");
  command->add_option("DIR", options->folder, "Folder that selene curate has written")
      ->required()
      ->check(not_empty());
  command
      ->add_option("--markdown", options->markdown,
                   "Markdown file: counts, examples, contamination, critiques, scores, licences")
      ->check(not_empty());
  command->add_option("--svg", options->svg, "Folder for the figures: funnel.svg, scores.svg")
      ->check(not_empty());
  command
      ->add_option("--card", options->card,
                   "Markdown file: a data card in the form of the Hugging Face Hub")
      ->check(not_empty());
  command->add_option("--format", options->format, "To standard output: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = report_curation(*options); });
}

}  // namespace selene::cli
