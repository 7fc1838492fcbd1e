// Where results go: standard output that cannot be written, --out that names a wrong file, --quiet,
// --format.
#include <sys/stat.h>

#include "default_model.h"
#include "program.h"

namespace selene::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kRow = R"({"task": "classification", "input": "Hi", "response": "Hello"})"
                             "\n";

void expect_write_error(const Call& call) {
  for (const auto& [redirection, cause] : {std::pair("> /dev/full", "No space left on device"),
                                           std::pair(">&-", "Bad file descriptor")}) {
    const Finished finished = run(in_bash(call, std::string("exec \"$@\" ") + redirection));
    EXPECT_EQ(finished.exit_code, 1) << call.args.front();
    EXPECT_TRUE(finished.err.ends_with(std::string("error: cannot write to standard output: ") +
                                       cause + "\n"))
        << call.args.front() << ": " << finished.err;
  }
}

TEST(StandardOutput, ThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  const std::string samples = folder.file("samples.jsonl", kRow);
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"--version"},
                                             {"--help"},
                                             {"templates"},
                                             {"templates", "show", "absolute"},
                                             {"templates", "render", "", samples},
                                             {"models"},
                                             {"models", "--json"},
                                             {"doctor"}}) {
    expect_write_error({.args = args});
  }
}

TEST(StandardOutput, AClosedPipeEndsTheProgramQuietly) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 1000; ++i) rows += kRow;  // More than a pipe holds.
  const std::string samples = folder.file("samples.jsonl", rows);
  const Finished finished = run(in_bash({.args = {"templates", "render", "", samples}},
                                        "set -o pipefail; \"$@\" | head -n 1"));
  EXPECT_EQ(finished.exit_code, 128 + SIGPIPE);
  EXPECT_EQ(finished.out, "== 1 (classification)\n");
  EXPECT_EQ(finished.err, "");
}

// The model does not exist, which is said where --out is right.
class Out : public ::testing::Test {
 protected:
  Finished judge_to(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{samples_, "--judge", "/nowhere/model.gguf",
                                  "--out",  out,       "--overwrite"};
    args.insert(args.end(), more.begin(), more.end());
    return judge(args);
  }
  void expect_refused(const Finished& finished, const std::string& message) const {
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_EQ(finished.err, "error: " + message + "; name another file\n");
    EXPECT_EQ(slurp(samples_), kRow);
  }

  TemporaryFolder folder_;
  std::string samples_ = folder_.file("samples.jsonl", kRow);
};

TEST_F(Out, IsNeverTheInput) {
  const std::string message = samples_ + ": the output would write over the input";
  expect_refused(judge_to(samples_), message);
  expect_refused(judge_to(folder_ / "./samples.jsonl"), message);
  fs::create_symlink("samples.jsonl", folder_ / "link");
  expect_refused(judge_to(folder_ / "link"), message);
  fs::create_hard_link(samples_, folder_ / "same");
  expect_refused(judge_to(folder_ / "same"), message);
  fs::create_hard_link(samples_, folder_ / "out.part");
  expect_refused(judge_to(folder_ / "out"), message);

  const Call piped = judge_call({"-", "--out", samples_, "--overwrite"});
  expect_refused(run(in_bash(piped, "exec \"$@\" < " + samples_)),
                 "/dev/stdin: the output would write over the input");
}

TEST_F(Out, IsNeverAnotherFileOfTheRun) {
  const std::string form = folder_.file("form.yaml", slurp(source_file("templates/absolute.yaml")));
  expect_refused(judge_to(form, {"--template", form}),
                 form + ": the output would write over the template");
  const std::string ledger = folder_.file("ledger.sqlite", "kept");
  expect_refused(judge_to(ledger, {"--ledger", ledger}),
                 ledger + ": the output would write over the ledger");
  EXPECT_EQ(slurp(ledger), "kept");
  const std::string jury = folder_.file("jury.yaml", "model: default\n");
  expect_refused(judge({samples_, "--judge", jury, "--out", jury, "--overwrite"}),
                 jury + ": the output would write over the judge");
}

// Also by way of a folder that is made only then, and of names that nothing has yet.
TEST_F(Out, IsInAFolderThatIsThere) {
  for (const char* name : {"new/../samples.jsonl", "new/deep/out.jsonl"}) {
    const std::string out = folder_ / name;
    const Finished finished = judge_to(out);
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_EQ(finished.err, "error: " + out + ": the output's folder is not there; make it: " +
                                "mkdir -p " + fs::path(out).parent_path().string() + "\n");
  }
  const Finished slash = judge_to(folder_ / "new/");
  EXPECT_EQ(slash.exit_code, 1);
  EXPECT_EQ(slash.err,
            "error: " + (folder_ / "new/").string() + ": the output names a folder; name a file\n");
  EXPECT_EQ(slurp(samples_), kRow);
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(Out, IsNeverALedgerThatIsMade) {
  fs::create_directory_symlink(".", folder_ / "here");
  for (const auto& [out, ledger] :
       {std::pair("l.db", "l.db"), std::pair("l.db", "here/l.db"), std::pair("l", "l.part"),
        std::pair("l", "l.part.json"), std::pair("l", "here/l.run.json")}) {
    const std::string named = folder_ / ledger;
    expect_refused(judge_to(folder_ / out, {"--ledger", named}),
                   named + ": the output would write over the ledger");
    EXPECT_FALSE(fs::exists(named));
  }
}

TEST_F(Out, IsNoPipeAndNoDevice) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& out : {pipe, std::string("/dev/null")}) {
    const Finished finished = judge_to(out);
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_EQ(finished.err,
              "error: " + out +
                  ": the output is not a regular file; write to standard output (-) and "
                  "redirect that\n");
  }
}

TEST_F(Out, OfARunThatFailsLeavesNothing) {
  EXPECT_EQ(judge_to(folder_ / "out").err, "error: /nowhere/model.gguf: no such file\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
}

class OutputOfAModel : public DefaultModelTest {
 protected:
  TemporaryFolder folder_;
  std::string samples_ = folder_.file("samples.jsonl", kRow);
  std::string ledger_ = folder_ / "ledger.sqlite";
};

TEST_F(OutputOfAModel, ThatCannotBeWrittenIsAnError) {
  expect_write_error(judge_call({samples_, "--mode", "verdict", "--ledger", ledger_}));
  expect_write_error({.args = {"ledger", "export", "-", "--ledger", ledger_}});
  expect_write_error({.args = {"ledger", "stats", "--ledger", ledger_}});
  expect_write_error(
      {.args = {"verify", samples_, "--max-tokens", "1", "--threads", "1", "--json"}});
}

TEST_F(OutputOfAModel, QuietStillPrintsJudgments) {
  const Finished finished = judge({samples_, "--mode", "verdict", "--quiet"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(rows_of(finished.out).size(), 1u);
  EXPECT_EQ(finished.err, "");
  const Finished dash = judge({samples_, "--mode", "verdict", "--quiet", "--out", "-"});
  ASSERT_EQ(dash.exit_code, 0) << dash.err;
  EXPECT_EQ(dash.out, finished.out);
  EXPECT_FALSE(fs::exists("-"));
}

TEST_F(OutputOfAModel, AnExplicitTableIsATableOnATerminalToo) {
  const Finished finished =
      run(on_terminal(judge_call({samples_, "--max-tokens", "4", "--format", "table"})));
  ASSERT_EQ(finished.exit_code, 0) << finished.out;
  EXPECT_NE(
      finished.out.find("id            task            verdict        p  score  critique\r\n"),
      std::string::npos)
      << finished.out;
  EXPECT_EQ(finished.out.find("margin"), std::string::npos) << finished.out;
}

TEST_F(OutputOfAModel, BothOrdersOfNoPairAreWarnedOf) {
  const Finished finished = judge({samples_, "--mode", "verdict", "--order", "both", "--quiet"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.err, "warning: --order both changes nothing: no row is pairwise\n");
}

TEST_F(OutputOfAModel, PeakMemoryAtDefaultSettingsIsTheModelAndHalfAGigabyte) {
  const std::string out = folder_ / "out.jsonl";
  const Finished finished = run({"judge", samples_, "--out", out});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_LE(Json::parse(slurp(out + ".run.json")).at("peak_memory_bytes").get<std::uintmax_t>(),
            fs::file_size(path_) + 500'000'000);
}

TEST_F(OutputOfAModel, AnExportKeepsWhatItDoesNotWrite) {
  ASSERT_EQ(judge({samples_, "--mode", "verdict", "--ledger", ledger_}).exit_code, 0);
  const std::string out = folder_ / "records.jsonl";
  folder_.file("records.jsonl.part", "rows of a run\n");
  ASSERT_EQ(run({"ledger", "export", out, "--ledger", ledger_}).exit_code, 0);
  EXPECT_EQ(rows_of(slurp(out)).size(), 1u);
  EXPECT_EQ(slurp(out + ".part"), "rows of a run\n");

  const Finished again = run({"ledger", "export", out, "--ledger", ledger_});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.err,
            "error: " + out + ": the output file exists; give --overwrite or name another file\n");
  const std::string through = folder_ / "new/../records.jsonl";
  const Finished nowhere = run({"ledger", "export", through, "--ledger", ledger_});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_TRUE(nowhere.err.starts_with("error: " + through + ": the output's folder is not there"))
      << nowhere.err;
  EXPECT_EQ(rows_of(slurp(out)).size(), 1u);
}

TEST_F(OutputOfAModel, AnExportIsNeverItsLedger) {
  ASSERT_EQ(judge({samples_, "--mode", "verdict", "--ledger", ledger_}).exit_code, 0);
  const Finished finished = run({"ledger", "export", ledger_, "--overwrite", "--ledger", ledger_});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.err,
            "error: " + ledger_ + ": the output would write over the ledger; name another file\n");
}

}  // namespace
}  // namespace selene::testing
