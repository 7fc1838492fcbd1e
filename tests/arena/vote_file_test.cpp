// Files of votes: what goes in, what is skipped and why, and what comes out again.
#include "arena/vote_file.h"

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

class VoteFileTest : public ::testing::Test {
 protected:
  std::vector<Vote> votes() {
    std::vector<Vote> all;
    store_.each_vote([&](const Vote& vote) { all.push_back(vote); });
    return all;
  }
  std::string reasons(const Imported& imported) {
    std::string text;
    for (const auto& [reason, skip] : imported.skipped)
      text += fmt::format("{} x{} {}\n", reason, skip.rows,
                          skip.first.substr(skip.first.rfind('/') + 1));
    return text;
  }

  selene::testing::TemporaryFolder folder_;
  Store store_{folder_ / "a.db", Opening::MakeIfMissing};
};

constexpr const char* kLmArena =
    R"x({"question_id": "1", "model_a": "x", "model_b": "y", "winner": "model_b", "judge": "u1", "tstamp": 1700000002.5, "anony": true, "language": "English"}
{"question_id": "2", "model_a": "y", "model_b": "z", "winner": "tie (bothbad)", "judge": "u2", "tstamp": 1700000001.0, "anony": true, "language": "German"}
{"question_id": "3", "model_a": "y", "model_b": "z", "winner": "tie", "judge": "u2", "tstamp": 1700000003.0, "anony": true}
{"question_id": "4", "model_a": "y", "model_b": "z", "winner": "model_a", "judge": "u2", "tstamp": 1700000003.0, "anony": false}
{"question_id": "5", "model_a": "y", "model_b": "z", "winner": "bothgood", "judge": "u2", "tstamp": 1700000003.0, "anony": true}
{"question_id": "6", "model_a": "y", "model_b": "", "winner": "model_a", "judge": "u2", "tstamp": 1700000003.0, "anony": true}
{"question_id": "7", "model_a": "y", "model_b": "z", "winner": "model_a", "judge": "u2", "tstamp": "yesterday", "anony": true}
{"question_id": "8", "model_a": "y", "model_b": "z", "winner": "model_a", "judge": "u2", "tstamp": -5, "anony": true}
)x";

TEST_F(VoteFileTest, TakesLmArenasBattlesOnceByTheirTime) {
  const std::filesystem::path file = folder_.file("battles.jsonl", kLmArena);
  const Imported imported = import_votes(store_, file);
  EXPECT_EQ(imported.format, VoteFormat::LmArena);
  EXPECT_EQ(imported.rows, 8u);
  EXPECT_EQ(imported.added, 3u);
  EXPECT_EQ(reasons(imported),
            "no model_b x1 battles.jsonl:6\n"
            "the names were shown (anony is false) x1 battles.jsonl:4\n"
            "tstamp is no time: '-5' x1 battles.jsonl:8\n"
            "tstamp is no time: 'yesterday' x1 battles.jsonl:7\n"
            "unknown winner 'bothgood' x1 battles.jsonl:5\n");
  const std::vector<Vote> all = votes();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].outcome, Outcome::BothBad);
  EXPECT_EQ(all[0].category, "German");
  EXPECT_EQ(all[0].time_ms, 1'700'000'001'000);
  EXPECT_EQ(all[1].outcome, Outcome::B);
  EXPECT_EQ(all[1].judge_b, "y");
  EXPECT_EQ(all[2].outcome, Outcome::Tie);
  EXPECT_EQ(all[0].voter, store_.voter_hash("u2"));
  const Imported again = import_votes(store_, file);
  EXPECT_EQ(again.added, 0u);
  EXPECT_EQ(again.known, 3u);
}

TEST_F(VoteFileTest, TakesJudgeArenasVotes) {
  const Imported imported = import_votes(
      store_,
      folder_.file(
          "votes.jsonl",
          R"({"timestamp": "2024-11-20T10:00:00.123456+00:00", "prompt": "p", "response_a": "r", "response_b": "s", "model_a": "x", "model_b": "y", "winner": "Tie", "judge_id": "u"}
{"timestamp": "2024-11-20T10:00:01", "prompt": "p", "response_a": "r", "response_b": "s", "model_a": "x", "model_b": "y", "winner": "A", "judge_id": "u"}
{"timestamp": "2024-11-20T10:00:01", "prompt": "p", "response_a": "r", "response_b": "s", "model_a": "x", "model_b": "y", "winner": "A", "judge_id": "u"}
{"timestamp": "2024-11-20T10:00:02", "prompt": "p", "model_a": "x", "model_b": "y", "winner": "error", "judge_id": "u"}
)"));
  EXPECT_EQ(imported.format, VoteFormat::JudgeArena);
  EXPECT_EQ(imported.added, 3u);  // A row that stands there twice is two votes.
  EXPECT_EQ(reasons(imported), "unknown winner 'error' x1 votes.jsonl:4\n");
  EXPECT_EQ(votes()[0].time_ms, 1'732'096'800'123);
  EXPECT_EQ(votes()[1].outcome, Outcome::A);
}

TEST_F(VoteFileTest, OursComesBackAsItWas) {
  import_votes(store_, folder_.file("battles.jsonl", kLmArena));
  store_.remove(std::vector<std::string>{votes()[1].id}, "spam", 5);
  for (const char* name : {"out.jsonl", "out.parquet"}) {
    const std::filesystem::path out = folder_ / name;
    EXPECT_EQ(export_votes(store_, out, VoteFormat::Ours, false), 3u);
    Store other(folder_ / (std::string(name) + ".db"), Opening::MakeIfMissing);
    const Imported imported = import_votes(other, out);
    EXPECT_EQ(imported.format, VoteFormat::Ours);
    EXPECT_EQ(imported.added, 3u) << reasons(imported);
    std::vector<std::string> there;
    other.each_vote([&](const Vote& vote) { there.push_back(to_json(vote).dump()); });
    std::vector<std::string> here;
    for (const Vote& vote : votes()) here.push_back(to_json(vote).dump());
    EXPECT_EQ(there, here);
    EXPECT_EQ(import_votes(other, out).added, 0u);
  }
  EXPECT_NE(message_of<Error>([&] {
              export_votes(store_, folder_ / "out.jsonl", VoteFormat::Ours, false);
            }).find("out.jsonl"),
            std::string::npos);
}

TEST_F(VoteFileTest, OthersFormatsComeBackWithTheSameBoard) {
  import_votes(store_, folder_.file("battles.jsonl", kLmArena));
  for (const VoteFormat format : {VoteFormat::LmArena, VoteFormat::JudgeArena}) {
    const std::filesystem::path out = folder_ / "votes.jsonl";
    EXPECT_EQ(export_votes(store_, out, format, true), 3u);
    Store other(folder_ / fmt::format("{}.db", static_cast<int>(format)), Opening::MakeIfMissing);
    EXPECT_EQ(import_votes(other, out).format, format);
    const BoardVotes one = store_.board(Board::People);
    const BoardVotes two = other.board(Board::People);
    EXPECT_EQ(one.ballots.a, two.ballots.a);
    EXPECT_EQ(one.ballots.b, two.ballots.b);
  }
}

TEST_F(VoteFileTest, VotesForUnknownJudgesAreSkippedUnlessTheyAreToBeAdded) {
  store_.add_judge("x", "");
  store_.add_judge("y", "");
  const std::filesystem::path file = folder_.file("battles.jsonl", kLmArena);
  const Imported some = import_votes(store_, file);
  EXPECT_EQ(some.added, 1u);
  EXPECT_NE(reasons(some).find("the arena has no judge 'z' x2 battles.jsonl:2"), std::string::npos)
      << reasons(some);
  EXPECT_EQ(import_votes(store_, file, {.format = {}, .add_judges = true}).added, 2u);
}

TEST_F(VoteFileTest, AFileThatIsNoVotesAddsNothing) {
  const std::string columns = folder_.file("c.jsonl", "{\"prompt\": \"p\", \"score\": 1}\n");
  EXPECT_EQ(message_of<Error>([&] { import_votes(store_, columns); }),
            columns +
                ":1: these columns are no votes: prompt, score; ours has judge_a, judge_b and "
                "outcome, LMArena's model_a, model_b and winner (with tstamp), Judge Arena's the "
                "same with timestamp");
  const std::string broken =
      folder_.file("b.jsonl", std::string(kLmArena) + "{\"model_a\": NaN}\n");
  EXPECT_NE(message_of<Error>([&] { import_votes(store_, broken); }).find("b.jsonl:9"),
            std::string::npos);
  EXPECT_EQ(store_.vote_count(), 0u);
  EXPECT_EQ(message_of<Error>([&] { import_votes(store_, folder_ / "none.parquet"); }),
            (folder_ / "none.parquet").string() + ": there is no such file");
  EXPECT_EQ(message_of<Error>([] { vote_format("csv"); }),
            "unknown format 'csv'; known: ours, lmarena, judge-arena");
}

TEST_F(VoteFileTest, OurRowsAreCheckedToo) {
  const std::string id(64, 'a');
  const std::string file = folder_.file(
      "v.jsonl",
      fmt::format(
          "{{\"id\": \"{0}\", \"judge_a\": \"x\", \"judge_b\": \"y\", \"outcome\": \"A\"}}\n"
          "{{\"id\": \"short\", \"judge_a\": \"x\", \"judge_b\": \"y\", \"outcome\": \"A\"}}\n"
          "{{\"id\": \"{0}\", \"judge_a\": \"x\", \"judge_b\": \"y\", \"outcome\": \"draw\"}}\n"
          "{{\"id\": \"{0}\", \"judge_a\": \"x\", \"judge_b\": \"y\", \"outcome\": \"B\", "
          "\"taken_ms\": -1}}\n",
          id));
  const Imported imported = import_votes(store_, file);
  EXPECT_EQ(imported.added, 1u);
  EXPECT_EQ(reasons(imported),
            "taken_ms is no time: '-1' x1 v.jsonl:4\n"
            "the id is no vote's x1 v.jsonl:2\n"
            "unknown outcome 'draw' x1 v.jsonl:3\n");
}

TEST(VoteTime, IsReadAsItIsWritten) {
  EXPECT_EQ(time_text(1'732'096'800'123), "2024-11-20T10:00:00.123Z");
  EXPECT_EQ(time_from_text("2024-11-20T10:00:00.123Z"), 1'732'096'800'123);
  EXPECT_EQ(time_from_text("2024-11-20 12:00:00+02:00"), 1'732'096'800'000);
  for (const char* none :
       {"2024-11-20", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-11-20T25:00:00Z",
        "1969-12-31T23:59:59Z", "2024-11-20T10:00:00.Z", "2024-11-20T10:00:00Zulu", ""})
    EXPECT_FALSE(time_from_text(none)) << none;
}

}  // namespace
}  // namespace selene::arena
