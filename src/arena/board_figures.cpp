// A board as figures: a forest plot, and the matrix of who beat whom.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "arena/board.h"
#include "core/text.h"
#include "report/svg_canvas.h"

namespace selene::arena {
namespace {

using report::kBoldColumn;
using report::kColumn;
using report::kGrey;
using report::kInk;
using report::kRule;
using report::kSeries;
using report::kSoft;

// In pixels.
constexpr double kWidth = 900;
constexpr double kMargin = 24;
constexpr double kStep = 24;
constexpr std::size_t kNameColumns = 40;

std::string name_of(const BoardReport& board, std::size_t i) {
  return cut_to_columns(board.judges[i], kNameColumns);
}

double widest_name(const BoardReport& board) {
  std::size_t columns = 5;
  for (std::size_t i = 0; i < board.judges.size(); ++i)
    columns = std::max(columns, display_columns(name_of(board, i)));
  return static_cast<double>(columns) * kBoldColumn + 10;
}

// What the axis has to show.
std::pair<double, double> range_of(const BoardReport& board) {
  double low = 1e300;
  double high = -1e300;
  const auto take = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (std::size_t i = 0; i < board.judges.size(); ++i) {
    const JudgeRating& judge = board.ratings.judges[i];
    if (!judge.rating) continue;
    take(*judge.rating);
    if (judge.interval) take(judge.interval->low);
    if (judge.interval) take(judge.interval->high);
    if (board.truth[i]) take(*board.truth[i]);
  }
  if (low > high) return {board.options.anchor_rating - 50, board.options.anchor_rating + 50};
  const double room = std::max(10.0, (high - low) * 0.04);
  return {low - room, high + room};
}

double tick_of(double range) {
  const double power = std::pow(10, std::floor(std::log10(range)));
  for (const double step : {power * 2, power, power / 2, power / 5})
    if (range / step >= 4) return step;
  return power / 10;
}

bool has_truth(const BoardReport& board) {
  return std::any_of(board.truth.begin(), board.truth.end(),
                     [](const auto& value) { return value.has_value(); });
}

// From pale to the first colour of the series, by the share.
const char* shade(double share) {
  static constexpr const char* kShades[] = {"#fcfbf9", "#e3eaf1", "#c5d5e4", "#a2bbd3",
                                            "#7b9dbf", "#5480ac", "#24598a"};
  const auto last = std::size(kShades) - 1;
  return kShades[std::min<std::size_t>(
      last, static_cast<std::size_t>(std::lround(share * static_cast<double>(last))))];
}

}  // namespace

std::string forest_svg(const BoardReport& board) {
  report::SvgCanvas canvas;
  const std::string title =
      fmt::format("Ratings by {}, {} votes", board.options.rating, board.votes);
  canvas.text(kMargin, kMargin + 14, title, {.size = 18, .bold = true});
  const bool no_interval = board.options.interval == "judge-arena";
  canvas.text(kMargin, kMargin + 34,
              fmt::format("{}{}",
                          no_interval ? "Whiskers are Judge Arena's, which are not intervals."
                                      : fmt::format("95% intervals by {}.", board.options.interval),
                          has_truth(board) ? " Orange: the true rating." : ""),
              {.color = kSoft});
  const auto [low, high] = range_of(board);
  const double left = kMargin + widest_name(board);
  const double right = kWidth - kMargin - 20 * kColumn;
  const double top = kMargin + 52;
  const double bottom = top + kStep * static_cast<double>(board.judges.size());
  const auto place = [&, low = low, high = high](double value) {
    return left + (value - low) / (high - low) * (right - left);
  };
  const double tick = tick_of(high - low);
  for (double value = std::ceil(low / tick) * tick; value <= high; value += tick) {
    canvas.line(place(value), top, place(value), bottom + 3, kRule, 1);
    canvas.text(place(value), bottom + 16, fmt::format("{:g}", value),
                {.color = kSoft, .size = 10, .anchor = "middle"});
  }
  for (std::size_t i = 0; i < board.judges.size(); ++i) {
    const JudgeRating& judge = board.ratings.judges[i];
    const double y = top + kStep * (static_cast<double>(i) + 0.5);
    canvas.text(left - 8, y + 4, name_of(board, i), {.bold = true, .anchor = "end"});
    const std::string standing = standing_text(judge, board.ratings.groups);
    canvas.text(right + 10, y + 4,
                judge.rating ? fmt::format("{:.0f}  rank {}{}", *judge.rating, rank_text(judge),
                                           judge.preliminary() ? " *" : "")
                             : standing,
                {.color = kSoft});
    if (!judge.rating) continue;
    const char* color = judge.preliminary() ? kGrey : kSeries[0];
    if (judge.interval) {
      const double from = place(judge.interval->low);
      const double to = place(judge.interval->high);
      canvas.line(from, y, to, y, color, 2);
      canvas.line(from, y - 4, from, y + 4, color, 2);
      canvas.line(to, y - 4, to, y + 4, color, 2);
    }
    canvas.rect(place(*judge.rating) - 4, y - 4, 8, 8, color);
    if (board.truth[i])
      canvas.line(place(*board.truth[i]), y - 8, place(*board.truth[i]), y + 8, kSeries[1], 2);
  }
  double y = bottom + 36;
  const bool any =
      std::any_of(board.ratings.judges.begin(), board.ratings.judges.end(),
                  [](const JudgeRating& judge) { return judge.rating && judge.preliminary(); });
  if (any)
    canvas.text(kMargin, y,
                fmt::format("* and grey: fewer than {} votes, preliminary.", kFirmVotes),
                {.color = kSoft, .size = 11});
  if (any) y += 18;
  return canvas.page(title, kWidth, y);
}

std::string matrix_svg(const BoardReport& board) {
  report::SvgCanvas canvas;
  constexpr double kCell = 44;
  const std::size_t n = board.judges.size();
  const std::string title = "How often the row beat the column, ties half";
  canvas.text(kMargin, kMargin + 14, title, {.size = 18, .bold = true});
  const double left = kMargin + widest_name(board) + 24;
  const double top = kMargin + 52;
  for (std::size_t i = 0; i < n; ++i) {
    const double y = top + kCell * static_cast<double>(i);
    canvas.text(left - 8, y + kCell / 2 + 4, fmt::format("{}  {}", name_of(board, i), i + 1),
                {.bold = true, .anchor = "end"});
    canvas.text(left + kCell * (static_cast<double>(i) + 0.5), top - 8, fmt::format("{}", i + 1),
                {.bold = true, .anchor = "middle"});
    for (std::size_t j = 0; j < n; ++j) {
      const WinRate& rate = board.rates[i * n + j];
      const double x = left + kCell * static_cast<double>(j);
      if (rate.votes == 0) {
        canvas.rect(x, y, kCell - 2, kCell - 2, kRule);
        continue;
      }
      const double share = rate.score / rate.votes;
      canvas.rect(x, y, kCell - 2, kCell - 2, shade(share));
      canvas.text(x + kCell / 2 - 1, y + kCell / 2 - 1, fmt::format("{:.0f}%", 100 * share),
                  {.color = share > 0.6 ? report::kPaper : kInk, .anchor = "middle"});
      canvas.text(x + kCell / 2 - 1, y + kCell / 2 + 13, fmt::format("{:g}", rate.votes),
                  {.color = share > 0.6 ? report::kPaper : kSoft, .size = 10, .anchor = "middle"});
    }
  }
  const double bottom = top + kCell * static_cast<double>(n);
  canvas.text(kMargin, bottom + 18, "Small figures: votes.", {.color = kSoft, .size = 11});
  return canvas.page(title, std::max(left + kCell * static_cast<double>(n) + kMargin, 480.0),
                     bottom + 36);
}

}  // namespace selene::arena
