#include "arena/board.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::arena {
namespace {

// One voter with more than this share of the votes is told of.
constexpr double kMuch = 0.25;

std::size_t index_of(const std::vector<std::string>& names, const std::string& name,
                     const char* what) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) throw Error(fmt::format("the arena has no {} '{}'", what, name));
  return static_cast<std::size_t>(at - names.begin());
}

// The votes that the options leave.
Ballots chosen_votes(const BoardVotes& votes, const BoardOptions& options, std::size_t& excluded) {
  const Ballots& all = votes.ballots;
  std::optional<std::size_t> category;
  if (!options.category.empty())
    category = index_of(votes.categories, options.category, "votes of the category");
  Ballots chosen{.judges = all.judges, .a = {}, .b = {}, .outcome = {}};
  for (std::size_t v = 0; v < all.size(); ++v) {
    if (category && votes.category[v] != *category) continue;
    if (!all.voter.empty() && options.without.contains(votes.voters[all.voter[v]])) {
      ++excluded;
      continue;
    }
    chosen.a.push_back(all.a[v]);
    chosen.b.push_back(all.b[v]);
    chosen.outcome.push_back(all.outcome[v]);
    if (!all.voter.empty()) chosen.voter.push_back(all.voter[v]);
  }
  return chosen;
}

std::string plural(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::vector<std::string> notes_of(const BoardReport& board, const BoardVotes& votes) {
  std::vector<std::string> notes;
  const Ratings& ratings = board.ratings;
  const bool elo = board.options.rating == "elo";
  if (board.votes == 0) notes.push_back("There are no votes.");
  if (board.judges.size() < 2) notes.push_back("A board needs two judges.");
  std::size_t preliminary = 0;
  std::size_t ends = 0;
  for (const JudgeRating& judge : ratings.judges) {
    preliminary += judge.votes > 0 && judge.preliminary();
    ends += judge.standing == Standing::Above || judge.standing == Standing::Below;
  }
  if (preliminary > 0)
    notes.push_back(fmt::format("{} with fewer than {} votes: preliminary.",
                                plural(preliminary, "judge"), kFirmVotes));
  if (ends > 0 && !elo)
    notes.push_back(
        fmt::format("{} never lost to, or never won against, those who are rated: "
                    "such a rating has no end, and none is given.",
                    plural(ends, "judge")));
  if (ratings.groups > 1 && !elo)
    notes.push_back(
        fmt::format("The votes make {} groups without a way of wins and losses between "
                    "them: ratings of different groups do not compare.",
                    ratings.groups));
  if (ratings.self_votes > 0)
    notes.push_back(fmt::format("{} between a judge and itself: left out.",
                                plural(ratings.self_votes, "vote")));
  if (ratings.undefined > 0)
    notes.push_back(fmt::format("{} had a judge that won or lost everything, and are left out.",
                                plural(ratings.undefined, "resample")));
  if (board.removed > 0)
    notes.push_back(
        fmt::format("{} with a tombstone: not counted.", plural(board.removed, "vote")));
  if (board.excluded > 0)
    notes.push_back(fmt::format("{} of {} are left out.", plural(board.excluded, "vote"),
                                plural(board.options.without.size(), "voter")));
  if (ratings.largest_voter && ratings.largest_share > kMuch &&
      !votes.voters[*ratings.largest_voter].empty())
    notes.push_back(fmt::format(
        "One voter ({}) cast {:.0f}% of the votes: the interval sandwich-by-voter is the one that "
        "knows.",
        votes.voters[*ratings.largest_voter].substr(0, 8), 100 * ratings.largest_share));
  if (elo)
    notes.push_back("Elo depends on the order of the votes, which says nothing of the judges.");
  if (board.options.interval == "judge-arena")
    notes.push_back(
        "What stands as 95% is Judge Arena's 1.96 * 400 / sqrt(votes + 1), which looks "
        "at the number of votes alone: it is not an interval.");
  return notes;
}

void add_rates(BoardReport& board, const PairCounts& counts,
               const std::vector<std::size_t>& place) {
  const std::size_t n = board.judges.size();
  board.rates.assign(n * n, {});
  for (const PairCount& pair : counts.pairs) {
    const std::size_t i = place[pair.first];
    const std::size_t j = place[pair.second];
    board.rates[i * n + j] = {pair.total(), pair.first_wins + pair.ties / 2};
    board.rates[j * n + i] = {pair.total(), pair.second_wins + pair.ties / 2};
  }
}

// From the best: the groups in their order, then who has no rating.
std::vector<std::size_t> order_of(const Ratings& ratings) {
  std::vector<std::size_t> order(ratings.judges.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) {
    const JudgeRating& judge = ratings.judges[i];
    const std::size_t last = ratings.groups + 1;
    return std::pair{judge.rating ? judge.group : last, judge.rating ? -*judge.rating : 0.0};
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return key(x) < key(y); });
  return order;
}

}  // namespace

BoardReport make_board(const BoardVotes& votes, const BoardOptions& options) {
  const RatingKind& kind = rating_kind(options.rating);
  interval_kind(options.interval);
  BoardReport board;
  board.options = options;
  const Ballots ballots = chosen_votes(votes, options, board.excluded);
  RatingOptions rating{.interval = options.interval,
                       .anchor_rating = options.anchor_rating,
                       .resamples = options.resamples};
  if (!options.anchor.empty()) {
    rating.anchor = index_of(votes.judges, options.anchor, "judge");
  }
  const Ratings rated = kind.rate(ballots, rating);
  if (rating.anchor && rated.judges[*rating.anchor].standing != Standing::Rated &&
      options.rating != "elo" && rated.groups > 0)
    throw Error(fmt::format("the judge '{}' has no rating to be fixed at", options.anchor), "",
                "take another --anchor");
  const std::vector<std::size_t> order = order_of(rated);
  std::vector<std::size_t> place(order.size());
  board.ratings = rated;
  board.ratings.judges.clear();
  for (const std::size_t i : order) {
    place[i] = board.judges.size();
    board.judges.push_back(votes.judges[i]);
    board.ratings.judges.push_back(rated.judges[i]);
  }
  board.votes = ballots.size();
  board.removed = votes.removed;
  board.truth.resize(board.judges.size());
  add_rates(board, count_pairs(ballots), place);
  board.notes = notes_of(board, votes);
  return board;
}

BoardReport make_board(Store& store, const BoardOptions& options) {
  BoardReport board = make_board(store.board(options.board), options);
  const std::string truth = store.note(kTruthNote);
  if (truth.empty()) return board;
  const auto known = nlohmann::json::parse(truth);
  const double zero = options.anchor.empty() ? 0 : known.value(options.anchor, 0.0);
  for (std::size_t i = 0; i < board.judges.size(); ++i) {
    const auto at = known.find(board.judges[i]);
    if (at != known.end()) board.truth[i] = options.anchor_rating + at->get<double>() - zero;
  }
  return board;
}

std::string rank_text(const JudgeRating& judge) {
  if (!judge.ranks) return "-";
  return judge.ranks->low == judge.ranks->high
             ? fmt::format("{}", judge.ranks->low)
             : fmt::format("{}-{}", judge.ranks->low, judge.ranks->high);
}

std::string standing_text(const JudgeRating& judge, std::size_t groups) {
  switch (judge.standing) {
    case Standing::NoVotes:
      return "no votes";
    case Standing::Above:
      return "never lost";
    case Standing::Below:
      return "never won";
    case Standing::Apart:
      return "cannot be placed";
    case Standing::Rated:
      break;
  }
  std::string text = judge.preliminary() ? "preliminary" : "";
  if (groups > 1) text += fmt::format("{}group {}", text.empty() ? "" : ", ", judge.group + 1);
  return text;
}

}  // namespace selene::arena
