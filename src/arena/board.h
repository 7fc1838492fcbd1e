// A board: the judges of an arena with their ratings, what must be said of them, and how often each
// beat each.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "arena/ratings.h"
#include "arena/store.h"
#include "report/table.h"

namespace selene::arena {

struct BoardOptions {
  Board board = Board::People;
  std::string rating = "bradley-terry";
  std::string interval = "sandwich";
  std::string anchor{};  // A judge's name; empty: the mean is fixed.
  double anchor_rating = 1200;
  std::string category{};           // Its votes alone; empty: all.
  std::set<std::string> without{};  // Voters whose votes do not count.
  Resamples resamples{};
};

// Of a judge's votes against another.
struct WinRate {
  double votes = 0;
  double score = 0;  // Wins and half the ties.
};

struct BoardReport {
  BoardOptions options;
  std::vector<std::string> judges;  // From the best; those without a rating last.
  Ratings ratings;                  // In the same order.
  std::vector<WinRate> rates;       // (judges, judges)
  std::size_t votes = 0;
  std::size_t removed = 0;                   // By a tombstone.
  std::size_t excluded = 0;                  // Of voters that were left out.
  std::vector<std::string> notes;            // What has to be said.
  std::vector<std::optional<double>> truth;  // Of a simulated arena: the ratings that are true.
};

// Throws Error for an unknown rating, interval, anchor or category.
BoardReport make_board(const BoardVotes& votes, const BoardOptions& options);
// The same of a store, with the true ratings where it is simulated.
BoardReport make_board(Store& store, const BoardOptions& options);

// Where the true ratings of a simulated arena stand in its notes: name → points.
inline constexpr const char* kTruthNote = "truth";

std::string board_text(const BoardReport& board, report::Terminal terminal);
std::string board_markdown(const BoardReport& board);
nlohmann::ordered_json to_json(const BoardReport& board);
// Each judge's rating with its interval; the true one where it is known.
std::string forest_svg(const BoardReport& board);
// How often the row's judge beat the column's.
std::string matrix_svg(const BoardReport& board);

// "3", "2-4", "-".
std::string rank_text(const JudgeRating& judge);
// "preliminary", "never lost", ...; empty: nothing.
std::string standing_text(const JudgeRating& judge, std::size_t groups);

}  // namespace selene::arena
