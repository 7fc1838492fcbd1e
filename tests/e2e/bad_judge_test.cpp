// Endpoints and ledgers that cannot be used, as a user meets them: what is said, and that nothing
// finished is lost. The judge is a server of this process, so no model is needed.
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include <fmt/format.h>

#include "engine/chat_server.h"
#include "program.h"

namespace selene::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kRows = 6;

class ServedJudge : public ::testing::Test {
 protected:
  static std::string rows() {
    std::string text;
    for (size_t i = 0; i < kRows; ++i) {
      text += Json{{"id", i},
                   {"task", "classification"},
                   {"input", "Name a number."},
                   {"response", std::to_string(i)}}
                  .dump() +
              "\n";
    }
    return text;
  }
  // One request after another, and no second attempt.
  Finished judged_by(const std::string& judge_spec, std::vector<std::string> more = {},
                     const char* retries = "0") const {
    more.insert(more.begin(), {"judge", samples_, "--judge", judge_spec, "--in-flight", "1",
                               "--retries", retries, "--mode", "verdict"});
    return run(more);
  }
  // Besides warnings.
  void expect_error(const Finished& finished, const std::string& message) const {
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(("\n" + finished.err).find("\nerror: " + message), std::string::npos) << finished.err;
  }
  Json run_json() const { return Json::parse(slurp(out_ + ".run.json")); }

  TemporaryFolder folder_;
  std::string samples_ = folder_.file("samples.jsonl", rows());
  std::string out_ = folder_ / "out.jsonl";
};

// --- inputs that are no file, or do not stay as they are ---

TEST_F(ServedJudge, ReadsAPipe) {
  ChatServer server;
  const std::string spec = server.url() + "#judge";
  const std::string straight = judged_by(spec).out;
  for (const char* line : {R"("$@" <(cat "$SAMPLES"))", R"(cat "$SAMPLES" | "$@" /dev/stdin)"}) {
    SCOPED_TRACE(line);
    Call call{.args = {"judge", "--judge", spec, "--mode", "verdict", "--no-ledger"}};
    call.environment["SAMPLES"] = samples_;
    const Finished finished = run(in_bash(call, line));
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(finished.out, straight);
  }
}

TEST_F(ServedJudge, SaysThatTheInputChanged) {
  // Blank space between the rows, so that no part of one is in a buffer when the file is cut.
  constexpr size_t kRowBytes = 16 << 10;
  std::string many;
  while (many.size() < 200 * kRowBytes) {
    many += rows().substr(0, rows().find('\n')).replace(6, 1, std::to_string(many.size())) + "\n";
    many += std::string(kRowBytes - 1 - many.size() % kRowBytes, ' ') + "\n";
  }
  const std::string samples = folder_.file("many.jsonl", many);
  ChatServer server;
  server.next([&](httplib::Response& response) {
    fs::resize_file(samples, kRowBytes);
    ChatServer::status(500)(response);
  });
  const Finished finished =
      run({"judge", samples, "--judge", server.url() + "#judge", "--mode", "verdict"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(rows_of(finished.out).size(), 64u);
  EXPECT_NE(finished.err.find("error: " + samples +
                              ": the input changed while it was read; leave it as it is during a "
                              "run, and run the same command again\n"),
            std::string::npos)
      << finished.err;
}

// --- endpoints ---

TEST_F(ServedJudge, ThatIsNotThere) {
  const std::string url = dead_url();
  const Finished finished = judged_by(url + "#m");
  expect_error(finished, "no endpoint works after 1 attempts: " + url + ": no connection: ");
  EXPECT_NE(finished.err.find("; check that the servers run and speak OpenAI's chat API, and run "
                              "the same command again\n"),
            std::string::npos)
      << finished.err;
}

TEST_F(ServedJudge, ThatSpeaksAnotherProtocol) {
  const RawServer shell("SSH-2.0-OpenSSH_9.2p1\r\n");
  expect_error(judged_by(shell.url() + "#m"),
               "no endpoint works after 1 attempts: " + shell.url() + ": no HTTP answer: ");
  ChatServer site;
  site.next_for_models(ChatServer::body("<html>Welcome</html>"));
  expect_error(judged_by(site.url() + "#m"),
               "no endpoint works after 1 attempts: " + site.url() +
                   ": the answer is no JSON: '<html>Welcome</html>'; check that the servers run");
  EXPECT_EQ(site.calls(), 0u);
}

TEST_F(ServedJudge, ThatAnswersAsAnotherModel) {
  ChatServer server;
  server.answers_as = "gpt-2";
  expect_error(judged_by(server.url() + "#judge"),
               server.url() +
                   ": it was asked for model 'judge' and answered as 'gpt-2'; name the model that "
                   "the server has: URL#model\n");
}

TEST_F(ServedJudge, ThatStreamsGarbageLosesNothing) {
  ChatServer server;
  const std::string spec = server.url() + "#judge";
  const std::string straight = judged_by(spec).out;
  ASSERT_EQ(rows_of(straight).size(), kRows);

  ChatServer faulty;
  faulty.breaks_after = 3;
  faulty.breaks_with = ChatServer::body("data: {\"choices\":[{\"delta\":{}}]}\n\n");
  const std::vector<std::string> to_file{"--out", out_};
  expect_error(
      judged_by(faulty.url() + "#judge", to_file),
      faulty.url() +
          ": row '3': a request failed 1 times, at last here: the answer is no JSON: 'data: {");
  const std::string kept = slurp(out_ + ".part");
  EXPECT_EQ(rows_of(kept).size(), 3u);
  EXPECT_TRUE(straight.starts_with(kept));
  EXPECT_FALSE(fs::exists(out_));

  const size_t calls = server.calls();
  const Finished again = judged_by(spec, to_file);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(slurp(out_), straight);
  EXPECT_EQ(server.calls() - calls, kRows - 3);
}

TEST_F(ServedJudge, ThatRefusesARowIsAskedForItAgain) {
  ChatServer server;
  const std::vector<std::string> kept{"--ledger", folder_ / "ledger.sqlite"};
  server.next(ChatServer::status(400, R"({"error":{"message":"9 tokens, context size 8"}})"));
  const Finished first = judged_by(server.url() + "#judge", kept);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(rows_of(first.out)[0].at("unreadable"), "9 tokens, context size 8");
  const Finished second = judged_by(server.url() + "#judge", kept);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(rows_of(second.out)[0].at("label"), "Yes");
  EXPECT_EQ(server.calls(), kRows + 1);
}

TEST_F(ServedJudge, ThatFailsAtARowNamesIt) {
  ChatServer server;
  server.breaks_after = 2;
  server.breaks_with = ChatServer::status(500, R"({"error":{"message":"bug"}})");
  const Finished finished = judged_by(server.url() + "#judge", {"--out", out_});
  expect_error(finished, server.url() +
                             ": row '2': a request failed 1 times, at last here: status 500: bug; "
                             "look at the server");
}

TEST_F(ServedJudge, OfTwoMembersAtTwoAddressesAsksBoth) {
  ChatServer one;
  ChatServer two;
  const std::string jury = folder_.file(
      "jury.yaml",
      fmt::format("members:\n- endpoint: {}#judge\n- endpoint: {}#judge\n", one.url(), two.url()));
  const Finished finished = judged_by(jury);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(one.calls(), kRows);
  EXPECT_EQ(two.calls(), kRows);
  EXPECT_EQ(rows_of(finished.out)[0].at("parts").size(), 2u);
}

TEST_F(ServedJudge, WarnsOfAKeyThatOthersCanRead) {
  ChatServer server;
  const std::string key = folder_.file("key", "sk-secret\n");
  fs::permissions(key, fs::perms::owner_all | fs::perms::others_read);
  const Finished finished = judged_by(server.url() + "#judge", {"--key-file", key});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.err.find("warning: " + key + " can be read by other users; `chmod 600` it\n"),
            std::string::npos)
      << finished.err;
  fs::permissions(key, fs::perms::owner_read);
  EXPECT_EQ(judged_by(server.url() + "#judge", {"--key-file", key}).err.find("warning"),
            std::string::npos);
}

TEST_F(ServedJudge, MayHaveItsSchemeInCapitals) {
  ChatServer server;
  const Finished finished = judged_by("HTTP" + server.url().substr(4) + "#judge");
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

// The first row is not done, a later one is.
TEST_F(ServedJudge, AnInterruptWithoutALedgerSaysThatWhatIsFinishedIsKept) {
  ChatServer server;
  server.fails_at = R"(```\n0\n```)";
  server.fails_with = [&](httplib::Response& response) { server.stall(response); };
  Running running({.args = {"judge", samples_, "--judge", server.url() + "#judge", "--mode",
                            "verdict", "--no-ledger", "--out", out_},
                   .limit = std::chrono::seconds(60)});
  while (server.calls() < kRows && !running.ended()) ApiServer::pause();
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  running.signal(SIGINT);
  const Finished finished = running.wait();
  EXPECT_EQ(finished.exit_code, 130);
  EXPECT_TRUE(finished.err.ends_with(
      "interrupted before a row was done, what is finished of later ones is kept; the same command "
      "again goes on from there\n"))
      << finished.err;
  server.fails_at.clear();
  const size_t calls = server.calls();
  const Finished again = run({"judge", samples_, "--judge", server.url() + "#judge", "--mode",
                              "verdict", "--no-ledger", "--out", out_, "--quiet"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.err, "");
  EXPECT_LT(server.calls(), calls + kRows);
}

TEST_F(ServedJudge, QuietSaysNothingOfGoingOn) {
  ChatServer faulty;
  faulty.breaks_after = 3;
  faulty.breaks_with = ChatServer::status(403);
  ASSERT_EQ(judged_by(faulty.url() + "#judge", {"--out", out_}).exit_code, 1);
  ChatServer server;
  const Finished again = judged_by(server.url() + "#judge", {"--out", out_, "--quiet"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.err, "");
}

// --- replay ---

TEST_F(ServedJudge, ReplayComparesTheLabelThatWasRead) {
  ChatServer server("library");
  const std::string ledger = folder_ / "ledger.sqlite";
  const Finished first = judged_by(server.url() + "#judge", {"--ledger", ledger});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const std::string key = rows_of(first.out)[0].at("key");
  const Call call{.args = {"ledger", "replay", key, "--judge", server.url() + "#judge", "--key-env",
                           "SELENE_TEST_KEY", "--ledger", ledger},
                  .environment = {{"SELENE_TEST_KEY", "sk-secret"}}};
  const Finished same = run(call);
  EXPECT_EQ(same.exit_code, 0) << same.err;
  EXPECT_EQ(same.out, "critique the same bytes\nscores   the same bits\nlabel    the same\n");
  EXPECT_EQ(server.requests().back().get_header_value("Authorization"), "Bearer sk-secret");

  server.whole_answer = "**Reasoning:** Good.\n\n**Result:** No";
  const Finished other = run(call);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_EQ(other.out,
            "critique the same bytes\nscores   the same bits\nlabel    DIFFERS\n  then: Yes\n"
            "  now:  No\n");
  server.whole_answer = "**Reasoning:** Good.";
  const Finished none = run(call);
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_NE(none.out.find("label    DIFFERS\n  then: Yes\n  now:  none: no result mark\n"),
            std::string::npos)
      << none.out;
}

TEST_F(ServedJudge, ReplayShowsATerminalNoControlCharacters) {
  ChatServer server("library");
  const std::string ledger = folder_ / "ledger.sqlite";
  const Finished first = judged_by(server.url() + "#judge", {"--ledger", ledger});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  ChatServer hostile("library", "ju\x1b[2Jdge");
  hostile.whole_answer = "Bad \x1b[31m.";
  const Finished finished = run({"ledger", "replay", rows_of(first.out)[0].at("key"), "--judge",
                                 hostile.url(), "--ledger", ledger});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_EQ(finished.out.find('\x1b'), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("now endpoint:ju\uFFFD[2Jdge\n"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("  now:  Bad \uFFFD[31m.\n"), std::string::npos) << finished.out;
}

TEST_F(ServedJudge, ReplayTakesACapitalKeyAndSaysWhatAKeyIs) {
  ChatServer server;
  const std::string ledger = folder_ / "ledger.sqlite";
  const Finished first = judged_by(server.url() + "#judge", {"--ledger", ledger});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const auto replay = [&](const std::string& key) {
    return run({"ledger", "replay", key, "--judge", server.url() + "#judge", "--ledger", ledger});
  };
  std::string key = rows_of(first.out)[0].at("key");
  for (char& c : key) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(replay(key).exit_code, 0);
  const Finished none = replay(std::string(64, '0'));
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_TRUE(none.err.ends_with(
      "; a judgment with parts is no record: give the key of one of its parts\n"))
      << none.err;
}

TEST_F(ServedJudge, ReplayFindsTheMemberThatMadeARecord) {
  ChatServer one;
  ChatServer two("vllm", "other");
  const std::string jury = folder_.file(
      "jury.yaml",
      fmt::format("members:\n- endpoint: {}#judge\n- endpoint: {}#other\n", one.url(), two.url()));
  const std::string ledger = folder_ / "ledger.sqlite";
  const Finished judged = judged_by(jury, {"--ledger", ledger});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  const size_t calls = one.calls();
  const std::string key = rows_of(judged.out)[0].at("parts")[1].at("key");
  const Finished finished = run({"ledger", "replay", key, "--judge", jury, "--ledger", ledger});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  EXPECT_EQ(finished.out, "critique the same bytes\nscores   the same bits\nlabel    the same\n");
  EXPECT_EQ(one.calls(), calls);
}

TEST_F(ServedJudge, ReplayEndsSoonWhenItIsInterrupted) {
  ChatServer server;
  const std::string ledger = folder_ / "ledger.sqlite";
  const Finished judged = judged_by(server.url() + "#judge", {"--ledger", ledger});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  server.next([&](httplib::Response& response) { server.stall(response); });
  const size_t calls = server.calls();
  Running running({.args = {"ledger", "replay", rows_of(judged.out)[0].at("key"), "--judge",
                            server.url() + "#judge", "--ledger", ledger},
                   .limit = std::chrono::seconds(20)});
  while (server.calls() == calls && !running.ended()) ApiServer::pause();
  running.signal(SIGINT);
  const Finished finished = running.wait();
  EXPECT_EQ(finished.exit_code, 130);
  EXPECT_EQ(finished.err, "error: interrupted\n");
}

// --- what run.json says of them ---

TEST_F(ServedJudge, HasItsRequestsAndFailuresCounted) {
  ChatServer server;
  server.next(ChatServer::status(500));
  std::string with_user = server.url() + "#judge";
  with_user.insert(with_user.find("127"), "me:secret@");
  const Finished finished = judged_by(with_user, {"--out", out_}, /*retries=*/"1");
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.err.find("secret"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("warning: " + server.url() + ": it is left alone for a while: "),
            std::string::npos)
      << finished.err;
  EXPECT_EQ(run_json().at("servers"),
            Json::parse(fmt::format(R"([{{"address":"{}","requests":{},"failures":1,)"
                                    R"("retries":1}}])",
                                    server.url(), kRows + 1)));
}

TEST_F(ServedJudge, IsNotExactAndSaysSo) {
  ChatServer server;
  ASSERT_EQ(judged_by(server.url() + "#judge", {"--out", out_}).exit_code, 0);
  EXPECT_EQ(run_json().at("exact"), false);
  EXPECT_EQ(run_json().at("counts").at("judged"), kRows);
  EXPECT_EQ(run_json().at("counts").at("without_probabilities"), 0);
}

TEST_F(ServedJudge, WithoutLogProbabilitiesIsCounted) {
  ChatServer server;
  server.with_log_probs = false;
  const Finished finished = judged_by(server.url() + "#judge", {"--out", out_});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.err.find("6 rows: 6 judged, 0 unreadable, 0 skipped, 6 without probabilities"),
            std::string::npos)
      << finished.err;
  EXPECT_EQ(run_json().at("counts").at("without_probabilities"), kRows);
  for (const Json& judgment : rows_of(slurp(out_))) {
    EXPECT_EQ(judgment.at("label"), "Yes");
    EXPECT_TRUE(judgment.at("probabilities").is_null());
  }
}

TEST_F(ServedJudge, AMemberThatGivesLessIsNamed) {
  ChatServer good;
  ChatServer silent("library", "silent");
  silent.whole_answer = "I would rather not say.";
  ChatServer plain("vllm", "plain");
  plain.with_log_probs = false;
  const std::string jury = folder_.file(
      "jury.yaml", fmt::format("members:\n- endpoint: {}#judge\n- endpoint: {}#silent\n- "
                               "endpoint: {}#plain\n",
                               good.url(), silent.url(), plain.url()));
  const Finished finished = judged_by(jury, {"--out", out_});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.err.find("6 judged, 0 unreadable, 0 skipped, 6 without probabilities, of the "
                              "parts by plain 0 unreadable and 6 without probabilities, of the "
                              "parts by silent 6 unreadable and 0 without probabilities"),
            std::string::npos)
      << finished.err;
  EXPECT_EQ(run_json().at("counts").at("parts"),
            Json::parse(R"({"plain":{"unreadable":0,"without_probabilities":6},)"
                        R"("silent":{"unreadable":6,"without_probabilities":0}})"));
}

TEST_F(ServedJudge, ThatRefusesLogProbabilitiesIsAskedWithoutThem) {
  ChatServer server;
  server.next(ChatServer::status(400, R"({"error":{"message":"logprobs are not supported"}})"));
  expect_error(judged_by(server.url() + "#judge"),
               server.url() +
                   ": status 400: logprobs are not supported; write log_probs: false into a judge "
                   "file\n");
  const std::string file = folder_.file(
      "judge.yaml", fmt::format("endpoint: {}#judge\nlog_probs: false\n", server.url()));
  const size_t calls = server.calls();
  const Finished finished = judged_by(file, {"--out", out_});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(run_json().at("counts").at("without_probabilities"), kRows);
  const auto requests = server.requests_of("/v1/chat/completions");
  ASSERT_EQ(requests.size(), calls + kRows);
  for (size_t i = calls; i < requests.size(); ++i)
    EXPECT_FALSE(Json::parse(requests[i].body).contains("logprobs"));
}

TEST_F(ServedJudge, AnUnreadableVerdictIsCountedAsWithoutProbabilitiesToo) {
  ChatServer server("library");  // It writes all in one call.
  server.whole_answer = "I would rather not say.";
  const Finished finished = judged_by(server.url() + "#judge", {"--out", out_});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(run_json().at("counts").at("unreadable"), kRows);
  EXPECT_EQ(run_json().at("counts").at("without_probabilities"), kRows);
  EXPECT_EQ(rows_of(slurp(out_))[0].at("critique"), "I would rather not say.");
}

// --- ledgers ---

TEST_F(ServedJudge, IsNotAskedWhenTheLedgerCannotBeUsed) {
  ChatServer server;
  const std::string spec = server.url() + "#judge";
  const std::string text = folder_.file("notes.txt", "my notes\n");
  const std::string message = text + ": this file is not a ledger; name another with --ledger FILE";
  expect_error(judged_by(spec, {"--ledger", text}), message);
  expect_error(run({"ledger", "stats", "--ledger", text}), message);
  EXPECT_EQ(slurp(text), "my notes\n");
  expect_error(judged_by(spec, {"--ledger", folder_.path()}),
               folder_.path().string() + ": the ledger cannot be opened for writing: ");
  EXPECT_EQ(server.calls(), 0u);
}

TEST_F(ServedJudge, IsNotNeededForWhatTheLedgerKnows) {
  auto server = std::make_unique<ChatServer>();
  const std::string url = server->url();
  const std::map<std::string, std::string> user{{"SELENE_DATA_HOME", folder_ / "user"}};
  const auto judged = [&](const std::string& samples, const std::string& spec) {
    return run({.args = {"judge", samples, "--judge", spec, "--mode", "verdict", "--retries", "1"},
                .environment = user});
  };
  const Finished first = judged(samples_, url + "#judge");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  server.reset();
  const auto start = std::chrono::steady_clock::now();
  const Finished again = judged(samples_, url + "#judge");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_TRUE(again.err.starts_with("warning: " + url +
                                    "#judge: no server answers; what the ledger knows of "
                                    "endpoint:judge is taken\n"))
      << again.err;
  // All else needs it.
  const std::string more = folder_.file("more.jsonl", rows() + R"({"task":"classification",)"
                                                               R"("input":"a","response":"b"})"
                                                               "\n");
  const Finished unknown = judged(more, url + "#judge");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_NE(unknown.err.find("no endpoint works after 2 attempts"), std::string::npos)
      << unknown.err;
  EXPECT_EQ(judged(samples_, url + "#other").exit_code, 1);
}

TEST_F(ServedJudge, LosesNothingWhenItsLedgerIsDamaged) {
  ChatServer server;
  const std::string spec = server.url() + "#judge";
  const std::string ledger = folder_ / "ledger.sqlite";
  const std::string straight = judged_by(spec, {"--ledger", ledger}).out;
  const size_t calls = server.calls();
  EXPECT_EQ(judged_by(spec, {"--ledger", ledger}).out, straight);
  EXPECT_EQ(server.calls(), calls);

  std::string bytes = slurp(ledger);
  const size_t number = bytes.rfind("\"label_log_probs\":[-0.2") + 19;
  ASSERT_EQ(bytes.substr(number, 4), "-0.2");
  bytes.replace(number, 4, "-0.9");
  const std::string changed = folder_.file("changed.sqlite", bytes);
  const Finished finished = judged_by(spec, {"--ledger", changed});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.out, straight);
  EXPECT_TRUE(
      finished.err.starts_with("warning: " + changed + ": the ledger is damaged at record "))
      << finished.err;
  EXPECT_NE(finished.err.find(": the record's result was changed: it has another digest; it is "
                              "judged again\n"),
            std::string::npos)
      << finished.err;
  EXPECT_EQ(server.calls(), calls + 1);
  EXPECT_EQ(judged_by(spec, {"--ledger", changed}).err.find("warning"), std::string::npos);
  EXPECT_EQ(server.calls(), calls + 1);

  const std::string export_to = folder_ / "export.jsonl";
  folder_.file("changed.sqlite", bytes);
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(changed + suffix);
  const Finished refused = run({"ledger", "export", export_to, "--ledger", changed});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(
      refused.err.find(" --ledger " + changed + ", or give --skip-damaged to export the others\n"),
      std::string::npos)
      << refused.err;
  EXPECT_FALSE(fs::exists(export_to));
  const Finished skipped =
      run({"ledger", "export", export_to, "--skip-damaged", "--ledger", changed});
  EXPECT_EQ(skipped.exit_code, 0);
  EXPECT_EQ(rows_of(slurp(export_to)).size(), kRows - 1);
  EXPECT_TRUE(skipped.err.ends_with(
      " is damaged and left out\n1 damaged record left out; selene ledger prune --damaged removes "
      "it\n"))
      << skipped.err;
  EXPECT_EQ(run({"ledger", "prune", "--damaged", "--ledger", changed}).out, "1 record removed\n");

  const std::string half = folder_.file("half.sqlite", bytes.substr(0, bytes.size() / 2));
  expect_error(judged_by(spec, {"--ledger", half}),
               half + ": the ledger is damaged; move it away to begin a new one\n");
  EXPECT_EQ(slurp(half), bytes.substr(0, bytes.size() / 2));
}

}  // namespace
}  // namespace selene::testing
