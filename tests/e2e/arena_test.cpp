// An arena as a user has one: made with the default model, voted on in the terminal and over HTTP,
// boards, files of votes, a panel, and what is refused.
#include <httplib.h>

#include <fmt/format.h>

#include "arena/server.h"
#include "default_model.h"
#include "program.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

Finished arena(std::vector<std::string> args) {
  args.insert(args.begin(), "arena");
  return run(args);
}

class ArenaProgram : public ::testing::Test {
 protected:
  Finished simulate(const std::string& name, int votes = 600) {
    return arena({"simulate", "--judges", "5", "--votes", fmt::format("{}", votes), "--out",
                  folder_ / name});
  }
  TemporaryFolder folder_;
  std::string path_ = folder_ / "a.db";
};

TEST_F(ArenaProgram, ASimulatedArenaHasABoardBesideTheTruth) {
  const Finished made = simulate("a.db");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.out.find("true ratings are inside their intervals"), std::string::npos)
      << made.out;
  const Finished board = arena({"board", path_, "--format", "json", "--plot", folder_ / "f.svg",
                                "--matrix", folder_ / "m.svg", "--markdown", folder_ / "b.md"});
  ASSERT_EQ(board.exit_code, 0) << board.err;
  const Json json = Json::parse(board.out);
  EXPECT_EQ(json.at("votes"), 600);
  for (const Json& judge : json.at("judges")) {
    EXPECT_LT(judge.at("interval")[0], judge.at("rating"));
    EXPECT_GT(judge.at("interval")[1], judge.at("rating"));
    EXPECT_TRUE(judge.contains("true"));
  }
  EXPECT_NE(slurp(folder_ / "f.svg").find("<svg"), std::string::npos);
  EXPECT_NE(slurp(folder_ / "m.svg").find("<svg"), std::string::npos);
  EXPECT_NE(slurp(folder_ / "b.md").find("| judge |"), std::string::npos);
  const Finished elo = arena({"board", path_, "--rating", "elo", "--interval", "judge-arena"});
  EXPECT_NE(elo.out.find("it is not an interval"), std::string::npos) << elo.out;
  EXPECT_EQ(arena({"audit", path_}).exit_code, 0);
}

TEST_F(ArenaProgram, ManySimulatedArenasAreSummedUp) {
  const Finished report = arena({"simulate", "--judges", "4", "--votes", "300", "--arenas", "50"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  EXPECT_NE(report.out.find("50 arenas of 4 judges and 300 votes"), std::string::npos);
  EXPECT_NE(report.out.find("votes for half an interval of 25"), std::string::npos) << report.out;
}

TEST_F(ArenaProgram, VotesGoOutAndInOnce) {
  ASSERT_EQ(simulate("a.db", 50).exit_code, 0);
  for (const char* name : {"v.jsonl", "v.parquet"}) {
    const std::string file = folder_ / name;
    ASSERT_EQ(arena({"export", path_, "--out", file}).exit_code, 0);
    EXPECT_EQ(arena({"export", path_, "--out", file}).exit_code, 1);
    const std::string other = folder_ / (std::string(name) + ".db");
    const Finished imported = arena({"import", other, file});
    EXPECT_EQ(imported.out, "50 rows: 50 votes added, 0 were there already\n") << imported.err;
    EXPECT_EQ(arena({"import", other, file}).out,
              "50 rows: 0 votes added, 50 were there already\n");
    EXPECT_EQ(
        Json::parse(arena({"board", path_, "--format", "json"}).out).at("judges")[0].at("rating"),
        Json::parse(arena({"board", other, "--format", "json"}).out).at("judges")[0].at("rating"));
  }
}

// The rows of the example in docs/formats.md.
TEST_F(ArenaProgram, TheVotesOfTheDocumentAreVotes) {
  const std::string text = slurp(source_file("docs/formats.md"));
  const size_t mark = text.find("<!-- example: vote -->\n```");
  ASSERT_NE(mark, std::string::npos);
  const size_t begin = text.find('\n', text.find("```", mark)) + 1;
  const std::string rows = text.substr(begin, text.find("\n```", begin) + 1 - begin);
  const Finished imported = arena({"import", path_, folder_.file("v.jsonl", rows)});
  EXPECT_EQ(imported.out, "2 rows: 2 votes added, 0 were there already\n") << imported.err;
  const std::string out = folder_ / "out.jsonl";
  ASSERT_EQ(arena({"export", path_, "--out", out}).exit_code, 0);
  EXPECT_EQ(slurp(out), rows);
}

TEST_F(ArenaProgram, RefusesWhatCannotBe) {
  const auto expect = [&](std::vector<std::string> args, int code, const std::string& error) {
    const Finished finished = arena(std::move(args));
    EXPECT_EQ(finished.exit_code, code) << finished.err;
    EXPECT_NE(finished.err.find(error), std::string::npos) << finished.err;
  };
  expect({"board", path_}, 1, "there is no such arena");
  expect({"simulate"}, 2, "there is nothing to do; give --out FILE, or --arenas N");
  expect({"init", path_}, 2, "there is nothing to add; give --samples FILE or --judges FILE");
  ASSERT_EQ(simulate("a.db", 20).exit_code, 0);
  expect({"simulate", "--out", path_}, 1, "this file is there already");
  expect({"init", path_, "--samples", source_file("examples/answers.jsonl")}, 1,
         "selene arena add brings more samples and judges to an arena");
  expect({"vote", path_}, 1, "no sample of this arena has judgments of two judges");
  expect({"serve", path_, "--port", "0"}, 1, "no sample of this arena has judgments of two judges");
  expect({"board", path_, "--rating", "glicko"}, 2, "--rating");
  expect({"board", path_, "--rating", "elo", "--interval", "bootstrap"}, 1,
         "Elo's ratings depend on the order of the votes");
  expect({"board", folder_.file("text", "no database, but long enough to be looked at as one")}, 1,
         "this file is not an arena");
}

class ArenaModel : public DefaultModelTest {
 protected:
  // Two judges of one model: by its own words, and by the verdict alone.
  std::string judges() const {
    return folder_.file("judges.yaml",
                        "members:\n"
                        "  - {name: wordy, model: default, max_tokens: 12}\n"
                        "  - {name: terse, model: default, mode: verdict}\n");
  }
  Finished init() const {
    return run(Call{.args = {"arena", "init", path_, "--samples",
                             source_file("examples/answers.jsonl"), "--judges", judges(),
                             "--threads", "1", "--ledger", folder_ / "l.sqlite", "--quiet"}});
  }
  TemporaryFolder folder_;
  std::string path_ = folder_ / "a.db";
};

TEST_F(ArenaModel, IsMadeVotedOnAndRated) {
  const Finished made = init();
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out,
            "8 samples added, 8 in the arena\n"
            "wordy: 8 samples judged, 0 known already\n"
            "terse: 8 samples judged, 0 known already\n");
  const Finished again = run(Call{.args = {"arena", "add", path_, "--judges", judges(), "--threads",
                                           "1", "--ledger", folder_ / "l.sqlite", "--quiet"}});
  EXPECT_EQ(again.out,
            "wordy: 0 samples judged, 8 known already\n"
            "terse: 0 samples judged, 8 known already\n")
      << again.err;
  const Finished voted =
      run(Call{.args = {"arena", "vote", path_, "--voter", "ada"}, .input = "a\nx\nt\nn\nq\n"});
  EXPECT_EQ(voted.exit_code, 0) << voted.err;
  EXPECT_NE(voted.out.find(" was wordy"), std::string::npos) << voted.out;
  EXPECT_NE(voted.err.find("3 votes stored"), std::string::npos) << voted.err;
  const Json board = Json::parse(arena({"board", path_, "--format", "json"}).out);
  EXPECT_EQ(board.at("votes"), 3);
  EXPECT_EQ(board.at("judges").size(), 2u);

  const Finished panel =
      run(Call{.args = {"arena", "panel", path_, "--judges", judges(), "--with-self", "--mode",
                        "verdict", "--threads", "1", "--ledger", folder_ / "l.sqlite", "--quiet"}});
  ASSERT_EQ(panel.exit_code, 0) << panel.err;
  EXPECT_NE(panel.out.find("wordy: 16 votes"), std::string::npos) << panel.out;
  EXPECT_NE(panel.out.find("Panel: 32 votes"), std::string::npos) << panel.out;
  EXPECT_EQ(Json::parse(arena({"board", path_, "--format", "json"}).out).at("votes"), 3);
}

TEST_F(ArenaModel, IsServedUntilItIsInterrupted) {
  if (!selene::arena::can_serve()) GTEST_SKIP() << "SKIPPED: this build has no page";
  ASSERT_EQ(init().exit_code, 0);
  Running served(Call{.args = {"arena", "serve", path_, "--port", "0"}});
  while (served.out().find('\n') == std::string::npos && !served.ended())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::string address = served.out().substr(0, served.out().find("/\n"));
  httplib::Client client(address);
  const auto page = client.Get("/");
  ASSERT_TRUE(page);
  EXPECT_NE(page->body.find("Which judgment is better?"), std::string::npos);
  const auto pair = client.Get("/api/next");
  const std::string cookie = pair->get_header_value("Set-Cookie");
  const auto voted =
      client.Post("/api/vote", httplib::Headers{{"Cookie", cookie.substr(0, cookie.find(';'))}},
                  Json{{"token", Json::parse(pair->body).at("token")}, {"outcome", "A"}}.dump(),
                  "application/json");
  EXPECT_EQ(voted->status, 200) << voted->body;
  served.signal(SIGINT);
  EXPECT_EQ(served.wait().exit_code, 0);
  EXPECT_EQ(Json::parse(arena({"board", path_, "--format", "json"}).out).at("votes"), 1);
}

}  // namespace
}  // namespace selene::testing
