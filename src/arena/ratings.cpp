#include "arena/ratings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include <fmt/format.h>

#include "arena/elo.h"
#include "arena/paired_fit.h"
#include "core/error.h"

namespace selene::arena {
namespace {

constexpr double kPoints = kScale / std::numbers::ln10;  // A strength of 1.

// What every rating says beside its numbers.
Ratings begin(const Ballots& ballots, const PairCounts& counts, const Groups& found) {
  Ratings result;
  result.judges.resize(ballots.judges);
  result.groups = found.members.size();
  result.self_votes = counts.self;
  for (std::size_t i = 0; i < ballots.judges; ++i) {
    result.judges[i].standing = found.standing[i];
    result.judges[i].group = found.group[i];
  }
  for (const PairCount& pair : counts.pairs) {
    JudgeRating& first = result.judges[pair.first];
    JudgeRating& second = result.judges[pair.second];
    for (JudgeRating* one : {&first, &second}) {
      one->votes += static_cast<std::size_t>(std::llround(pair.total()));
      one->ties += pair.ties;
    }
    first.wins += pair.first_wins;
    first.losses += pair.second_wins;
    second.wins += pair.second_wins;
    second.losses += pair.first_wins;
  }
  std::map<std::uint32_t, std::size_t> by_voter;
  for (const std::uint32_t voter : ballots.voter) ++by_voter[voter];
  const auto most = std::max_element(by_voter.begin(), by_voter.end(),
                                     [](auto& x, auto& y) { return x.second < y.second; });
  if (most != by_voter.end()) {
    result.largest_voter = most->first;
    result.largest_share = static_cast<double>(most->second) / static_cast<double>(ballots.size());
  }
  return result;
}

void add_judge_arena(Ratings& ratings) {
  for (JudgeRating& judge : ratings.judges) {
    if (!judge.rating) continue;
    const double margin = judge_arena_margin(static_cast<double>(judge.votes));
    judge.interval = stats::Interval{*judge.rating - margin, *judge.rating + margin};
  }
}

Ratings rate_elo(const Ballots& ballots, const RatingOptions& options) {
  if (options.interval != "judge-arena" && options.interval != "sandwich")
    throw Error(fmt::format("Elo's ratings depend on the order of the votes and have no interval "
                            "by '{}'",
                            options.interval),
                "", "rate by bradley-terry, or take judge-arena, which is no interval");
  const PairCounts counts = count_pairs(ballots);
  Ratings result = begin(ballots, counts, groups(counts));
  const std::vector<double> ratings = elo(ballots);
  const double shift = options.anchor ? options.anchor_rating - ratings[*options.anchor] : 0;
  for (std::size_t i = 0; i < ballots.judges; ++i) {
    if (result.judges[i].votes > 0) result.judges[i].rating = ratings[i] + shift;
    result.judges[i].group = 0;  // Elo has a number for all.
  }
  if (options.interval == "judge-arena") add_judge_arena(result);
  return result;
}

// The votes within one group, its judges numbered from 0.
struct Part {
  Ballots ballots;  // Only where voters are asked for.
  PairCounts counts;
};

Part part_of(const Ballots& ballots, const PairCounts& counts,
             const std::vector<std::uint32_t>& members, bool with_ballots) {
  constexpr std::uint32_t kOutside = 0xFFFFFFFF;
  std::vector<std::uint32_t> place(counts.judges, kOutside);
  for (std::uint32_t m = 0; m < members.size(); ++m) place[members[m]] = m;
  Part part;
  part.counts.judges = part.ballots.judges = members.size();
  for (PairCount pair : counts.pairs) {
    pair.first = place[pair.first];
    pair.second = place[pair.second];
    if (pair.first != kOutside && pair.second != kOutside) part.counts.pairs.push_back(pair);
  }
  if (!with_ballots) return part;
  for (std::size_t v = 0; v < ballots.size(); ++v) {
    const std::uint32_t a = place[ballots.a[v]];
    const std::uint32_t b = place[ballots.b[v]];
    if (a == kOutside || b == kOutside) continue;
    part.ballots.a.push_back(a);
    part.ballots.b.push_back(b);
    part.ballots.outcome.push_back(ballots.outcome[v]);
    part.ballots.voter.push_back(ballots.voter[v]);
  }
  return part;
}

void rate_group(PairedModel model, const Ballots& ballots, const PairCounts& counts,
                const std::vector<std::uint32_t>& members, const RatingOptions& options,
                Ratings& result) {
  const bool by_voter = options.interval == "sandwich-by-voter";
  const Part part = part_of(ballots, counts, members, by_voter);
  const Fit found = fit(model, part.counts);
  const std::vector<double> spread =
      by_voter ? covariance_by_voter(model, part.ballots, part.counts, found)
               : covariance(model, part.counts, found);
  std::size_t anchor = kMean;
  if (options.anchor) {
    const auto place = std::find(members.begin(), members.end(), *options.anchor);
    if (place != members.end()) anchor = static_cast<std::size_t>(place - members.begin());
  }
  const double zero = anchor == kMean ? 0 : found.strengths[anchor];
  std::vector<stats::Interval> intervals;
  if (options.interval == "bootstrap") {
    BootstrapIntervals drawn =
        bootstrap_intervals(model, part.counts, found, options.resamples, anchor);
    intervals = std::move(drawn.intervals);
    result.undefined = std::max(result.undefined, drawn.undefined);
  } else if (options.interval != "judge-arena") {
    intervals = normal_intervals(found.strengths, spread, anchor);
  }
  const std::vector<RankSet> ranks = rank_sets(found.strengths, spread, options.resamples.seed);
  for (std::size_t m = 0; m < members.size(); ++m) {
    JudgeRating& judge = result.judges[members[m]];
    judge.rating = options.anchor_rating + kPoints * (found.strengths[m] - zero);
    judge.ranks = ranks[m];
    if (!intervals.empty())
      judge.interval = stats::Interval{options.anchor_rating + kPoints * intervals[m].low,
                                       options.anchor_rating + kPoints * intervals[m].high};
  }
  if (found.log_nu && !result.nu) result.nu = std::exp(*found.log_nu);
}

Ratings rate_paired(PairedModel model, const Ballots& ballots, const RatingOptions& options) {
  interval_kind(options.interval);
  if (options.interval == "sandwich-by-voter" && ballots.voter.empty())
    throw Error("these votes do not say who cast them", "", "take the interval sandwich");
  const PairCounts counts = count_pairs(ballots);
  const Groups found = groups(counts);
  Ratings result = begin(ballots, counts, found);
  for (const auto& members : found.members)
    rate_group(model, ballots, counts, members, options, result);
  if (options.interval == "judge-arena") add_judge_arena(result);
  return result;
}

Ratings rate_bradley_terry(const Ballots& ballots, const RatingOptions& options) {
  return rate_paired(PairedModel::BradleyTerry, ballots, options);
}
Ratings rate_davidson(const Ballots& ballots, const RatingOptions& options) {
  return rate_paired(PairedModel::Davidson, ballots, options);
}

constexpr RatingKind kRatings[] = {
    {"elo", "One vote after another, start 1200, K 32, a tie half a win",
     "Judge Arena (AtlaAI/judge-arena); Elo, The Rating of Chessplayers (1978)", rate_elo},
    {"bradley-terry", "The strengths that make the votes most likely, a tie half a win",
     "Bradley and Terry, Biometrika 39 (1952)", rate_bradley_terry},
    {"davidson", "The same with ties as an outcome of their own", "Davidson, JASA 65 (1970)",
     rate_davidson},
};

constexpr IntervalKind kIntervals[] = {
    {"sandwich", "Normal, by the covariance that asks least of the model", "Huber (1967)"},
    {"sandwich-by-voter", "The same, the votes of one person together",
     "Liang and Zeger, Biometrika 73 (1986)"},
    {"bootstrap", "Quantiles of ratings of votes drawn anew", "Efron and Tibshirani (1993)"},
    {"judge-arena", "1.96 * 400 / sqrt(votes + 1): not an interval, for comparison",
     "Judge Arena (AtlaAI/judge-arena)"},
};

template <typename Kind, std::size_t N>
const Kind& find(const Kind (&kinds)[N], std::string_view what, std::string_view name) {
  std::string known;
  for (const Kind& kind : kinds) {
    if (kind.name == name) return kind;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.name);
  }
  throw Error(fmt::format("unknown {} '{}'", what, name), "", fmt::format("known: {}", known));
}

}  // namespace

std::span<const RatingKind> rating_kinds() { return kRatings; }
std::span<const IntervalKind> interval_kinds() { return kIntervals; }
const RatingKind& rating_kind(std::string_view name) { return find(kRatings, "rating", name); }
const IntervalKind& interval_kind(std::string_view name) {
  return find(kIntervals, "interval", name);
}

}  // namespace selene::arena
