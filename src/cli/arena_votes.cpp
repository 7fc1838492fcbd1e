// `selene arena import` and `selene arena export`: files of votes.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "arena/vote_file.h"
#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace selene::cli {
namespace {

struct ArenaImportCommand {
  std::string file;
  std::string votes;
  std::string format = "auto";
  bool add_judges = false;
};

struct ArenaExportCommand {
  std::string file;
  std::string out;
  std::string format = "ours";
  bool overwrite = false;
};

int import_file(const ArenaImportCommand& options) {
  arena::Store store(options.file, data::Opening::MakeIfMissing);
  arena::ImportOptions how{.format = {}, .add_judges = options.add_judges};
  if (options.format != "auto") how.format = arena::vote_format(options.format);
  const arena::Imported imported = arena::import_votes(store, options.votes, how);
  put(fmt::format("{} rows: {} votes added, {} were there already\n", imported.rows, imported.added,
                  imported.known));
  bool unknown_judges = false;
  for (const auto& [reason, skip] : imported.skipped) {
    put(fmt::format("skipped {}: {} (first at {})\n", skip.rows, reason, skip.first));
    unknown_judges = unknown_judges || reason.starts_with("the arena has no judge");
  }
  flush_output();
  if (unknown_judges)
    std::fputs("note: --add-judges takes votes for judges that the arena has not\n", stderr);
  return kExitOk;
}

int export_file(const ArenaExportCommand& options) {
  arena::Store store(options.file);
  const std::size_t written = arena::export_votes(
      store, options.out, arena::vote_format(options.format), options.overwrite);
  std::fprintf(stderr, "%zu votes written to %s\n", written, options.out.c_str());
  return kExitOk;
}

}  // namespace

void add_arena_import_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaImportCommand>();
  CLI::App* command =
      arena_command.add_subcommand("import", "Add the votes of a file; what is there stays once");
  add_arena_file(*command, options->file);
  command->add_option("FILE", options->votes, "Votes: JSONL, Parquet, JSON or CSV")
      ->required()
      ->check(not_empty());
  command
      ->add_option("--format", options->format,
                   "auto (by the columns), ours, lmarena (battles) or judge-arena")
      ->check(CLI::IsMember({"auto", "ours", "lmarena", "judge-arena"}))
      ->capture_default_str();
  command->add_flag("--add-judges", options->add_judges,
                    "Also votes for judges that the arena has not. One without judges takes all");
  command->footer(
      "Examples:\n  selene arena import a.db battles.jsonl\n"
      "  selene arena import a.db votes.parquet --add-judges");
  command->callback([options, &exit_code] { exit_code = import_file(*options); });
}

void add_arena_export_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaExportCommand>();
  CLI::App* command = arena_command.add_subcommand("export", "Write all votes to a file");
  add_arena_file(*command, options->file);
  command->add_option("--out", options->out, "JSONL file, or Parquet where its name ends so")
      ->required()
      ->check(not_empty());
  command
      ->add_option("--format", options->format,
                   "ours, lmarena (battles) or judge-arena; the last two without removed votes")
      ->check(CLI::IsMember({"ours", "lmarena", "judge-arena"}))
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the file");
  command->footer(
      "Examples:\n  selene arena export a.db --out votes.jsonl\n"
      "  selene arena export a.db --out battles.parquet --format lmarena");
  command->callback([options, &exit_code] { exit_code = export_file(*options); });
}

}  // namespace selene::cli
