// `selene check init`: a first checks file from the answers' columns.
#include <memory>

#include <CLI/CLI.hpp>

#include "check/first_checks.h"
#include "cli/arguments.h"
#include "cli/check_flags.h"
#include "cli/commands.h"
#include "cli/judge_output.h"
#include "cli/output.h"
#include "core/file.h"

namespace selene::cli {
namespace {

struct InitCommand {
  std::string answers;
  std::string map;
  std::string out;
  bool overwrite = false;
};

int run_init(const InitCommand& options) {
  const check::ColumnMap map = read_map(options.map);
  if (!options.out.empty()) {
    const NamedFile input{"answers", options.answers};
    check_not_input(options.out, {&input, 1});
  }
  const check::Answers answers = check::read_answers(options.answers, {});
  check::read_answers(options.answers, map);  // A column that is not there is an error now.
  const std::string text = check::first_checks(answers, map);
  if (options.out.empty()) {
    put(text);
  } else {
    AtomicFile file(output_target(options.out, options.overwrite));
    file.append(text);
    file.commit(options.overwrite);
  }
  return kExitOk;
}

}  // namespace

void add_check_init_command(CLI::App& check, int& exit_code) {
  auto options = std::make_shared<InitCommand>();
  CLI::App* command =
      check.add_subcommand("init", "Write a first checks file from the columns of the answers");
  command->footer(R"(Examples:
  selene check init answers.csv > checks.yaml
  selene check init answers.csv --map response=bot_reply --out checks.yaml)");
  command->add_option("ANSWERS", options->answers, "Answers: a .csv, .tsv or JSONL file")
      ->check(not_empty())
      ->required();
  command->add_option("--map", options->map, "Columns that are not guessed: input=ask,response=bot")
      ->check(not_empty());
  command->add_option("--out", options->out, "File [standard output]")->check(not_empty());
  command->add_flag("--overwrite", options->overwrite, "Replace OUT");
  command->callback([options, &exit_code] { exit_code = run_init(*options); });
}

}  // namespace selene::cli
