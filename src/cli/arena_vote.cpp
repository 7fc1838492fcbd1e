// `selene arena vote`: blind pairs in the terminal.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "arena/voting.h"
#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/interrupt.h"
#include "core/text.h"
#include "report/table.h"

namespace selene::cli {
namespace {

using report::Style;

struct ArenaVoteCommand {
  std::string file;
  std::string voter;
  std::size_t count = 0;
};

constexpr const char* kHelp =
    "Type a or b for the better one, t for a tie, n for neither; q stops.\n";
constexpr std::size_t kLeastColumns = 24;  // Of a judgment; with less they stand below each other.

std::optional<arena::Outcome> outcome_of(std::string_view typed) {
  if (typed == "a" || typed == "A") return arena::Outcome::A;
  if (typed == "b" || typed == "B") return arena::Outcome::B;
  if (typed == "t" || typed == "T") return arena::Outcome::Tie;
  if (typed == "n" || typed == "N") return arena::Outcome::BothBad;
  return std::nullopt;
}

std::string padded(const std::string& text, std::size_t columns) {
  const std::size_t width = display_columns(text);
  return text + std::string(columns > width ? columns - width : 0, ' ');
}

std::vector<std::string> lines_of(const arena::StoredJudgment& judgment, std::size_t columns) {
  std::vector<std::string> lines = wrap_to_columns(judgment.label, columns);
  lines.emplace_back();
  for (std::string& line : wrap_to_columns(judgment.critique, columns))
    lines.push_back(std::move(line));
  return lines;
}

void show_sample(const arena::StoredSample& stored, const report::Terminal& terminal) {
  const auto sample = nlohmann::ordered_json::parse(stored.json);
  for (const char* field :
       {"criteria", "input", "context", "reference", "response", "response_a", "response_b"}) {
    const auto at = sample.find(field);
    if (at == sample.end() || !at->is_string()) continue;
    put(fmt::format("{}\n", report::styled(field, Style::Bold, terminal.color)));
    for (const std::string& line : wrap_to_columns(at->get<std::string>(), terminal.columns))
      put(line + "\n");
    put("\n");
  }
}

void show_pair(const arena::Shown& shown, const report::Terminal& terminal) {
  const std::size_t half = (terminal.columns - 3) / 2;
  if (terminal.columns < 2 * kLeastColumns + 3) {
    for (const auto& [name, judgment] : {std::pair{"A", &shown.a}, std::pair{"B", &shown.b}}) {
      put(fmt::format("{}\n", report::styled(name, Style::Bold, terminal.color)));
      for (const std::string& line : lines_of(*judgment, terminal.columns)) put(line + "\n");
      put("\n");
    }
    return;
  }
  const std::vector<std::string> left = lines_of(shown.a, half);
  const std::vector<std::string> right = lines_of(shown.b, half);
  put(fmt::format("{} | {}\n", report::styled(padded("A", half), Style::Bold, terminal.color),
                  report::styled("B", Style::Bold, terminal.color)));
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i)
    put(fmt::format("{} | {}\n", padded(i < left.size() ? left[i] : "", half),
                    i < right.size() ? right[i] : ""));
  put("\n");
}

// Nothing where the voter stops.
std::optional<arena::Outcome> ask() {
  for (;;) {
    put("> ");
    flush_output();
    std::string line;
    if (!std::getline(std::cin, line) || interrupted()) return std::nullopt;
    const std::string_view typed = trim(line);
    if (typed == "q") return std::nullopt;
    if (const auto outcome = outcome_of(typed)) return outcome;
    put(kHelp);
  }
}

int vote(const ArenaVoteCommand& options) {
  arena::Store store(options.file);
  arena::Voting voting(store);
  const char* user = std::getenv("USER");
  const std::string voter = store.voter_hash(
      "terminal " +
      (options.voter.empty() ? std::string(user == nullptr ? "" : user) : options.voter));
  const std::string session = arena::random_hex(8);
  const report::Terminal terminal = report::terminal(STDOUT_FILENO);
  std::size_t cast = 0;
  put(kHelp);
  while (!interrupted() && (options.count == 0 || cast < options.count)) {
    const auto shown = voting.next(voter, session);
    if (!shown) {
      put("You have seen every pair.\n");
      break;
    }
    put("\n");
    show_sample(shown->sample, terminal);
    show_pair(*shown, terminal);
    const auto outcome = ask();
    if (!outcome) break;
    const arena::Told told = voting.vote(shown->token, voter, *outcome, "terminal");
    ++cast;
    put(fmt::format("A was {}, B was {}.\n", printable(told.judge_a), printable(told.judge_b)));
  }
  flush_output();
  std::fprintf(stderr, "\n%zu votes stored in %s\n", cast, options.file.c_str());
  return interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace

void add_arena_vote_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaVoteCommand>();
  CLI::App* command = arena_command.add_subcommand(
      "vote", "Vote in the terminal: two judgments, blind; the names after each vote");
  add_arena_file(*command, options->file);
  command->add_option("--voter", options->voter, "Your name, of which a hash is kept [USER]")
      ->check(not_empty());
  command->add_option("--count", options->count, "Stop after so many votes [until you stop]")
      ->check(CLI::Range(1, 1'000'000));
  command->footer(
      "Examples:\n  selene arena vote a.db\n  selene arena vote a.db --voter ada --count 20");
  command->callback([options, &exit_code] { exit_code = vote(*options); });
}

}  // namespace selene::cli
