// `selene arena panel`: judges rate judges, without people.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "arena/board.h"
#include "arena/panel.h"
#include "cli/arena.h"
#include "cli/arena_pool.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "report/table.h"

namespace selene::cli {
namespace {

struct ArenaPanelCommand {
  std::string file;
  std::vector<std::string> judges;
  bool with_self = false;
  bool quiet = false;
  JudgeFlags flags;
  arena::BoardOptions board;
};

constexpr std::size_t kWindow = 64;  // Asked and stored at once.

// What one member says; false when interrupted.
bool ask(arena::Store& store, const judge::JudgeSpec& spec, const ArenaPanelCommand& options) {
  judge::Judge judge = open_single(spec, options.flags);
  const std::string name = spec.name.empty() ? judge.name() : spec.name;
  const auto questions =
      arena::panel_questions(store, name, judge::describe(judge).dump(), options.with_self);
  std::size_t voted = 0;
  std::size_t first_side = 0;
  std::size_t overlong = 0;
  Progress progress({.label = name, .total = questions.size(), .silent = options.quiet});
  for (std::size_t first = 0; first < questions.size() && !interrupted(); first += kWindow) {
    std::vector<data::Sample> samples;
    for (std::size_t i = first; i < std::min(first + kWindow, questions.size()); ++i)
      samples.push_back(questions[i].sample);
    std::vector<arena::Vote> votes;
    judge.judge(samples, {.judgment =
                              [&](std::size_t i, data::Judgment answer) {
                                progress.add(1);
                                auto vote =
                                    arena::panel_vote(store, questions[first + i], name, answer);
                                if (vote) votes.push_back(std::move(*vote));
                              },
                          .overlong =
                              [&](std::size_t, judge::Fit) {
                                progress.add(1);
                                ++overlong;
                              },
                          .stop = [] { return interrupted(); }});
    store.add_votes(votes);
    voted += votes.size();
    for (const arena::Vote& vote : votes) first_side += vote.outcome == arena::Outcome::A;
  }
  progress.finish();
  if (interrupted()) return false;
  put(fmt::format(
      "{}: {} votes, {:.0f}% of them for the judgment shown first{}{}\n", name, voted,
      voted > 0 ? 100.0 * static_cast<double>(first_side) / static_cast<double>(voted) : 0.0,
      questions.size() > voted + overlong
          ? fmt::format(", {} unreadable", questions.size() - voted - overlong)
          : "",
      overlong > 0 ? fmt::format(", {} too long and left out", overlong) : ""));
  flush_output();
  return true;
}

int run_panel(const ArenaPanelCommand& options) {
  arena::Store store(options.file);
  for (const judge::JudgeSpec& spec : single_judges(options.judges)) {
    if (!ask(store, spec, options)) {
      std::fputs("interrupted: what was said is kept; the same command goes on\n", stderr);
      return kExitInterrupted;
    }
  }
  arena::BoardOptions board = options.board;
  board.board = arena::Board::Panel;
  put("\n" + arena::board_text(arena::make_board(store, board), report::terminal(STDOUT_FILENO)));
  return kExitOk;
}

}  // namespace

void add_arena_panel_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaPanelCommand>();
  CLI::App* command = arena_command.add_subcommand(
      "panel", "Judges rate the judges of an arena: all pairs, both orders, a board of its own");
  add_arena_file(*command, options->file);
  command
      ->add_option("--judges", options->judges,
                   "A judge file, whose members are the panel, or a model or server; several times")
      ->required()
      ->allow_extra_args(false)
      ->check(not_empty());
  command->add_flag("--with-self", options->with_self,
                    "Also pairs in which one judgment is the member's own");
  command->add_flag("--quiet", options->quiet, "No progress");
  add_rating_flags(*command, options->board);
  add_judging_flags(*command, options->flags);
  command->footer("Examples:\n  selene arena panel a.db --judges judges.yaml --mode verdict");
  command->callback([options, &exit_code] { exit_code = run_panel(*options); });
}

}  // namespace selene::cli
