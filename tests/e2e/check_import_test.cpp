// `selene check import`: from a promptfoo configuration to files that `selene check` takes.
#include "default_model.h"
#include "engine/chat_server.h"
#include "program.h"

namespace selene::testing {
namespace {

class CheckImport : public ::testing::Test {
 protected:
  // `selene check import` of a configuration, into out/.
  Finished import(const std::string& config, std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"check", "import", folder_.file("c.yaml", config), "--out",
                                  out()};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  std::string out() const { return folder_ / "out"; }
  std::string checks() const { return out() + "/checks.yaml"; }
  std::string answers() const { return out() + "/answers.jsonl"; }

  TemporaryFolder folder_;
};

constexpr const char* kEcho =
    "prompts: ['Say {{x}}']\nproviders: [echo]\ntests:\n  - vars: {x: hi}\n    assert:\n"
    "      - {type: contains, value: '{{x}}'}\n      - {type: javascript, value: '1'}\n";

TEST_F(CheckImport, WritesFilesThatTheGateTakes) {
  const Finished finished = import(kEcho);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(finished.out, checks() + ": 1 checks\n" + answers() + ": 1 answers\n");
  EXPECT_EQ(finished.err, "not carried over:\n  " + std::string(folder_ / "c.yaml") +
                              ":7: javascript: there is no such check\nnext: selene check " +
                              checks() + " " + answers() + "\n");
  const Finished gate = run({"check", checks(), answers()});
  EXPECT_EQ(gate.exit_code, 0) << gate.out << gate.err;
}

TEST_F(CheckImport, ReplacesNothingUnasked) {
  folder_.file("out/answers.jsonl", "mine\n");
  const Finished refused = import(kEcho);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find(answers()), std::string::npos) << refused.err;
  EXPECT_EQ(slurp(answers()), "mine\n");
  EXPECT_FALSE(std::filesystem::exists(checks()));
  EXPECT_EQ(import(kEcho, {"--overwrite"}).exit_code, 0);
  EXPECT_EQ(rows_of(slurp(answers()))[0].at("response"), "Say hi");
}

TEST_F(CheckImport, FailsWhenNothingCarriesOver) {
  const Finished finished =
      import("prompts: [a]\ntests:\n  - assert: [{type: python, value: '1'}]\n");
  EXPECT_EQ(finished.exit_code, 1);
  const std::string config = folder_ / "c.yaml";
  EXPECT_EQ(finished.err, "not carried over:\n  " + config +
                              ":3: python: there is no such check\nerror: " + config +
                              ": nothing carried over: no assertion becomes a check; "
                              "docs/from-promptfoo.md says which ones do\n");
  EXPECT_FALSE(std::filesystem::exists(out()));
}

TEST_F(CheckImport, TakesTheResultsOfOneProvider) {
  const std::string results = folder_.file("r.json",
                                           R"({"results":{"results":[
        {"testIdx":0,"promptIdx":0,"provider":{"id":"p"},"vars":{"x":"a"},"response":{"output":"1"}},
        {"testIdx":0,"promptIdx":1,"provider":{"id":"q"},"vars":{"x":"a"},"response":{"output":"2"}}]}})");
  const std::string config =
      "prompts: ['{{x}}']\ntests: [{vars: {x: a}, assert: [{type: contains, value: '2'}]}]\n";
  const Finished both = import(config, {"--results", results});
  EXPECT_EQ(both.err, "error: " + results +
                          ": it has results of 2 providers: p, q; choose one with --provider ID\n");
  EXPECT_EQ(import(config, {"--results", results, "--provider", "q"}).exit_code, 0);
  EXPECT_EQ(rows_of(slurp(answers()))[0].at("response"), "2");
  EXPECT_EQ(import(config, {"--provider", "q"}).exit_code, 2);
}

TEST_F(CheckImport, SaysHowToFillWhatHasNoResponse) {
  const Finished finished =
      import("prompts: [a]\ntests: [{assert: [{type: contains, value: b}]}]\n");
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "1 answers have no response: write the field `response` into " +
                              answers() + ", or import again with --results or --generate\n");
  EXPECT_EQ(run({"check", checks(), answers()}).exit_code, 1);
}

TEST_F(CheckImport, GeneratesAnswersWithAServer) {
  ChatServer server;
  server.whole_answer = "Good morning";
  const Finished finished = import(
      "prompts: ['Greet {{x}}']\ntests: [{vars: {x: me}, assert: [{type: contains, value: "
      "morning}]}]\n",
      {"--generate", server.url("/v1") + "#judge"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(rows_of(slurp(answers()))[0].at("response"), "Good morning");
  const auto request = nlohmann::json::parse(server.requests_of("/v1/chat/completions").at(0).body);
  EXPECT_EQ(request.at("messages").back().at("content"), "Greet me");
  EXPECT_EQ(request.at("max_tokens"), 512);
  EXPECT_EQ(request.at("temperature"), 0);
}

TEST_F(CheckImport, ReadsTextFilesBesideTheConfiguration) {
  folder_.file("prompts/a.txt", "Say {{x}} twice\n");
  const Finished finished = import(
      "prompts: [file://prompts/a.txt]\ntests: [{vars: {x: hi}, assert: [{type: is-json}]}]\n");
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(rows_of(slurp(answers()))[0].at("input"), "Say hi twice");
}

TEST_F(CheckImport, NamesAFileThatIsNotThere) {
  const Finished finished = run({"check", "import", folder_ / "no.yaml", "--out", out()});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find("no.yaml: cannot read: No such file"), std::string::npos)
      << finished.err;
}

TEST_F(CheckImport, NamesAFolderThatCannotBeMade) {
  const std::string config = folder_.file("c.yaml", kEcho);
  const Finished finished = run({"check", "import", config, "--out", config});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find(config + ": cannot make the folder: Not a directory"),
            std::string::npos)
      << finished.err;
}

using CheckImportWithModel = DefaultModelTest;

TEST_F(CheckImportWithModel, AnswersTheExampleWithoutAKey) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  const Finished imported =
      run(Call{.args = {"check", "import", source_file("examples/promptfoo/promptfooconfig.yaml"),
                        "--out", out, "--generate", "default"},
               .limit = std::chrono::seconds(800)});
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  for (const auto& row : rows_of(slurp(out + "/answers.jsonl")))
    EXPECT_TRUE(row.contains("response"));
  const Finished gate =
      run({"check", out + "/checks.yaml", out + "/answers.jsonl", "--threads", "1"});
  EXPECT_TRUE(gate.exit_code == 0 || gate.exit_code == 3) << gate.exit_code << gate.err;
  EXPECT_NE(gate.out.find("overall"), std::string::npos) << gate.out;
}

}  // namespace
}  // namespace selene::testing
