// `selene arena`: people rank judges by blind pairs of their judgments.
#include "cli/arena.h"

#include <CLI/CLI.hpp>

#include "arena/ratings.h"
#include "cli/arguments.h"
#include "cli/commands.h"

namespace selene::cli {
namespace {

template <typename Kinds>
std::vector<std::string> names_of(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  return names;
}

constexpr const char* kExamples = R"(Examples:
  selene arena init a.db --samples answers.jsonl --judges judges.yaml
  selene arena vote a.db
  selene arena serve a.db
  selene arena board a.db --plot board.png
  selene arena simulate --judges 12 --votes 5000 --out simulated.db)";

}  // namespace

void add_arena_file(CLI::App& command, std::string& file) {
  command.add_option("ARENA", file, "The arena's file (SQLite)")->required()->check(not_empty());
}

void add_rating_flags(CLI::App& command, arena::BoardOptions& options) {
  command
      .add_option("--rating", options.rating,
                  "bradley-terry, davidson (ties an outcome of their own) or elo (Judge Arena's)")
      ->check(CLI::IsMember(names_of(arena::rating_kinds())))
      ->capture_default_str();
  command
      .add_option(
          "--interval", options.interval,
          "sandwich, sandwich-by-voter, bootstrap, or judge-arena, which is not an interval")
      ->check(CLI::IsMember(names_of(arena::interval_kinds())))
      ->capture_default_str();
  command.add_option("--resamples", options.resamples.count, "Of the bootstrap")
      ->check(CLI::Range(100, 1'000'000))
      ->capture_default_str();
  command.add_option("--seed", options.resamples.seed, "Of resamples and rank sets")
      ->capture_default_str();
}

void add_arena_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("arena", "People rank judges by blind pairs of their judgments");
  command->require_subcommand(1);
  add_arena_init_command(*command, exit_code);
  add_arena_add_command(*command, exit_code);
  add_arena_vote_command(*command, exit_code);
  add_arena_serve_command(*command, exit_code);
  add_arena_board_command(*command, exit_code);
  add_arena_audit_command(*command, exit_code);
  add_arena_import_command(*command, exit_code);
  add_arena_export_command(*command, exit_code);
  add_arena_panel_command(*command, exit_code);
  add_arena_simulate_command(*command, exit_code);
  command->footer(kExamples);
}

}  // namespace selene::cli
