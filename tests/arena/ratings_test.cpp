#include "arena/ratings.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numbers>
#include <numeric>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "arena/elo.h"
#include "arena/paired_fit.h"
#include "core/error.h"
#include "core/random.h"

namespace selene::arena {
namespace {

constexpr double kPoints = 400 / std::numbers::ln10;

void vote(Ballots& ballots, std::uint32_t a, std::uint32_t b, Outcome outcome, int times = 1) {
  for (int i = 0; i < times; ++i) {
    ballots.a.push_back(a);
    ballots.b.push_back(b);
    ballots.outcome.push_back(outcome);
  }
}

// Votes of judges of known strength, a fifth of them ties.
Ballots simulated(std::size_t judges, std::size_t votes, std::uint64_t seed) {
  Ballots ballots{.judges = judges, .a = {}, .b = {}, .outcome = {}};
  Random random(seed);
  for (std::size_t v = 0; v < votes; ++v) {
    const auto a = static_cast<std::uint32_t>(random.next() % judges);
    const auto b = static_cast<std::uint32_t>((a + 1 + random.next() % (judges - 1)) % judges);
    const double difference = 2 * (double(a) - double(b)) / static_cast<double>(judges);
    const bool wins = random.uniform() < 1 / (1 + std::exp(-difference));
    const bool tie = random.uniform() < 0.2;
    vote(ballots, a, b, tie ? Outcome::Tie : wins ? Outcome::A : Outcome::B);
  }
  return ballots;
}

std::vector<double> ratings_of(const Ratings& ratings) {
  std::vector<double> values;
  for (const JudgeRating& judge : ratings.judges) values.push_back(judge.rating.value());
  return values;
}

Ratings rate(std::string_view kind, const Ballots& ballots, const RatingOptions& options = {}) {
  return rating_kind(kind).rate(ballots, options);
}

// Votes, and what others make of them: tests/arena/golden/make.py.
struct Golden {
  nlohmann::json json;
  Ballots ballots;

  Golden() {
    std::ifstream file(SELENE_SOURCE_DIR "/tests/arena/golden/ratings.json");
    json = nlohmann::json::parse(file);
    const std::map<std::string, Outcome> outcomes{
        {"A", Outcome::A}, {"B", Outcome::B}, {"Tie", Outcome::Tie}, {"BothBad", Outcome::BothBad}};
    ballots.judges = json["names"].size();
    for (const auto& row : json["votes"])
      vote(ballots, row[0], row[1], outcomes.at(row[2].get<std::string>()));
  }
  std::vector<double> values(const char* name) const { return json.at(name); }
};

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The example of Wikipedia's "Elo rating system": a player of 1613 loses to 1609, draws with 1477,
// beats 1388 and 1586 and loses to 1720, each rated as it was before the tournament.
TEST(Elo, WikipediasTournament) {
  const std::pair<double, Outcome> games[] = {{1609, Outcome::B},
                                              {1477, Outcome::Tie},
                                              {1388, Outcome::A},
                                              {1586, Outcome::A},
                                              {1720, Outcome::B}};
  double rating = 1613;
  for (const auto& [opponent, outcome] : games) {
    Ballots game{.judges = 2, .a = {}, .b = {}, .outcome = {}};
    vote(game, 0, 1, outcome);
    rating += elo(game, {}, {1613, opponent})[0] - 1613;
  }
  EXPECT_NEAR(rating, 1601, 0.5);
}

TEST(Elo, IsFastChatsToTheLastBit) {
  const Golden golden;
  EXPECT_EQ(elo(golden.ballots), golden.values("fastchat_elo"));
}

TEST(Elo, AJudgeAgainstItselfChangesNothing) {
  Ballots ballots{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(ballots, 1, 1, Outcome::A);
  EXPECT_EQ(elo(ballots), (std::vector<double>{1200, 1200}));
}

// The example of Wikipedia's "Bradley–Terry model": four teams, 22 games.
TEST(BradleyTerry, WikipediasTeams) {
  Ballots ballots{.judges = 4, .a = {}, .b = {}, .outcome = {}};
  constexpr int kWins[4][4] = {{0, 2, 0, 1}, {3, 0, 5, 0}, {0, 3, 0, 1}, {4, 0, 3, 0}};
  for (std::uint32_t i = 0; i < 4; ++i)
    for (std::uint32_t j = 0; j < 4; ++j) vote(ballots, i, j, Outcome::A, kWins[i][j]);
  const Fit found = fit(PairedModel::BradleyTerry, count_pairs(ballots));
  const double expected[] = {0.640, 1.043, 0.660, 2.270};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(std::exp(found.strengths[i]), expected[i], 0.0005);
}

TEST(BradleyTerry, IsFastChatsAndArenaRanks) {
  const Golden golden;
  const std::vector<double> ours = ratings_of(rate("bradley-terry", golden.ballots));
  EXPECT_NEAR(mean(ours), 1200, 1e-9);
  for (const char* peer : {"fastchat_bradley_terry", "arena_rank"}) {
    const std::vector<double> theirs = golden.values(peer);
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_NEAR(ours[i] - 1200, theirs[i], 0.01) << peer << " " << i;
  }
}

TEST(Davidson, IsWhatAGeneralOptimiserFinds) {
  const Golden golden;
  const Fit found = fit(PairedModel::Davidson, count_pairs(golden.ballots));
  const std::vector<double> theirs = golden.values("davidson_strengths");
  for (std::size_t i = 0; i < theirs.size(); ++i) EXPECT_NEAR(found.strengths[i], theirs[i], 1e-5);
  EXPECT_NEAR(std::exp(found.log_nu.value()), golden.json.at("davidson_nu").get<double>(), 1e-5);
}

TEST(Davidson, WithoutTiesAndOfTiesAloneIsBradleyTerry) {
  Ballots decided{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(decided, 0, 1, Outcome::A, 3);
  vote(decided, 0, 1, Outcome::B, 1);
  const Fit found = fit(PairedModel::Davidson, count_pairs(decided));
  EXPECT_NEAR(found.strengths[0] - found.strengths[1], std::log(3), 1e-9);
  EXPECT_FALSE(found.log_nu);
  Ballots ties{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(ties, 0, 1, Outcome::Tie, 5);
  EXPECT_EQ(fit(PairedModel::Davidson, count_pairs(ties)).strengths, (std::vector<double>{0, 0}));
}

TEST(Intervals, TheSandwichIsTheFormulasInNumPy) {
  const Golden golden;
  const PairCounts counts = count_pairs(golden.ballots);
  const Fit found = fit(PairedModel::BradleyTerry, counts);
  const std::vector<double> spread = covariance(PairedModel::BradleyTerry, counts, found);
  const std::vector<double> formula = golden.values("sandwich_variances");
  const std::vector<double> peer =
      golden.values("arena_rank_variances");  // Penalised: 1e-5 a vote.
  for (std::size_t i = 0; i < formula.size(); ++i) {
    const double ours = spread[i * formula.size() + i] * kPoints * kPoints;
    EXPECT_NEAR(ours / formula[i], 1, 1e-6);
    EXPECT_NEAR(ours / peer[i], 1, 5e-3);
  }
}

TEST(Intervals, VotersOfOneVoteEachAreTheSandwich) {
  for (const PairedModel model : {PairedModel::BradleyTerry, PairedModel::Davidson}) {
    Golden golden;
    for (std::uint32_t v = 0; v < golden.ballots.size(); ++v) golden.ballots.voter.push_back(v);
    const PairCounts counts = count_pairs(golden.ballots);
    const Fit found = fit(model, counts);
    const std::vector<double> one = covariance(model, counts, found);
    const std::vector<double> other = covariance_by_voter(model, golden.ballots, counts, found);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], other[i], 1e-9);
  }
}

TEST(Intervals, OnePersonWhoVotesALotWidensThoseByVoter) {
  Ballots ballots = simulated(5, 2000, 3);
  for (std::uint32_t v = 0; v < ballots.size(); ++v) ballots.voter.push_back(v);
  for (std::size_t v = 0; v < 1200; ++v) {  // One person who always likes the first of a pair.
    ballots.voter[v] = 0;
    ballots.outcome[v] = ballots.a[v] < ballots.b[v] ? Outcome::A : Outcome::B;
  }
  const Ratings plain = rate("bradley-terry", ballots);
  const Ratings by_voter = rate("bradley-terry", ballots, {.interval = "sandwich-by-voter"});
  EXPECT_NEAR(plain.largest_share, 0.6, 1e-12);
  EXPECT_EQ(plain.largest_voter, 0u);
  const auto width = [](const JudgeRating& judge) {
    return judge.interval->high - judge.interval->low;
  };
  EXPECT_GT(width(by_voter.judges[0]), 2 * width(plain.judges[0]));
}

TEST(Intervals, TheBootstrapIsCloseToTheSandwich) {
  const Golden golden;
  const Ratings sandwich = rate("bradley-terry", golden.ballots);
  const Ratings bootstrap = rate("bradley-terry", golden.ballots, {.interval = "bootstrap"});
  for (std::size_t i = 0; i < golden.ballots.judges; ++i) {
    const stats::Interval one = sandwich.judges[i].interval.value();
    const stats::Interval other = bootstrap.judges[i].interval.value();
    EXPECT_NEAR((other.high - other.low) / (one.high - one.low), 1, 0.1);
    EXPECT_LT(other.low, bootstrap.judges[i].rating);
    EXPECT_GT(other.high, bootstrap.judges[i].rating);
  }
  EXPECT_EQ(bootstrap.undefined, 0u);
}

TEST(Intervals, TheBootstrapIsTheSameOnAnyNumberOfThreads) {
  const PairCounts counts = count_pairs(simulated(6, 500, 1));
  for (const PairedModel model : {PairedModel::BradleyTerry, PairedModel::Davidson}) {
    const Fit found = fit(model, counts);
    const auto on = [&](int threads, std::uint64_t seed) {
      return bootstrap_intervals(model, counts, found,
                                 {.count = 50, .seed = seed, .threads = threads})
          .intervals;
    };
    const auto one = on(1, 0);
    const auto three = on(3, 0);
    const auto other = on(1, 1);
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i].low, three[i].low);
      EXPECT_EQ(one[i].high, three[i].high);
      EXPECT_NE(one[i].low, other[i].low);
    }
  }
}

TEST(Intervals, AResampleThatCannotBeFittedIsCounted) {
  Ballots ballots{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(ballots, 0, 1, Outcome::A, 20);
  vote(ballots, 0, 1, Outcome::B, 2);  // Not drawn in an eighth of resamples.
  const Ratings rated =
      rate("bradley-terry", ballots, {.interval = "bootstrap", .anchor = {}, .resamples = {}});
  EXPECT_GT(rated.undefined, 80u);
  EXPECT_LT(rated.undefined, 180u);
  EXPECT_TRUE(rated.judges[0].interval);
}

TEST(Intervals, JudgeArenasLooksAtTheNumberOfVotesAlone) {
  EXPECT_NEAR(judge_arena_margin(399), 1.96 * 400 / 20, 1e-12);
  Ballots ballots{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(ballots, 0, 1, Outcome::Tie, 399);
  const Ratings rated = rate("elo", ballots, {.interval = "judge-arena"});
  EXPECT_NEAR(rated.judges[0].interval->high, 1200 + 39.2, 1e-9);
  EXPECT_NE(interval_kind("judge-arena").about.find("not an interval"), std::string_view::npos);
}

TEST(RankSets, SetApartOnlyWhatTheVotesTellApart) {
  Ballots ballots{.judges = 3, .a = {}, .b = {}, .outcome = {}};
  for (std::uint32_t one : {0u, 1u}) {  // Two alike, and far behind them a third.
    vote(ballots, one, 2, Outcome::A, 180);
    vote(ballots, one, 2, Outcome::B, 20);
  }
  vote(ballots, 0, 1, Outcome::A, 52);
  vote(ballots, 0, 1, Outcome::B, 48);
  const Ratings rated = rate("bradley-terry", ballots);
  EXPECT_EQ(rated.judges[0].ranks->low, 1u);
  EXPECT_EQ(rated.judges[0].ranks->high, 2u);
  EXPECT_EQ(rated.judges[1].ranks->low, 1u);
  EXPECT_EQ(rated.judges[1].ranks->high, 2u);
  EXPECT_EQ(rated.judges[2].ranks->low, 3u);
  EXPECT_EQ(rated.judges[2].ranks->high, 3u);
}

// All sets of a simulated board hold the true ranks at once in at least 95 of 100 boards, or
// nearly.
TEST(RankSets, HoldAllTrueRanksAtOnce) {
  constexpr int kBoards = 200;
  int right = 0;
  for (int board = 0; board < kBoards; ++board) {
    const Ratings rated =
        rate("bradley-terry", simulated(6, 400, 1000 + static_cast<std::uint64_t>(board)));
    bool all = true;
    for (std::size_t i = 0; i < 6; ++i)
      all = all && rated.judges[i].ranks->low <= 6 - i && rated.judges[i].ranks->high >= 6 - i;
    right += all;
  }
  EXPECT_GE(right, 183);
}

TEST(Ratings, AnAnchorIsWhereItWasPutAndHasNoInterval) {
  const Golden golden;
  for (const char* interval : {"sandwich", "bootstrap"}) {
    const Ratings rated = rate(
        "bradley-terry", golden.ballots,
        {.interval = interval, .anchor = 2, .anchor_rating = 1000, .resamples = {.count = 100}});
    EXPECT_NEAR(*rated.judges[2].rating, 1000, 1e-9);
    EXPECT_NEAR(rated.judges[2].interval->low, 1000, 1e-9);
    EXPECT_NEAR(rated.judges[2].interval->high, 1000, 1e-9);
    EXPECT_GT(rated.judges[7].interval->high, rated.judges[7].interval->low + 10);
  }
}

TEST(Ratings, TheOrderOfVotesChangesEloAlone) {
  Ballots ballots = simulated(5, 800, 9);
  Ballots reversed = ballots;
  std::reverse(reversed.a.begin(), reversed.a.end());
  std::reverse(reversed.b.begin(), reversed.b.end());
  std::reverse(reversed.outcome.begin(), reversed.outcome.end());
  EXPECT_EQ(ratings_of(rate("bradley-terry", ballots)),
            ratings_of(rate("bradley-terry", reversed)));
  EXPECT_EQ(ratings_of(rate("davidson", ballots)), ratings_of(rate("davidson", reversed)));
  EXPECT_NE(ratings_of(rate("elo", ballots)), ratings_of(rate("elo", reversed)));
}

TEST(Ratings, WhoNeverLostOrNeverWonHasNoRating) {
  Ballots ballots = simulated(3, 100, 4);
  ballots.judges = 5;
  vote(ballots, 3, 0, Outcome::A, 5);  // Never lost.
  vote(ballots, 4, 1, Outcome::B, 5);  // Never won.
  const Ratings rated = rate("bradley-terry", ballots);
  EXPECT_EQ(rated.judges[0].standing, Standing::Rated);
  EXPECT_EQ(rated.judges[3].standing, Standing::Above);
  EXPECT_EQ(rated.judges[4].standing, Standing::Below);
  EXPECT_FALSE(rated.judges[3].rating);
  EXPECT_FALSE(rated.judges[3].interval);
  EXPECT_EQ(rated.judges[3].votes, 5u);
  // The others are rated by the votes among them.
  const std::vector<double> alone = ratings_of(rate("bradley-terry", simulated(3, 100, 4)));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(*rated.judges[i].rating, alone[i], 1e-9);
}

TEST(Ratings, WhereNobodyCanBeRatedTheirOwnVotesSayWhereTheyStand) {
  Ballots ballots{.judges = 4, .a = {}, .b = {}, .outcome = {}};
  vote(ballots, 2, 1, Outcome::A, 3);
  vote(ballots, 0, 1, Outcome::B, 3);
  const Ratings rated = rate("bradley-terry", ballots);
  EXPECT_EQ(rated.groups, 0u);
  EXPECT_EQ(rated.judges[2].standing, Standing::Above);
  EXPECT_EQ(rated.judges[1].standing, Standing::Apart);
  EXPECT_EQ(rated.judges[0].standing, Standing::Below);
  EXPECT_EQ(rated.judges[3].standing, Standing::NoVotes);
}

TEST(Ratings, JudgesThatNobodyComparedAreGroupsApart) {
  Ballots ballots = simulated(3, 200, 4);
  ballots.judges = 6;
  vote(ballots, 3, 4, Outcome::A, 3);
  vote(ballots, 3, 4, Outcome::B, 1);
  const Ratings rated = rate("bradley-terry", ballots);
  EXPECT_EQ(rated.groups, 2u);
  EXPECT_EQ(rated.judges[0].group, 0u);
  EXPECT_EQ(rated.judges[3].group, 1u);
  EXPECT_NEAR(*rated.judges[3].rating - *rated.judges[4].rating, 400 * std::log10(3), 1e-6);
  EXPECT_EQ(rated.judges[5].standing, Standing::NoVotes);
}

TEST(Ratings, VotesBetweenAJudgeAndItselfAreLeftOutAndCounted) {
  Ballots ballots = simulated(3, 200, 4);
  const std::vector<double> before = ratings_of(rate("bradley-terry", ballots));
  vote(ballots, 1, 1, Outcome::A, 7);
  const Ratings rated = rate("bradley-terry", ballots);
  EXPECT_EQ(ratings_of(rated), before);
  EXPECT_EQ(rated.self_votes, 7u);
}

TEST(Ratings, NoVotesOneJudgeAndOnlyTies) {
  const Ratings none = rate("bradley-terry", {.judges = 2, .a = {}, .b = {}, .outcome = {}});
  EXPECT_EQ(none.judges[0].standing, Standing::NoVotes);
  EXPECT_EQ(rate("davidson", {.judges = 1, .a = {}, .b = {}, .outcome = {}}).judges.size(), 1u);
  Ballots ties{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(ties, 0, 1, Outcome::BothBad, 4);
  for (const char* kind : {"elo", "bradley-terry", "davidson"})
    EXPECT_EQ(ratings_of(rate(kind, ties)), (std::vector<double>{1200, 1200})) << kind;
}

TEST(Ratings, FewVotesArePreliminary) {
  const Ratings rated = rate("bradley-terry", simulated(2, 300, 4));
  EXPECT_FALSE(rated.judges[0].preliminary());
  EXPECT_TRUE(rate("bradley-terry", simulated(2, 299, 4)).judges[0].preliminary());
}

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& failure) {
    return failure.what();
  }
  return "no error";
}

TEST(Ratings, SayWhatIsWrong) {
  EXPECT_EQ(message([] { rating_kind("glicko"); }),
            "unknown rating 'glicko'; known: elo, bradley-terry, davidson");
  EXPECT_EQ(message([] { interval_kind("wald"); }),
            "unknown interval 'wald'; known: sandwich, sandwich-by-voter, bootstrap, judge-arena");
  EXPECT_EQ(message([] {
              rate("bradley-terry", simulated(2, 10, 1), {.interval = "sandwich-by-voter"});
            }),
            "these votes do not say who cast them; take the interval sandwich");
  EXPECT_EQ(message([] { rate("elo", simulated(2, 10, 1), {.interval = "bootstrap"}); }),
            "Elo's ratings depend on the order of the votes and have no interval by 'bootstrap'; "
            "rate by bradley-terry, or take judge-arena, which is no interval");
  Ballots wrong{.judges = 2, .a = {}, .b = {}, .outcome = {}};
  vote(wrong, 0, 2, Outcome::A);
  EXPECT_EQ(message([&] { count_pairs(wrong); }), "vote 1 names judge 2 of 2");
  EXPECT_EQ(message([] { count_pairs({.judges = 6000, .a = {}, .b = {}, .outcome = {}}); }),
            "6000 judges are more than the 5000 that can be rated at once");
}

}  // namespace
}  // namespace selene::arena
