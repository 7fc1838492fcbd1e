// Offers and votes: never the same pair twice to a voter, sides by chance, and nothing forged.
#include "arena/voting.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "arena/limits.h"
#include "arena/pairing.h"
#include "core/error.h"
#include "pool.h"
#include "temporary_folder.h"

namespace selene::arena {
namespace {

using data::Opening;
using selene::testing::fill_pool;
using selene::testing::message_of;

class VotingTest : public ::testing::Test {
 protected:
  selene::testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "a.db";
  Store store_{path_, Opening::MakeIfMissing};
};

TEST_F(VotingTest, AVoterSeesEachPairOnceAndThenNothing) {
  fill_pool(store_, 3, 4);
  Voting voting(store_);
  std::set<std::pair<RowId, RowId>> seen;
  for (int i = 0; i < 3 * 4; ++i) {
    const auto shown = voting.next("ada", "");
    ASSERT_TRUE(shown) << i;
    EXPECT_EQ(shown->a.sample, shown->b.sample);
    EXPECT_EQ(shown->a.sample, shown->sample.id);
    EXPECT_TRUE(seen.insert(std::minmax(shown->a.id, shown->b.id)).second) << i;
    voting.vote(shown->token, "ada", Outcome::Tie, "terminal");
  }
  EXPECT_FALSE(voting.next("ada", ""));
  EXPECT_TRUE(voting.next("bob", ""));
  EXPECT_EQ(store_.vote_count(), 12u);
}

TEST_F(VotingTest, WhoAsksAgainGetsTheOpenPair) {
  fill_pool(store_, 3, 4);
  Voting voting(store_);
  const auto first = voting.next("ada", "");
  EXPECT_EQ(voting.next("ada", "")->token, first->token);
  EXPECT_NE(voting.next("bob", "")->token, first->token);
  Voting another(store_);  // After a restart too.
  EXPECT_EQ(another.next("ada", "")->token, first->token);
}

TEST_F(VotingTest, AVoteNeedsTheVotersOwnOpenToken) {
  fill_pool(store_, 2, 1);
  Voting voting(store_);
  const auto shown = voting.next("ada", "");
  const auto cast = [&](const std::string& token, const std::string& voter) {
    return message_of<Error>([&] { voting.vote(token, voter, Outcome::A, "terminal"); });
  };
  EXPECT_EQ(cast("0123", "ada"), "this pair was not offered to you; ask for the next one");
  EXPECT_EQ(cast(shown->token, "eve"), "this pair was not offered to you; ask for the next one");
  EXPECT_EQ(cast(shown->token, "ada"), "");
  EXPECT_EQ(cast(shown->token, "ada"), "this pair has a vote already; vote for the next one");
  store_.add_offer({.token = "old",
                    .judgment_a = shown->a.id,
                    .judgment_b = shown->b.id,
                    .voter = "ada",
                    .session = "",
                    .time_ms = now_ms() - 25LL * 3'600'000});
  EXPECT_EQ(cast("old", "ada"), "this pair was offered more than a day ago; ask for the next one");
  EXPECT_EQ(store_.vote_count(), 1u);
}

TEST_F(VotingTest, ANamelessPairIsNamedAfterTheVote) {
  fill_pool(store_, 2, 1);
  Voting voting(store_);
  const auto shown = voting.next("ada", "visit");
  const Told told = voting.vote(shown->token, "ada", Outcome::B, "terminal");
  EXPECT_NE(told.judge_a, told.judge_b);
  Vote stored;
  store_.each_vote([&](const Vote& vote) { stored = vote; });
  EXPECT_EQ(stored.judge_a, told.judge_a);
  EXPECT_EQ(stored.judge_b, told.judge_b);
  EXPECT_EQ(stored.outcome, Outcome::B);
  EXPECT_EQ(stored.session, "visit");
}

TEST_F(VotingTest, AClockThatWentBackMakesNoNegativeTime) {
  fill_pool(store_, 2, 1);
  Voting voting(store_);
  const auto shown = voting.next("ada", "");
  store_.add_offer({.token = "future",
                    .judgment_a = shown->a.id,
                    .judgment_b = shown->b.id,
                    .voter = "ada",
                    .session = "",
                    .time_ms = now_ms() + 3'600'000});
  voting.vote("future", "ada", Outcome::A, "terminal");
  store_.each_vote([&](const Vote& vote) { EXPECT_EQ(vote.taken_ms, 0); });
}

TEST_F(VotingTest, SidesAreDrawnByChance) {
  fill_pool(store_, 2, 1);
  Voting voting(store_);
  int first = 0;
  constexpr int kVoters = 400;
  for (int i = 0; i < kVoters; ++i) {
    const auto shown = voting.next(fmt::format("voter {}", i), "");
    first += shown->a.id < shown->b.id;
  }
  EXPECT_NEAR(first, kVoters / 2, 60);  // Six standard deviations.
}

TEST_F(VotingTest, ANewJudgeEntersQuickly) {
  fill_pool(store_, 6, 30);
  std::vector<Vote> votes;
  for (int i = 0; i < 600; ++i) {  // Five of the judges know one another well.
    const int a = i % 5;
    const int b = (a + 1 + i / 5 % 4) % 5;
    votes.push_back({.id = fmt::format("{:064}", i),
                     .judge_a = fmt::format("judge {}", a),
                     .judge_b = fmt::format("judge {}", b),
                     .outcome = i % 3 == 0 ? Outcome::A : Outcome::B,
                     .voter = "",
                     .session = "",
                     .category = "",
                     .sample = "",
                     .judgment_a = "",
                     .judgment_b = "",
                     .source = "import",
                     .removed = ""});
  }
  store_.add_votes(votes);
  Voting voting(store_);
  int of_new = 0;
  for (int i = 0; i < 40; ++i) {
    const auto shown = voting.next("ada", "");
    const Told told = voting.vote(shown->token, "ada", i % 2 == 0 ? Outcome::A : Outcome::B, "t");
    of_new += told.judge_a == "judge 5" || told.judge_b == "judge 5";
  }
  EXPECT_GE(of_new, 28);  // A third would be by chance.
}

TEST_F(VotingTest, WhatCannotBeReadIsNotOffered) {
  fill_pool(store_, 2, 1);
  const RowId third = store_.add_judge("judge 9", "");
  data::Judgment none;
  none.id = "0";
  none.unreadable = "no verdict";
  store_.add_judgments(third, std::vector<Store::Judged>{{store_.samples()[0].id, &none}});
  Voting voting(store_);
  const auto shown = voting.next("ada", "");
  EXPECT_FALSE(shown->a.label.empty());
  EXPECT_FALSE(shown->b.label.empty());
  voting.vote(shown->token, "ada", Outcome::A, "terminal");
  EXPECT_FALSE(voting.next("ada", ""));
}

TEST_F(VotingTest, OneJudgeIsNoArena) {
  fill_pool(store_, 1, 3);
  EXPECT_EQ(message_of<Error>([&] { Voting{store_}; }),
            path_ +
                ": no sample of this arena has judgments of two judges; add samples and judges: "
                "selene arena add");
}

TEST(Pairing, GainsMostWhereLeastIsKnown) {
  PairCounts counts{.judges = 3, .pairs = {}};
  counts.pairs.push_back({.first = 0, .second = 1, .first_wins = 50, .ties = 0, .second_wins = 50});
  const Pairing pairing(counts);
  EXPECT_GT(pairing.gain(0, 2), 10 * pairing.gain(0, 1));
  EXPECT_NEAR(pairing.gain(0, 2), pairing.gain(1, 2), 1e-6 * pairing.gain(0, 2));
  EXPECT_EQ(pairing.votes(1, 0), 100);
}

TEST(Pairing, GainsLessTheMoreVotesThereAre) {
  const auto gain = [](double votes) {
    PairCounts counts{.judges = 2, .pairs = {}};
    counts.pairs.push_back(
        {.first = 0, .second = 1, .first_wins = votes, .ties = 0, .second_wins = votes});
    return Pairing(counts).gain(0, 1);
  };
  EXPECT_GT(gain(10), 3 * gain(20));  // As the square of the votes.
  EXPECT_GT(gain(20), 3 * gain(40));
}

TEST(Pairing, KeepsAFloorOfCoverage) {
  PairCounts counts{.judges = 3, .pairs = {}};
  counts.pairs.push_back({.first = 0, .second = 1, .first_wins = 200, .ties = 0, .second_wins = 1});
  counts.pairs.push_back({.first = 0, .second = 2, .first_wins = 20, .ties = 0, .second_wins = 20});
  counts.pairs.push_back({.first = 1, .second = 2, .first_wins = 60, .ties = 0, .second_wins = 60});
  const Pairing pairing(counts);
  Random random(1);
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> chosen;
  for (int i = 0; i < 1000; ++i) ++chosen[pairing.choose({{0, 1}, {0, 2}, {1, 2}}, random)];
  EXPECT_GE((chosen[{0, 2}]), 150);  // The one with the fewest votes.
}

TEST(MinuteLimit, AllowsSoManyAMinute) {
  MinuteLimit limit(2);
  EXPECT_TRUE(limit.allow("a", 0));
  EXPECT_TRUE(limit.allow("a", 1'000));
  EXPECT_FALSE(limit.allow("a", 59'999));
  EXPECT_TRUE(limit.allow("b", 59'999));
  EXPECT_TRUE(limit.allow("a", 60'000));
  EXPECT_FALSE(limit.allow("a", 60'500));
  EXPECT_TRUE(limit.allow("a", 500'000));
}

}  // namespace
}  // namespace selene::arena
