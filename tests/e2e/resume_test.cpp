// A run that is killed, interrupted or out of disk space goes on where it stopped and ends with the
// same bytes.
#include <algorithm>

#include <fmt/format.h>

#include "default_model.h"
#include "program.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr size_t kRows = 8;

class Resume : public DefaultModelTest {
 protected:
  void SetUp() override {
    DefaultModelTest::SetUp();
    if (IsSkipped()) return;
    std::string rows;
    for (size_t i = 0; i < kRows; ++i) {
      rows += Json{{"id", i},
                   {"task", "classification"},
                   {"input", "Name a number."},
                   {"response", fmt::format("{}, my friend.", 10 + i)}}
                  .dump() +
              "\n";
    }
    samples_ = folder_.file("samples.jsonl", rows);
    out_ = folder_ / "out.jsonl";
  }

  // Critiques one after another (memory for one), so that rows come one by one.
  Call slow_call(const std::string& out) const {
    return judge_call({samples_, "--max-tokens", "12", "--kv-mib", "1", "--out", out});
  }
  std::string straight() const {
    const std::string out = folder_ / "straight.jsonl";
    const Finished finished = run(slow_call(out));
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return slurp(out);
  }
  size_t rows_done() const {
    const std::string part = slurp(out_ + ".part");
    return static_cast<size_t>(std::count(part.begin(), part.end(), '\n'));
  }
  // Starts the run and sends the signal once some rows, and not all, are there.
  Finished stopped_by(int signal) const { return stopped_by(signal, slow_call(out_)); }
  Finished stopped_by(int signal, const Call& call) const {
    Running running(call);
    while (!running.ended() && rows_done() < 2) std::this_thread::sleep_for(2ms);
    running.signal(signal);
    return running.wait();
  }

  TemporaryFolder folder_;
  std::string samples_;
  std::string out_;
};

TEST_F(Resume, AKilledRunGoesOnToTheSameBytes) {
  const Finished killed = stopped_by(SIGKILL);
  ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
  ASSERT_FALSE(std::filesystem::exists(out_));
  const size_t kept = rows_done();
  ASSERT_GE(kept, 2u);
  ASSERT_LT(kept, kRows);

  Call other = slow_call(out_);
  other.args.insert(other.args.end(), {"--seed", "7"});
  const Finished refused = run(other);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("this file was begun by other work (it differs at /judge/"),
            std::string::npos)
      << refused.err;
  EXPECT_NE(refused.err.find("seed"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("give --overwrite to start anew, or name another file"),
            std::string::npos)
      << refused.err;
  EXPECT_EQ(rows_done(), kept);

  const Finished resumed = run(slow_call(out_));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find(fmt::format("going on after {} rows in {}.part", kept, out_)),
            std::string::npos)
      << resumed.err;
  const Json counts = Json::parse(slurp(out_ + ".run.json")).at("counts");
  EXPECT_EQ(counts.at("rows"), kRows);
  EXPECT_EQ(counts.at("from_before"), kept);
  EXPECT_EQ(counts.at("judged"), kRows);
  EXPECT_EQ(slurp(out_), straight());
}

TEST_F(Resume, AnUnfinishedLastRowIsJudgedAgain) {
  const std::string expected = straight();
  std::filesystem::copy_file(folder_ / "straight.jsonl", out_ + ".part");
  // What a kill in the middle of a write leaves: three whole rows and half a one, of the work that
  // the record names.
  size_t end = 0;
  for (int row = 0; row < 3; ++row) end = expected.find('\n', end) + 1;
  std::filesystem::resize_file(out_ + ".part", end + 40);
  const Json record = Json::parse(slurp(folder_ / "straight.jsonl.run.json"));
  folder_.file("out.jsonl.part.json", record.at("work").dump(1) + "\n");
  const Finished resumed = run(slow_call(out_));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("going on after 3 rows"), std::string::npos) << resumed.err;
  EXPECT_EQ(slurp(out_), expected);
}

TEST_F(Resume, AnInterruptKeepsTheFinishedRowsAndSaysHowToGoOn) {
  const Finished interrupted = stopped_by(SIGINT);
  ASSERT_EQ(interrupted.exit_code, 130) << interrupted.err;
  const size_t kept = rows_done();
  EXPECT_NE(
      interrupted.err.find(fmt::format("interrupted: {} of {} rows are done and kept in "
                                       "{}.part, what is finished of later ones too; the same "
                                       "command again goes on from there",
                                       kept, kRows, out_)),
      std::string::npos)
      << interrupted.err;
  const Finished resumed = run(slow_call(out_));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(slurp(out_), straight());
}

TEST_F(Resume, AFullDiskLosesNothing) {
  // A file may have 64 KiB: room for the records of some rows, not of all. With the signal ignored,
  // a write beyond it fails as one to a full disk does.
  Call call = slow_call(out_);
  call.args.emplace_back("--no-ledger");
  const Finished full = run(in_bash(call, "trap '' XFSZ; ulimit -f 64; exec \"$@\""));
  ASSERT_EQ(full.exit_code, 1) << full.err;
  EXPECT_NE(full.err.find("out.jsonl.part.ledger"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("the ledger cannot be read or written"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("run the same command again"), std::string::npos) << full.err;
  const auto rows = rows_of(slurp(out_ + ".part"));  // Whole rows only.
  EXPECT_GE(rows.size(), 2u);
  EXPECT_LT(rows.size(), kRows);

  const Finished resumed = run(call);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(slurp(out_), straight());
  EXPECT_FALSE(std::filesystem::exists(out_ + ".part.ledger"));
}

TEST_F(Resume, OverwritingGoesOnTooAndKeepsTheOldFileUntilTheEnd) {
  folder_.file("out.jsonl", "old\n");
  Call call = slow_call(out_);
  call.args.emplace_back("--overwrite");
  const Finished interrupted = stopped_by(SIGINT, call);
  ASSERT_EQ(interrupted.exit_code, 130) << interrupted.err;
  const size_t kept = rows_done();
  EXPECT_EQ(slurp(out_), "old\n");
  const Finished resumed = run(call);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find(fmt::format("going on after {} rows", kept)), std::string::npos)
      << resumed.err;
  EXPECT_EQ(slurp(out_), straight());
}

TEST_F(Resume, ASecondProcessIsRefusedAndHarmsNothing) {
  Running first(slow_call(out_));
  while (!first.ended() && rows_done() < 1) std::this_thread::sleep_for(2ms);
  Call call = slow_call(out_);
  call.args.emplace_back("--overwrite");
  const Finished second = run(call);
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(second.err, "error: " + out_ +
                            ".part: another process is at work on it; wait until it ends, then run "
                            "the same command again\n");
  const Finished finished = first.wait();
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(slurp(out_), straight());
}

TEST_F(Resume, CountsTheRowsFromBefore) {
  std::string longer;
  for (int i = 0; i < 400; ++i) longer += "word ";
  std::string rows;
  for (const std::string& response : {longer, std::string("Hello"), longer, std::string("Bye")}) {
    rows += Json{{"task", "classification"}, {"input", "Hi"}, {"response", response}}.dump() + "\n";
  }
  const std::string samples = folder_.file("mixed.jsonl", rows);
  const std::string whole = folder_ / "whole.jsonl";
  Call call = judge_call(
      {samples, "--max-tokens", "4", "--ctx-size", "300", "--skip-overlong", "--out", whole});
  ASSERT_EQ(run(call).exit_code, 0);
  const Json record = Json::parse(slurp(whole + ".run.json"));
  ASSERT_EQ(record.at("counts").at("skipped"), 2);
  ASSERT_EQ(record.at("counts").at("truncated"), 2);

  const std::string text = slurp(whole);
  folder_.file("out.jsonl.part", text.substr(0, text.find('\n', text.find('\n') + 1) + 1));
  folder_.file("out.jsonl.part.json", record.at("work").dump(1) + "\n");
  call.args.back() = out_;
  const Finished resumed = run(call);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("4 rows: 2 judged, 0 unreadable, 2 skipped, 2 with a critique cut at "
                             "--max-tokens, 2 of them from before"),
            std::string::npos)
      << resumed.err;
  Json expected = record.at("counts");
  expected["from_before"] = 2;
  EXPECT_EQ(Json::parse(slurp(out_ + ".run.json")).at("counts"), expected);
  EXPECT_EQ(slurp(out_), text);
}

// What a run of the same work cannot have left.
TEST_F(Resume, AWrongPartIsRefusedAndDroppedWithOverwrite) {
  const std::string whole = folder_ / "whole.jsonl";
  Call call = judge_call({samples_, "--mode", "verdict", "--out", whole});
  ASSERT_EQ(run(call).exit_code, 0);
  const std::string rows = slurp(whole);
  const std::string first = rows.substr(0, rows.find('\n') + 1);
  const std::string second =
      rows.substr(first.size(), rows.find('\n', first.size()) + 1 - first.size());
  const Json record = Json::parse(slurp(whole + ".run.json"));
  const std::string part = out_ + ".part";
  call.args.back() = out_;
  for (const auto& [wrong, message] :
       {std::pair(std::string("damaged\n"), std::string(":1: malformed JSON at column 1: ")),
        std::pair(first + "\n", std::string(": it has blank lines")),
        std::pair("\n" + first, std::string(": it has blank lines")),
        std::pair(second, ":1: the judgment of another row: its id is 1, that of " + samples_ +
                              ":1 is '0'"),
        std::pair(first + R"({"id": 1, "label": "Yes"})" + "\n",
                  std::string(":2: this is no judgment: key 'probabilities' not found")),
        std::pair(rows + first, std::string(":9: more rows than the input has"))}) {
    folder_.file("out.jsonl.part", wrong);
    folder_.file("out.jsonl.part.json", record.at("work").dump(1) + "\n");
    const Finished refused = run(call);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(refused.err.starts_with("error: " + part + message)) << refused.err;
    EXPECT_TRUE(refused.err.ends_with("; give --overwrite to start anew, or name another file\n"))
        << refused.err;
    EXPECT_EQ(slurp(part), wrong);

    Call overwriting = call;
    overwriting.args.emplace_back("--overwrite");
    const Finished finished = run(overwriting);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(slurp(out_), rows);
    EXPECT_EQ(Json::parse(slurp(out_ + ".run.json")).at("counts"), record.at("counts"));
    std::filesystem::remove(out_);
  }
}

TEST_F(Resume, AnInterruptBeforeTheFirstJudgmentLeavesNothing) {
  for (const char* ledger : {"", "--no-ledger"}) {
    Call call = slow_call(out_);
    if (*ledger != '\0') call.args.emplace_back(ledger);
    Running running(call);
    while (!running.ended() && !std::filesystem::exists(out_ + ".part"))
      std::this_thread::sleep_for(1ms);
    running.signal(SIGINT);
    const Finished interrupted = running.wait();
    EXPECT_EQ(interrupted.exit_code, 130) << interrupted.err;
    EXPECT_EQ(interrupted.err,
              "error: interrupted before the first judgment; run the same command again\n");
    for (const char* suffix : {"", ".part", ".part.json", ".part.ledger"})
      EXPECT_FALSE(std::filesystem::exists(out_ + suffix)) << suffix;
  }
}

TEST_F(Resume, AnInterruptWithoutAnOutputSaysWhatIsKept) {
  Call call = judge_call({samples_, "--max-tokens", "12", "--kv-mib", "1"});
  for (const auto& [ledger, kept] :
       {std::pair("",
                  "; finished judgments are in the ledger, and the same command again reuses "
                  "them\n"),
        std::pair("--no-ledger", "; give --out FILE to keep what is finished\n")}) {
    if (*ledger != '\0') call.args.emplace_back(ledger);
    Running running(call);
    while (!running.ended() && running.out().empty()) std::this_thread::sleep_for(2ms);
    running.signal(SIGINT);
    const Finished interrupted = running.wait();
    ASSERT_EQ(interrupted.exit_code, 130) << interrupted.err;
    const std::string done =
        fmt::format("interrupted: {} of {} rows are done", rows_of(interrupted.out).size(), kRows);
    EXPECT_EQ(interrupted.err, done + kept);
  }
}

TEST_F(Resume, AnInterruptEndsTheLineOfACritique) {
  const std::string now = folder_ / "now";
  const std::string line =
      fmt::format("\"$@\" & while [ ! -e {} ]; do sleep 0.01; done; kill $!; wait $!", now);
  Running running(
      on_terminal(in_bash(judge_call({samples_, "--max-tokens", "500", "--kv-mib", "1"}), line)));
  const std::string heading = "row 1: 0\r\n";
  const auto critique_has_begun = [&] {
    const std::string out = running.out();
    const size_t at = out.find(heading);
    return at != std::string::npos && out.size() >= at + heading.size() + 10;
  };
  while (!running.ended() && !critique_has_begun()) std::this_thread::sleep_for(2ms);
  folder_.file("now", "");
  const Finished interrupted = running.wait();
  EXPECT_EQ(interrupted.exit_code, 130);
  EXPECT_NE(interrupted.out.find("\r\ninterrupted before a row was done; finished judgments are in "
                                 "the ledger"),
            std::string::npos)
      << interrupted.out;
}

}  // namespace
}  // namespace selene::testing
