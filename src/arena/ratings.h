// The ratings that a board can have, each a row of a table, and the same for their intervals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arena/ballots.h"
#include "arena/intervals.h"

namespace selene::arena {

// Points of a board: 400 for odds of ten to one, as chess has it.
inline constexpr double kScale = 400;
// Below it a judge's rating is preliminary, as on Judge Arena.
inline constexpr std::size_t kFirmVotes = 300;

struct RatingOptions {
  std::string interval = "sandwich";
  // The judge whose rating is fixed, so that boards compare; else the mean of the judges is.
  std::optional<std::size_t> anchor{};
  double anchor_rating = 1200;
  Resamples resamples{};  // Of the bootstrap; the seed also of the rank sets.
};

struct JudgeRating {
  Standing standing = Standing::NoVotes;
  std::size_t group = 0;  // Ratings of different groups do not compare.
  std::size_t votes = 0;  // None of those between a judge and itself.
  double wins = 0, ties = 0, losses = 0;
  std::optional<double> rating{};  // In points. Nothing where it would have no end.
  std::optional<stats::Interval> interval{};
  std::optional<RankSet> ranks{};  // Within its group.
  bool preliminary() const { return votes < kFirmVotes; }
};

struct Ratings {
  std::vector<JudgeRating> judges;
  std::size_t groups = 0;
  std::optional<double> nu{};  // Of Davidson's ties, in the first group.
  std::size_t undefined = 0;   // Resamples without a fit, the most of any group.
  std::size_t self_votes = 0;  // Left out.
  // The voter with the most votes, and its share of them; where voters are known.
  std::optional<std::uint32_t> largest_voter{};
  double largest_share = 0;
};

struct RatingKind {
  std::string_view name;
  std::string_view about;
  std::string_view source;
  Ratings (*rate)(const Ballots& ballots, const RatingOptions& options);
};
struct IntervalKind {
  std::string_view name;
  std::string_view about;
  std::string_view source;
};

// elo, bradley-terry, davidson.
std::span<const RatingKind> rating_kinds();
// sandwich, sandwich-by-voter, bootstrap, judge-arena. Elo's, which depend on the order of the
// votes, have judge-arena alone.
std::span<const IntervalKind> interval_kinds();

// Throw Error naming the known ones.
const RatingKind& rating_kind(std::string_view name);
const IntervalKind& interval_kind(std::string_view name);

}  // namespace selene::arena
