// `selene curate show`: one pair, to read.
#include <unistd.h>

#include <memory>

#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "curate/show.h"

namespace selene::cli {
namespace {

struct CurateShowCommand {
  std::string id;
  std::string folder;
  std::string format = "text";
};

constexpr const char* kExamples = R"(Examples:
  selene curate show --out mix
  selene curate show creak/train_0#1 --out mix
  selene curate show creak/train_0 --out mix --format json)";

}  // namespace

void add_curate_show_command(CLI::App& curate, int& exit_code) {
  auto options = std::make_shared<CurateShowCommand>();
  CLI::App* command = curate.add_subcommand(
      "show", "A pair to read: prompt, chosen and rejected judgment with their verdicts");
  command
      ->add_option("ID", options->id,
                   "The pair as SOURCE/ID#N, or the row it was made of [the first pair]")
      ->check(not_empty());
  command->add_option("--out", options->folder, "Folder that selene curate has written")
      ->required()
      ->check(not_empty());
  command->add_option("--format", options->format, "text, or json: the row as it is in its file")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(kExamples);
  command->callback([options, &exit_code] {
    const curate::FoundPair pair = curate::find_pair(options->folder, options->id);
    put(options->format == "json" ? pair.row.dump() + "\n"
                                  : curate::pair_text(pair, report::terminal(STDOUT_FILENO)));
    exit_code = kExitOk;
  });
}

}  // namespace selene::cli
