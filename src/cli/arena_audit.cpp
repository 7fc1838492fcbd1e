// `selene arena audit`: each voter's habits, and the board without those who broke a rule.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "arena/audit.h"
#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace selene::cli {
namespace {

struct ArenaAuditCommand {
  std::string file;
  std::string format = "table";
  std::size_t rows = 20;
  bool remove = false;
  arena::AuditRules rules;
  arena::BoardOptions board;
};

int audit(const ArenaAuditCommand& options) {
  arena::Store store(options.file);
  const arena::Audit audit = arena::audit_votes(store, options.rules);
  arena::BoardOptions without = options.board;
  for (const arena::VoterAudit& voter : audit.voters)
    if (!voter.reasons.empty()) without.without.insert(voter.voter);
  const arena::BoardReport before = arena::make_board(store, options.board);
  const arena::BoardReport after = arena::make_board(store, without);
  if (options.format == "json") {
    put(nlohmann::ordered_json{{"audit", arena::to_json(audit)},
                               {"before", arena::to_json(before)},
                               {"after", arena::to_json(after)}}
            .dump(1) +
        "\n");
  } else {
    const report::Terminal terminal = report::terminal(STDOUT_FILENO);
    put(arena::audit_text(audit, options.rows, terminal));
    if (!without.without.empty())
      put("\nThe board with all votes, and without theirs:\n\n" +
          arena::comparison_text(before, after, terminal));
  }
  if (!options.remove) return kExitOk;
  std::size_t removed = 0;
  for (const arena::Removal& removal : arena::removals(store, audit))
    removed += store.remove(removal.ids, removal.reason, arena::now_ms());
  flush_output();
  std::fprintf(stderr, "%zu votes have a tombstone now\n", removed);
  return kExitOk;
}

}  // namespace

void add_arena_audit_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaAuditCommand>();
  CLI::App* command = arena_command.add_subcommand(
      "audit", "Voters' habits: sides, speed, agreement; the board without who broke a rule");
  add_arena_file(*command, options->file);
  add_rating_flags(*command, options->board);
  command
      ->add_option("--least-votes", options->rules.least_votes,
                   "Voters with fewer are never left out")
      ->capture_default_str();
  command
      ->add_option("--most-first", options->rules.most_first,
                   "Rule: the largest share of choices for one and the same side")
      ->check(number_from(0.5, 1))
      ->capture_default_str();
  command
      ->add_option("--least-agreement", options->rules.least_agreement,
                   "Rule: the least share of choices as most others chose")
      ->check(number_from(0, 1))
      ->capture_default_str();
  command
      ->add_option("--least-seconds", options->rules.least_seconds,
                   "Rule: the least median time of a vote")
      ->check(number_from(0, 3'600))
      ->capture_default_str();
  command->add_option("--rows", options->rows, "Voters to show")->capture_default_str();
  command->add_option("--format", options->format, "To standard output: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_flag("--remove", options->remove,
                    "Give the votes of who broke a rule a tombstone, with the rules as its reason");
  command->footer("Examples:\n  selene arena audit a.db\n  selene arena audit a.db --remove");
  command->callback([options, &exit_code] { exit_code = audit(*options); });
}

}  // namespace selene::cli
