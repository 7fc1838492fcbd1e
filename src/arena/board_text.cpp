// A board as text: a table for a terminal, Markdown and JSON.
#include <algorithm>

#include <fmt/format.h>

#include "arena/board.h"
#include "core/text.h"
#include "report/markdown.h"

namespace selene::arena {
namespace {

using Json = nlohmann::ordered_json;
using report::Align;
using report::Cell;
using report::Style;

std::string title_of(const BoardReport& board) {
  const BoardOptions& options = board.options;
  return fmt::format(
      "{}{}: {} votes, {}, {}", options.board == Board::Panel ? "Panel" : "Board",
      options.category.empty() ? "" : " of " + options.category, board.votes, options.rating,
      options.anchor.empty() ? fmt::format("mean {:g}", options.anchor_rating)
                             : fmt::format("{} at {:g}", options.anchor, options.anchor_rating));
}

bool has_truth(const BoardReport& board) {
  return std::any_of(board.truth.begin(), board.truth.end(),
                     [](const auto& value) { return value.has_value(); });
}

// Of a simulated arena: how many intervals hold what is true.
std::string truth_text(const BoardReport& board) {
  std::size_t known = 0;
  std::size_t inside = 0;
  for (std::size_t i = 0; i < board.judges.size(); ++i) {
    const auto& interval = board.ratings.judges[i].interval;
    if (!interval || !board.truth[i]) continue;
    ++known;
    inside += interval->low <= *board.truth[i] && *board.truth[i] <= interval->high;
  }
  return fmt::format("{} of {} true ratings are inside their intervals.", inside, known);
}

std::vector<std::string> cells_of(const BoardReport& board, std::size_t i) {
  const JudgeRating& judge = board.ratings.judges[i];
  return {rank_text(judge),
          judge.rating ? fmt::format("{:.0f}", *judge.rating) : "-",
          judge.interval
              ? fmt::format("{:.0f} to {:.0f}", judge.interval->low, judge.interval->high)
              : "-",
          fmt::format("{}", judge.votes),
          fmt::format("{:g}/{:g}/{:g}", judge.wins, judge.ties, judge.losses),
          board.truth[i] ? fmt::format("{:.0f}", *board.truth[i]) : ""};
}

std::vector<std::string> notes_of(const BoardReport& board) {
  std::vector<std::string> notes = board.notes;
  if (has_truth(board)) notes.push_back(truth_text(board));
  return notes;
}

constexpr const char* kTitles[] = {"rank", "rating", "95%", "votes", "won/tied/lost", "true"};
constexpr const char* kLegend =
    "rank: the places a judge may have, all of them right at once in 95 of 100 boards.";

}  // namespace

std::string board_text(const BoardReport& board, report::Terminal terminal) {
  const bool truth = has_truth(board);
  std::vector<report::Column> columns{
      {.title = "rank", .width = 7, .align = Align::Right},
      {.title = "judge", .width = 12, .flexible = true},
      {.title = "rating", .width = 6, .align = Align::Right},
      {.title = "95%", .width = 14, .align = Align::Right},
      {.title = "votes", .width = 7, .align = Align::Right},
      {.title = "won/tied/lost", .width = 17, .align = Align::Right}};
  if (truth) columns.push_back({.title = "true", .width = 5, .align = Align::Right});
  columns.push_back({.title = "", .width = 20});
  const report::Table table(columns, terminal);
  std::string text = title_of(board) + "\n\n" + table.header();
  for (std::size_t i = 0; i < board.judges.size(); ++i) {
    const JudgeRating& judge = board.ratings.judges[i];
    const std::vector<std::string> cells = cells_of(board, i);
    std::vector<Cell> row{{cells[0]}, {board.judges[i], judge.rating ? Style::Bold : Style::Dim},
                          {cells[1]}, {cells[2]},
                          {cells[3]}, {cells[4]}};
    if (truth) row.push_back({cells[5]});
    row.push_back({standing_text(judge, board.ratings.groups), Style::Dim});
    text += table.row(row);
  }
  text += "\n";
  for (const std::string& note : notes_of(board)) text += note + "\n";
  return text + kLegend + "\n";
}

std::string board_markdown(const BoardReport& board) {
  std::string text = fmt::format("## {}\n\n", report::markdown_text(title_of(board), 200));
  const bool truth = has_truth(board);
  std::vector<std::string> titles{"judge", ""};
  titles.insert(titles.end(), std::begin(kTitles), std::end(kTitles) - (truth ? 0 : 1));
  text += report::markdown_head(titles, truth ? 6 : 5);
  for (std::size_t i = 0; i < board.judges.size(); ++i) {
    std::vector<std::string> cells{report::markdown_text(board.judges[i], 60),
                                   standing_text(board.ratings.judges[i], board.ratings.groups)};
    for (std::string& cell : cells_of(board, i)) cells.push_back(std::move(cell));
    if (!truth) cells.pop_back();
    text += report::markdown_row(cells);
  }
  text += "\n";
  for (const std::string& note : notes_of(board))
    text += "- " + report::markdown_text(note, 300) + "\n";
  text += "\nHow often the row beat the column (ties half), with the votes:\n\n";
  std::vector<std::string> heads{""};
  for (std::size_t i = 0; i < board.judges.size(); ++i) heads.push_back(fmt::format("{}", i + 1));
  text += report::markdown_head(heads, board.judges.size());
  const std::size_t n = board.judges.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::string> cells{
        fmt::format("{}. {}", i + 1, report::markdown_text(board.judges[i], 40))};
    for (std::size_t j = 0; j < n; ++j) {
      const WinRate& rate = board.rates[i * n + j];
      cells.push_back(rate.votes > 0
                          ? fmt::format("{:.0f}% ({:g})", 100 * rate.score / rate.votes, rate.votes)
                          : "");
    }
    text += report::markdown_row(cells);
  }
  return text;
}

Json to_json(const BoardReport& board) {
  const BoardOptions& options = board.options;
  Json json = {{"board", options.board == Board::Panel ? "panel" : "people"},
               {"rating", options.rating},
               {"interval", options.interval},
               {"anchor", options.anchor.empty() ? Json(nullptr) : Json(options.anchor)},
               {"anchor_rating", options.anchor_rating},
               {"category", options.category.empty() ? Json(nullptr) : Json(options.category)},
               {"votes", board.votes},
               {"removed", board.removed},
               {"excluded", board.excluded},
               {"groups", board.ratings.groups}};
  if (board.ratings.nu) json["nu"] = *board.ratings.nu;
  json["judges"] = Json::array();
  const std::size_t n = board.judges.size();
  for (std::size_t i = 0; i < n; ++i) {
    const JudgeRating& judge = board.ratings.judges[i];
    Json row = {{"judge", board.judges[i]},
                {"rating", judge.rating ? Json(*judge.rating) : Json(nullptr)}};
    if (judge.interval) row["interval"] = {judge.interval->low, judge.interval->high};
    if (judge.ranks) row["ranks"] = {judge.ranks->low, judge.ranks->high};
    row["votes"] = judge.votes;
    row["won"] = judge.wins;
    row["tied"] = judge.ties;
    row["lost"] = judge.losses;
    row["preliminary"] = judge.preliminary();
    const std::string standing = standing_text(judge, board.ratings.groups);
    if (!standing.empty()) row["standing"] = standing;
    if (board.truth[i]) row["true"] = *board.truth[i];
    json["judges"].push_back(std::move(row));
  }
  json["win_rates"] = Json::array();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const WinRate& rate = board.rates[i * n + j];
      if (rate.votes == 0) continue;
      json["win_rates"].push_back({{"judge", board.judges[i]},
                                   {"against", board.judges[j]},
                                   {"votes", rate.votes},
                                   {"share", rate.score / rate.votes}});
    }
  }
  json["notes"] = notes_of(board);
  return json;
}

}  // namespace selene::arena
