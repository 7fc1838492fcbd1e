// The arena's file: what was acknowledged is there after a kill, nothing is changed or forged, and
// a file that is none is refused as it is.
#include "arena/store.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/error.h"
#include "temporary_folder.h"

namespace selene::arena {
namespace {

using data::Opening;
using selene::testing::message_of;
using selene::testing::slurp;

data::Sample sample_of(const std::string& id) {
  data::Sample sample;
  sample.id = id;
  sample.task = data::Task::Classification;
  sample.input = "What is 2+2?";
  sample.response = "4";
  sample.labels = {"Yes", "No"};
  sample.extra["category"] = "sums";
  return sample;
}

data::Judgment judgment_of(const std::string& label, const std::string& critique) {
  data::Judgment judgment;
  judgment.id = "s";
  judgment.task = data::Task::Classification;
  judgment.label = label;
  judgment.critique = critique;
  judgment.key = sha256(critique);
  return judgment;
}

Vote vote_of(int i, Outcome outcome = Outcome::A) {
  return {.id = sha256(fmt::format("vote {}", i)),
          .judge_a = "left",
          .judge_b = "right",
          .outcome = outcome,
          .voter = fmt::format("voter {}", i % 3),
          .session = "",
          .time_ms = 1'000 + i,
          .category = i % 2 == 0 ? "even" : "odd",
          .sample = "",
          .judgment_a = "",
          .judgment_b = "",
          .source = "import",
          .removed = ""};
}

class StoreTest : public ::testing::Test {
 protected:
  Store make() const { return Store(path_, Opening::MakeIfMissing); }
  // One sample with two judgments.
  std::pair<RowId, RowId> fill(Store& store) const {
    store.add_samples(std::vector<data::Sample>{sample_of("s")});
    const data::Judgment yes = judgment_of("Yes", "It is four.");
    const data::Judgment no = judgment_of("No", "It is not.");
    const RowId sample = store.samples().front().id;
    store.add_judgments(store.add_judge("left", "{}"), std::vector<Store::Judged>{{sample, &yes}});
    store.add_judgments(store.add_judge("right", "{}"), std::vector<Store::Judged>{{sample, &no}});
    const auto judgments = store.judgments();
    return {judgments[0].id, judgments[1].id};
  }
  static Offer offer_of(const std::pair<RowId, RowId>& judgments, const std::string& token) {
    return {.token = token,
            .judgment_a = judgments.first,
            .judgment_b = judgments.second,
            .voter = "someone",
            .session = "visit",
            .time_ms = 5};
  }
  void change(const std::string& sql, int expected = SQLITE_OK) const {
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), expected) << sql;
    sqlite3_close(database);
  }

  selene::testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "a.db";
};

TEST_F(StoreTest, KeepsThePool) {
  {
    Store store = make();
    fill(store);
    EXPECT_EQ(store.add_samples(std::vector<data::Sample>{sample_of("s"), sample_of("t")}), 1u);
  }
  Store store(path_);
  ASSERT_EQ(store.samples().size(), 2u);
  EXPECT_EQ(store.samples()[0].name, "s");
  EXPECT_EQ(store.samples()[0].category, "sums");
  EXPECT_EQ(store.judges()[1].second, "right");
  const StoredJudgment judgment = store.judgment(store.judgments()[1].id);
  EXPECT_EQ(judgment.label, "No");
  EXPECT_EQ(judgment.critique, "It is not.");
  EXPECT_NE(judgment.json.find("\"label\":\"No\""), std::string::npos);
}

TEST_F(StoreTest, AJudgeOfAnotherMakeHasAnotherName) {
  Store store = make();
  store.add_judge("j", "one");
  store.add_judge("j", "one");
  EXPECT_EQ(message_of<Error>([&] { store.add_judge("j", "other"); }),
            path_ +
                ": the judge 'j' is here already, made of something else; give this one another "
                "name");
}

TEST_F(StoreTest, APairIsVotedOnOnceAndAsItWasOffered) {
  Store store = make();
  const auto judgments = fill(store);
  store.add_offer(offer_of(judgments, "t1"));
  EXPECT_FALSE(store.find_offer("t2"));
  const auto open = store.open_offer("someone");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->offer.token, "t1");
  EXPECT_FALSE(store.open_offer("another"));
  store.vote(*open, Outcome::B, "page", 9'000, 4'000);
  EXPECT_FALSE(store.open_offer("someone"));
  EXPECT_TRUE(store.find_offer("t1")->voted);
  EXPECT_EQ(message_of<Error>([&] { store.vote(*open, Outcome::A, "page", 9'001, 1); }),
            "this pair has a vote already; vote for the next one");
  EXPECT_EQ(store.offered("someone"), (std::vector<std::pair<RowId, RowId>>{judgments}));
  std::vector<Vote> votes;
  store.each_vote([&](const Vote& vote) { votes.push_back(vote); });
  ASSERT_EQ(votes.size(), 1u);
  EXPECT_EQ(votes[0].judge_a, "left");
  EXPECT_EQ(votes[0].outcome, Outcome::B);
  EXPECT_EQ(votes[0].voter, "someone");
  EXPECT_EQ(votes[0].session, "visit");
  EXPECT_EQ(votes[0].taken_ms, 4'000);
  EXPECT_EQ(votes[0].category, "sums");
  EXPECT_EQ(votes[0].sample, store.samples()[0].digest);
  EXPECT_EQ(votes[0].judgment_b, sha256("It is not."));
}

TEST_F(StoreTest, VotesComeOnceAndCountUntilTheyHaveATombstone) {
  Store store = make();
  const std::vector<Vote> votes{vote_of(0), vote_of(1, Outcome::BothBad), vote_of(2, Outcome::B)};
  EXPECT_EQ(store.add_votes(votes), 3u);
  EXPECT_EQ(store.add_votes(votes), 0u);
  EXPECT_EQ(store.remove(std::vector<std::string>{votes[1].id}, "spam", 7), 1u);
  EXPECT_EQ(store.remove(std::vector<std::string>{votes[1].id}, "again", 8), 0u);
  EXPECT_EQ(
      message_of<Error>([&] { store.remove(std::vector<std::string>{"nothing"}, "spam", 7); }),
      path_ + ": no vote has the id 'nothing'");
  const BoardVotes board = store.board(Board::People);
  EXPECT_EQ(board.judges, (std::vector<std::string>{"left", "right"}));
  EXPECT_EQ(board.ballots.outcome, (std::vector<Outcome>{Outcome::A, Outcome::B}));
  EXPECT_EQ(board.removed, 1u);
  EXPECT_EQ(board.categories, (std::vector<std::string>{"even"}));
  EXPECT_EQ(board.voters[board.ballots.voter[1]], "voter 2");
  EXPECT_EQ(store.board(Board::Panel).ballots.size(), 0u);
  EXPECT_EQ(store.vote_count(), 3u);
  EXPECT_EQ(store.last_vote_ms(), 1'002);
  std::string reason;
  store.each_vote([&](const Vote& vote) { reason += vote.removed; });
  EXPECT_EQ(reason, "spam");
}

TEST_F(StoreTest, VotesAreNeverChangedOrDeleted) {
  {
    Store store = make();
    store.add_votes(std::vector<Vote>{vote_of(0)});
    store.remove(std::vector<std::string>{vote_of(0).id}, "spam", 7);
    fill(store);
    const auto judgments = store.judgments();
    store.add_offer(offer_of({judgments[0].id, judgments[1].id}, "t"));
  }
  for (const char* sql : {"DELETE FROM votes", "UPDATE votes SET outcome = 1", "DELETE FROM offers",
                          "UPDATE offers SET time = 1", "DELETE FROM tombstones",
                          "UPDATE tombstones SET reason = ''"})
    change(sql, SQLITE_CONSTRAINT);
}

TEST_F(StoreTest, AVoterHasOneHashHereAndAnotherElsewhere) {
  Store store = make();
  const std::string hash = store.voter_hash("ada");
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(store.voter_hash("ada"), hash);
  EXPECT_NE(store.voter_hash("bob"), hash);
  Store again(path_);
  EXPECT_EQ(again.voter_hash("ada"), hash);
  Store other(folder_ / "b.db", Opening::MakeIfMissing);
  EXPECT_NE(other.voter_hash("ada"), hash);
}

// A process that votes as fast as it can is killed; what it said was stored is there.
TEST_F(StoreTest, KillsLoseNothingThatWasAcknowledged) {
  constexpr int kKills = 50;
  int id = 0;
  std::size_t acknowledged = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Store store(path_, Opening::MakeIfMissing);
      for (int i = id;; ++i) {
        store.add_votes(std::vector<Vote>{vote_of(i)});
        if (::write(ends[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(ends[1]);
    char byte = 0;  // Until it is at work.
    std::size_t said = ::read(ends[0], &byte, 1) == 1 ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 37 * kill));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &byte, 1) == 1) ++said;
    ::close(ends[0]);
    ASSERT_GE(said, 1u);
    Store store(path_);
    for (std::size_t i = 0; i < said; ++i)
      EXPECT_TRUE(store.has_vote(vote_of(id + static_cast<int>(i)).id));
    acknowledged += said;
    id += 1'000'000;
    EXPECT_GE(store.vote_count(), acknowledged);
    EXPECT_LE(store.vote_count(), acknowledged + static_cast<std::size_t>(kill) + 1);
  }
}

TEST_F(StoreTest, RefusesWhatIsNoArenaAndLeavesIt) {
  EXPECT_EQ(message_of<Error>([&] { Store{path_}; }),
            path_ + ": there is no such arena; name another file");
  folder_.file("a.db", "this is a text file, and no database at all");
  EXPECT_EQ(message_of<Error>([&] { Store{path_}; }),
            path_ + ": this file is not an arena; name another file");
  EXPECT_EQ(slurp(path_), "this is a text file, and no database at all");
  EXPECT_EQ(message_of<Error>([&] { Store(path_, Opening::MustBeNew); }),
            path_ + ": this file is there already; name another file");
  std::filesystem::remove(path_);
  change("CREATE TABLE theirs (x)");
  EXPECT_EQ(message_of<Error>([&] { Store{path_}; }),
            path_ + ": this SQLite file is not an arena; name another file");
}

TEST_F(StoreTest, SaysThatItIsDamagedOrInUse) {
  {
    Store store = make();
    for (int i = 0; i < 3; ++i) store.add_votes(std::vector<Vote>{vote_of(i)});
  }
  sqlite3* other = nullptr;
  sqlite3_open(path_.c_str(), &other);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(message_of<Error>([&] {
              Store(path_, Opening::MustBeThere, std::chrono::milliseconds(50))
                  .add_votes(std::vector<Vote>{vote_of(9)});
            }),
            path_ + ": the arena is in use by another program; wait for it, or name another file");
  sqlite3_close(other);
  std::string bytes = slurp(path_);
  for (std::size_t i = 100; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  std::ofstream(path_, std::ios::binary) << bytes;
  EXPECT_EQ(message_of<Error>([&] { Store{path_}; }),
            path_ + ": the arena is damaged; move it away to begin a new one");
}

}  // namespace
}  // namespace selene::arena
