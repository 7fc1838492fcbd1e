// Boards: ratings, what has to be said of them, and their texts and figures.
#include "arena/board.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "arena/audit.h"
#include "arena/panel.h"
#include "arena/simulate.h"
#include "core/digest.h"
#include "core/error.h"
#include "pool.h"
#include "temporary_folder.h"

namespace selene::arena {
namespace {

using data::Opening;
using selene::testing::fill_pool;
using selene::testing::message_of;

Vote vote_of(int i, const std::string& a, const std::string& b, Outcome outcome,
             const std::string& voter, std::int64_t taken_ms = 9'000) {
  return {.id = sha256(fmt::format("{} {} {} {}", i, a, b, voter)),
          .judge_a = a,
          .judge_b = b,
          .outcome = outcome,
          .voter = voter,
          .session = "",
          .time_ms = 1'000 + i,
          .taken_ms = taken_ms,
          .category = i % 2 == 0 ? "even" : "odd",
          .sample = "",
          .judgment_a = "",
          .judgment_b = "",
          .source = "page",
          .removed = ""};
}

class BoardTest : public ::testing::Test {
 protected:
  // So many votes of a voter; `wins` says who is liked.
  template <typename Choose>
  void cast(const std::string& voter, int count, const Choose& choose,
            std::int64_t taken_ms = 9'000) {
    std::vector<Vote> votes;
    for (int i = 0; i < count; ++i) {
      const bool swapped = i % 2 == 1;
      const std::string a = swapped ? "good" : "bad";
      const std::string b = swapped ? "bad" : "good";
      votes.push_back(vote_of(i, a, b, choose(i, a), voter, taken_ms));
    }
    store_.add_votes(votes);
  }
  // Likes "good" in three of four.
  static Outcome fair(int i, const std::string& a) {
    const bool for_good = i % 8 < 6;
    return (a == "good") == for_good ? Outcome::A : Outcome::B;
  }
  std::string notes(const BoardOptions& options = {}) {
    std::string text;
    for (const std::string& note : make_board(store_, options).notes) text += note + "\n";
    return text;
  }

  selene::testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "a.db";
  Store store_{path_, Opening::MakeIfMissing};
};

constexpr report::Terminal kTerminal{.columns = 100, .color = false, .is_terminal = false};

TEST_F(BoardTest, RanksAndCounts) {
  cast("ada", 400, fair);
  const BoardReport board = make_board(store_, {});
  EXPECT_EQ(board.judges, (std::vector<std::string>{"good", "bad"}));
  EXPECT_EQ(board.votes, 400u);
  EXPECT_NEAR(*board.ratings.judges[0].rating - *board.ratings.judges[1].rating,
              400 * std::log10(3), 1e-6);
  EXPECT_EQ(rank_text(board.ratings.judges[0]), "1");
  EXPECT_NEAR(board.rates[1].score / board.rates[1].votes, 0.75, 1e-12);
  const std::string text = board_text(board, kTerminal);
  EXPECT_NE(text.find("Board: 400 votes, bradley-terry, mean 1200"), std::string::npos) << text;
  EXPECT_NE(text.find("300/0/100"), std::string::npos) << text;
  const auto json = to_json(board);
  EXPECT_EQ(json["judges"][0]["judge"], "good");
  EXPECT_EQ(json["judges"][0]["ranks"], (nlohmann::json{1, 1}));
  EXPECT_EQ(json["win_rates"][0]["share"], 0.75);
  EXPECT_NE(board_markdown(board).find("| good |"), std::string::npos) << board_markdown(board);
}

TEST_F(BoardTest, SaysWhatHasToBeSaid) {
  EXPECT_NE(notes().find("There are no votes."), std::string::npos);
  cast("ada", 100, fair);
  cast("bob", 20, fair);
  std::vector<Vote> more{vote_of(1, "good", "good", Outcome::A, "bob"),
                         vote_of(2, "never-lost", "good", Outcome::A, "bob"),
                         vote_of(3, "far", "away", Outcome::A, "bob"),
                         vote_of(4, "away", "far", Outcome::A, "bob")};
  store_.add_votes(more);
  store_.remove(std::vector<std::string>{vote_of(0, "bad", "good", Outcome::A, "ada").id}, "x", 1);
  const std::string text = notes();
  for (const char* part :
       {"5 judges with fewer than 300 votes: preliminary.", "1 judge never lost to, or never won",
        "The votes make 2 groups", "1 vote between a judge and itself: left out.",
        "1 vote with a tombstone: not counted.", "One voter (ada) cast 80% of the votes"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_NE(notes({.rating = "elo", .interval = "judge-arena"}).find("it is not an interval"),
            std::string::npos);
  const std::string table = board_text(make_board(store_, {}), kTerminal);
  EXPECT_NE(table.find("never lost"), std::string::npos);
  EXPECT_NE(table.find("group 2"), std::string::npos) << table;
}

TEST_F(BoardTest, OfOneCategoryAndWithAnAnchor) {
  cast("ada", 100, fair);
  EXPECT_EQ(make_board(store_, {.category = "even"}).votes, 50u);
  const BoardReport board = make_board(store_, {.anchor = "bad", .anchor_rating = 1000});
  EXPECT_NEAR(*board.ratings.judges[1].rating, 1000, 1e-9);
  EXPECT_EQ(message_of<Error>([&] { make_board(store_, {.category = "none"}); }),
            "the arena has no votes of the category 'none'");
  EXPECT_EQ(message_of<Error>([&] { make_board(store_, {.anchor = "none"}); }),
            "the arena has no judge 'none'");
}

TEST_F(BoardTest, FiguresHoldTheJudgesAndAnyName) {
  cast("ada", 400, fair);
  store_.add_votes(std::vector<Vote>{vote_of(1, "<script>&", "good", Outcome::A, "bob"),
                                     vote_of(2, "<script>&", "good", Outcome::B, "bob")});
  const BoardReport board = make_board(store_, {});
  for (const std::string& svg : {forest_svg(board), matrix_svg(board)}) {
    EXPECT_NE(svg.find(">good"), std::string::npos);
    EXPECT_NE(svg.find("&lt;script&gt;&amp;"), std::string::npos);
    EXPECT_EQ(svg.find("<script>"), std::string::npos);
  }
  EXPECT_EQ(board_markdown(board).find("<script>"), std::string::npos);
}

TEST_F(BoardTest, AnAuditFindsHabitsAndLeavesOthers) {
  cast("fair", 80, fair);
  cast("other", 80, fair);
  cast("third", 80, fair);
  cast("first", 60, [](int, const std::string&) { return Outcome::A; });
  cast("hasty", 60, fair, 400);
  cast("contrary", 80, [](int i, const std::string& a) {
    return fair(i, a) == Outcome::A ? Outcome::B : Outcome::A;
  });
  cast(
      "few", 5, [](int, const std::string&) { return Outcome::A; }, 100);
  const Audit audit = audit_votes(store_, {});
  std::map<std::string, std::string> reasons;
  for (const VoterAudit& voter : audit.voters)
    reasons[voter.voter] = voter.reasons.empty() ? "" : voter.reasons.front();
  EXPECT_EQ(reasons.at("first"), "100% for the first one");
  EXPECT_EQ(reasons.at("hasty"), "0.4 s a vote");
  EXPECT_EQ(reasons.at("contrary"), "25% as others chose");
  for (const char* honest : {"fair", "other", "third", "few"}) EXPECT_EQ(reasons.at(honest), "");
  EXPECT_NE(audit_text(audit, 20, kTerminal).find("3 of 7 voters broke a rule"), std::string::npos)
      << audit_text(audit, 20, kTerminal);

  const BoardReport before = make_board(store_, {});
  const BoardReport after = make_board(store_, {.without = {"first", "hasty", "contrary"}});
  EXPECT_EQ(after.excluded, 200u);
  EXPECT_GT(*after.ratings.judges[0].rating, *before.ratings.judges[0].rating + 20);
  EXPECT_NE(comparison_text(before, after, kTerminal).find("good"), std::string::npos);
  for (const Removal& removal : removals(store_, audit))
    store_.remove(removal.ids, removal.reason, 5);
  EXPECT_EQ(make_board(store_, {}).votes, after.votes);
  std::string reason;
  store_.each_vote([&](const Vote& vote) {
    if (vote.voter == "hasty") reason = vote.removed;
  });
  EXPECT_EQ(reason, "audit: 0.4 s a vote");
  EXPECT_EQ(audit_votes(store_, {}).votes, after.votes);
}

TEST_F(BoardTest, AClockThatWentBackIsSaid) {
  store_.add_votes(std::vector<Vote>{vote_of(9, "good", "bad", Outcome::A, "ada"),
                                     vote_of(3, "good", "bad", Outcome::A, "ada")});
  EXPECT_EQ(audit_votes(store_, {}).clock_back, 1u);
}

TEST_F(BoardTest, APanelAsksAllPairsInBothOrdersAndHasItsOwnBoard) {
  fill_pool(store_, 3, 2);
  const auto all = panel_questions(store_, "outsider", "made", false);
  EXPECT_EQ(all.size(), 3u * 2 * 2);
  EXPECT_EQ(panel_questions(store_, "judge 0", "made", false).size(), 1u * 2 * 2);
  EXPECT_EQ(panel_questions(store_, "judge 0", "made", true).size(), 12u);
  EXPECT_NE(all[0].sample.response_a.find("Verdict: Yes"), std::string::npos);
  EXPECT_NE(all[0].sample.input.find("What is 0+1?"), std::string::npos);
  EXPECT_EQ(all[0].sample.response_a.find("judge"), std::string::npos);
  std::vector<Vote> votes;
  for (const PanelQuestion& question : all) {
    data::Judgment answer;
    answer.label = "A";
    votes.push_back(*panel_vote(store_, question, "outsider", answer));
  }
  data::Judgment unreadable;
  EXPECT_FALSE(panel_vote(store_, all[0], "outsider", unreadable));
  store_.add_votes(votes);
  EXPECT_TRUE(panel_questions(store_, "outsider", "made", false).empty());
  EXPECT_EQ(panel_questions(store_, "outsider", "made anew", false).size(), 12u);
  EXPECT_EQ(make_board(store_, {.board = Board::Panel}).votes, 12u);
  EXPECT_EQ(make_board(store_, {}).votes, 0u);
}

TEST(Simulation, TruthIsInsideAboutNinetyFiveTimesInAHundred) {
  const Simulation simulation{.judges = 6, .votes = 800};
  const SimulationReport report = simulate_arenas(simulation, 300, "bradley-terry", {});
  EXPECT_EQ(report.intervals, 1800u);
  EXPECT_NEAR(report.covered, 0.95, 0.025);
  EXPECT_GT(report.ranks_held, 0.92);
  EXPECT_NEAR(report.bias, 0, 4);
  EXPECT_GT(report.in_order, 0.85);
}

TEST(Simulation, IsTheSameForTheSameSeed) {
  const Simulation simulation{.judges = 4, .votes = 100, .seed = 5};
  const auto truth = true_strengths(simulation);
  EXPECT_NEAR(truth.front() - truth.back(), 400, 1e-9);
  EXPECT_NEAR(truth[0] + truth[1] + truth[2] + truth[3], 0, 1e-9);
  EXPECT_EQ(simulate_votes(simulation, truth).a, simulate_votes(simulation, truth).a);
  Simulation other = simulation;
  other.seed = 6;
  EXPECT_NE(true_strengths(other), truth);
}

TEST(Simulation, TheFirstsBiasIsSeenInTheVotes) {
  const Simulation simulation{.judges = 4, .votes = 4'000, .ties = 0, .first_bias = 200};
  const Ballots ballots = simulate_votes(simulation, true_strengths(simulation));
  const auto first = std::count(ballots.outcome.begin(), ballots.outcome.end(), Outcome::A);
  EXPECT_GT(first, 2'600);
}

}  // namespace
}  // namespace selene::arena
