// `selene curate explain`: what happened to one row.
#include <unistd.h>

#include <memory>

#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "curate/explain.h"

namespace selene::cli {
namespace {

struct CurateExplainCommand {
  std::string id;
  std::string folder;
};

constexpr const char* kExamples = R"(Examples:
  selene curate explain creak/train_0 --out mix
  selene curate explain train_0 --out mix
  selene curate explain creak/train_0#1 --out mix
  selene curate explain answers.csv:17 --out mix)";

}  // namespace

void add_curate_explain_command(CLI::App& curate, int& exit_code) {
  auto options = std::make_shared<CurateExplainCommand>();
  CLI::App* command =
      curate.add_subcommand("explain", "What happened to one row of a curation, step by step");
  command
      ->add_option("ID", options->id,
                   "The row as SOURCE/ID, or its id alone; a pair's; a rejected row's FILE:LINE")
      ->required()
      ->check(not_empty());
  command->add_option("--out", options->folder, "Folder that selene curate has written")
      ->required()
      ->check(not_empty());
  command->footer(kExamples);
  command->callback([options, &exit_code] {
    put(curate::life_text(curate::explain(options->folder, options->id),
                          report::terminal(STDOUT_FILENO)));
    exit_code = kExitOk;
  });
}

}  // namespace selene::cli
