// `selene arena board`: the judges of an arena with their ratings.
#include <unistd.h>

#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "arena/board.h"
#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/file.h"
#include "report/picture.h"

namespace selene::cli {
namespace {

struct ArenaBoardCommand {
  std::string file;
  std::string format = "table";
  std::string markdown;
  std::string json;
  std::string plot;
  std::string matrix;
  bool panel = false;
  arena::BoardOptions board;
};

int show(const ArenaBoardCommand& options) {
  arena::Store store(options.file);
  arena::BoardOptions wanted = options.board;
  wanted.board = options.panel ? arena::Board::Panel : arena::Board::People;
  const arena::BoardReport board = arena::make_board(store, wanted);
  const std::string json = arena::to_json(board).dump(1) + "\n";
  const auto write = [](const std::string& file, const std::string& text) {
    if (!file.empty()) write_file_atomically(output_target(file, true), text);
  };
  write(options.json, json);
  write(options.markdown, arena::board_markdown(board));
  const auto draw = [](const std::string& file, const std::string& svg) {
    if (!file.empty()) report::write_picture(output_target(file, true), svg);
  };
  draw(options.plot, arena::forest_svg(board));
  draw(options.matrix, arena::matrix_svg(board));
  put(options.format == "json"       ? json
      : options.format == "markdown" ? arena::board_markdown(board)
                                     : arena::board_text(board, report::terminal(STDOUT_FILENO)));
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene arena board a.db
  selene arena board a.db --anchor selene-1-mini --plot board.png --matrix wins.png
  selene arena board a.db --rating elo --interval judge-arena)";

}  // namespace

void add_arena_board_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaBoardCommand>();
  CLI::App* command = arena_command.add_subcommand(
      "board", "Ratings with intervals and the places a judge may have");
  add_arena_file(*command, options->file);
  add_rating_flags(*command, options->board);
  command
      ->add_option("--anchor", options->board.anchor,
                   "The judge whose rating is fixed, so that boards compare [the mean of all is]")
      ->check(not_empty());
  command
      ->add_option("--anchor-rating", options->board.anchor_rating,
                   "The rating of the anchor or of the mean")
      ->check(number_from(-100'000, 100'000))
      ->capture_default_str();
  command
      ->add_option("--category", options->board.category, "Votes on samples of this category alone")
      ->check(not_empty());
  command->add_flag("--panel", options->panel, "The board of `selene arena panel`");
  command->add_option("--format", options->format, "To standard output: table, markdown or json")
      ->check(CLI::IsMember({"table", "markdown", "json"}))
      ->capture_default_str();
  command->add_option("--markdown", options->markdown, "Markdown file")->check(not_empty());
  command->add_option("--json", options->json, "JSON file: every figure")->check(not_empty());
  command
      ->add_option("--plot", options->plot,
                   ".svg or .png file: ratings and intervals as a forest plot")
      ->check(not_empty());
  command->add_option("--matrix", options->matrix, ".svg or .png file: who beat whom how often")
      ->check(not_empty());
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace selene::cli
