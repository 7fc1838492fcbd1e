// `selene check` with the default model: the example, reports, the ledger, bad input, exit codes.
#include <gtest/gtest.h>

#include "default_model.h"
#include "program.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

using CheckProgram = DefaultModelTest;

const std::string kExample = SELENE_SOURCE_DIR "/examples/support/";

Json read_json(const std::filesystem::path& path) { return Json::parse(slurp(path)); }

TEST_F(CheckProgram, TheExampleFailsAndItsRepairPasses) {
  const TemporaryFolder folder;
  const Finished failed = run({"check", kExample + "checks.yaml", kExample + "answers.csv", "--out",
                               folder / "o.jsonl", "--junit", folder / "o.xml", "--markdown",
                               folder / "o.md", "--html", folder / "o.html", "--github"});
  EXPECT_EQ(failed.exit_code, 3) << failed.err;
  for (const char* said :
       {"GATE FAILED", "line 3 (T-102) no placeholder left: matches", "'{{customer_name}}'",
        "e-mails greet by name: 3 of 5 passed: 0.600, wanted at least 1", "::error file="}) {
    EXPECT_NE(failed.out.find(said), std::string::npos) << said << "\n" << failed.out;
  }
  EXPECT_NE(slurp(folder / "o.xml").find("<testsuites"), std::string::npos);
  EXPECT_NE(slurp(folder / "o.md").find("selene check: failed"), std::string::npos);
  EXPECT_NE(slurp(folder / "o.html").find("T-102"), std::string::npos);
  const Json record = read_json(folder / "o.jsonl.run.json");
  EXPECT_EQ(record["ledger"]["not_found"], 20);
  EXPECT_FALSE(record["decision"]["passed"].get<bool>());
  EXPECT_TRUE(record["exact"].get<bool>());
  EXPECT_FALSE(record["decision"].contains("notes"));  // The default judge decides nothing.

  const Finished repaired = run({"check", kExample + "checks.yaml", kExample + "answers-fixed.csv",
                                 "--baseline", folder / "o.jsonl"});
  EXPECT_EQ(repaired.exit_code, 0) << repaired.out << repaired.err;
  EXPECT_NE(repaired.out.find("passes now and did not in the baseline, 5 in"), std::string::npos)
      << repaired.out;
}

TEST_F(CheckProgram, OnlyAChangedAnswerIsJudgedAgain) {
  const TemporaryFolder folder;
  const std::string checks = folder.file("c.yaml",
                                         "checks:\n  - {name: a, criteria: Is it right}\n"
                                         "  - {name: b, criteria: Is it kind}\n"
                                         "gate: {min_pass_rate: 0}\n");
  const auto facts = [&](const std::string& second) {
    const std::string answers =
        folder.file("a.jsonl",
                    "{\"input\": \"1+1\", \"response\": \"2\"}\n{\"input\": \"2+2\", "
                    "\"response\": \"" +
                        second + "\"}\n");
    const Finished finished = run({"check", checks, answers, "--out", folder / "o.jsonl",
                                   "--overwrite", "--ledger", folder / "l.sqlite"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return read_json(folder / "o.jsonl.run.json")["ledger"];
  };
  EXPECT_EQ(facts("4"), (Json{{"found", 0}, {"not_found", 4}}));
  const std::string first = slurp(folder / "o.jsonl");
  EXPECT_EQ(facts("4"), (Json{{"found", 4}, {"not_found", 0}}));
  EXPECT_EQ(slurp(folder / "o.jsonl"), first);
  EXPECT_EQ(facts("5"), (Json{{"found", 2}, {"not_found", 2}}));
  const Json notes = read_json(folder / "o.jsonl.run.json")["decision"]["notes"];
  EXPECT_NE(notes.dump().find("the default judge, which is tiny and judges near chance, decides"),
            std::string::npos)
      << notes;
}

TEST_F(CheckProgram, ComparesTwoSetsInBothOrders) {
  const TemporaryFolder folder;
  const auto set = [&](const std::string& name, const std::string& response) {
    return folder.file(name, "id,input,response\n1,What is 2+2?," + response + "\n").string();
  };
  const Finished finished = run({"check", "--compare", set("a.csv", "4"), set("b.csv", "a fish"),
                                 "--out", folder / "o.jsonl", "--format", "json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const Json decision = Json::parse(finished.out);
  EXPECT_EQ(decision["pairs"], 1);
  EXPECT_EQ(
      decision["a_wins"].get<int>() + decision["b_wins"].get<int>() + decision["ties"].get<int>(),
      1);
  EXPECT_EQ(Json::parse(slurp(folder / "o.jsonl"))["id"], "1");
}

// Nothing of these needs a model.
class CheckUsage : public ::testing::Test {
 protected:
  Finished check(const std::string& yaml, const std::string& csv,
                 std::vector<std::string> more = {}) {
    std::vector<std::string> args{"check", folder_.file("c.yaml", yaml),
                                  folder_.file("a.csv", csv)};
    args.insert(args.end(), more.begin(), more.end());
    Call call{.args = args};
    return run(call);
  }
  const std::string kPlain = "checks:\n  - {name: n, json: true}\n";
  TemporaryFolder folder_;
};

TEST_F(CheckUsage, ExitCodesTellTheGateFromAnError) {
  EXPECT_EQ(check(kPlain, "response\n1\n").exit_code, 0);
  EXPECT_EQ(check(kPlain, "response\nno\n").exit_code, 3);
  EXPECT_EQ(check(kPlain, "response\n").exit_code, 1);
  EXPECT_EQ(check("checks: 1\n", "response\n1\n").exit_code, 1);
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--min-pass-rate", "2"}).exit_code, 2);
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--max-drop", "0.1"}).exit_code, 2);
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--criteria", "x"}).exit_code, 2);
  EXPECT_EQ(run({"check"}).exit_code, 2);
  EXPECT_EQ(run({"check", "--compare", "a", "b", "--html", "x"}).exit_code, 2);
}

TEST_F(CheckUsage, FlagsOverrideTheFile) {
  EXPECT_EQ(check("gate: {min_pass_rate: 0.4}\n" + kPlain, "response\n1\nno\n").exit_code, 0);
  EXPECT_EQ(check("gate: {min_pass_rate: 0.4}\n" + kPlain, "response\n1\nno\n",
                  {"--min-pass-rate", "0.6"})
                .exit_code,
            3);
  EXPECT_EQ(check("gate: {min_pass_rate: 0.4}\n" + kPlain, "response\n1\nno\n", {"--on", "lower"})
                .exit_code,
            3);
}

TEST_F(CheckUsage, NoInputIsWrittenOver) {
  const Finished finished = check(kPlain, "response\n1\n", {"--html", folder_ / "a.csv"});
  EXPECT_EQ(finished.exit_code, 2) << finished.err;
  EXPECT_EQ(slurp(folder_ / "a.csv"), "response\n1\n");
}

TEST_F(CheckUsage, EachOutputIsAFileOfItsOwn) {
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--html", "-"}).exit_code, 2);
  const std::string one = folder_ / "o.xml";
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--junit", one, "--markdown", one}).exit_code, 2);
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--github", "--format", "json"}).exit_code, 2);
}

TEST_F(CheckUsage, JsonHasTheFailures) {
  const Finished finished = check(kPlain, "id,response\na,1\nb,no\n", {"--format", "json"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_EQ(Json::parse(finished.out)["failures"].dump(),
            R"([{"id":"b","line":3,"check":"n","decides":true,"reason":"is not JSON"}])");
}

TEST_F(CheckUsage, NotesStandInTheTableElseInStandardError) {
  const std::string yaml = "gate: {max_drop: 0.1, min_pass_rate: 0}\n" + kPlain;
  EXPECT_NE(check(yaml, "response\n1\n").out.find("note: max_drop is not applied"),
            std::string::npos);
  EXPECT_NE(check(yaml, "response\n1\n", {"--quiet"}).err.find("note: max_drop is not applied"),
            std::string::npos);
}

TEST_F(CheckUsage, ALogHasWholeReasonsAndSkippedAnswers) {
  const std::string words(300, 'x');
  const Finished finished =
      check("checks:\n  - {name: n, contains: y, when: {k: a}}\n  - {name: m, regex: '^" + words +
                "y'}\n",
            "k,response\na,x\nb,x\n");
  EXPECT_NE(finished.out.find("skipped"), std::string::npos) << finished.out;
  const Finished json = check("checks:\n  - {name: " + words + ", json: true}\n", "response\nx\n");
  EXPECT_NE(json.out.find(words + ": is not JSON"), std::string::npos) << json.out;
}

TEST_F(CheckUsage, TheTableSaysWhichDropIsAllowed) {
  const std::string out = folder_ / "o.jsonl";
  check(kPlain, "response\n1\n", {"--out", out});
  const Finished finished =
      check(kPlain, "response\n1\n", {"--baseline", out, "--max-drop", "0.1"});
  EXPECT_NE(finished.out.find("drop <= 0.1"), std::string::npos) << finished.out;
  EXPECT_EQ(finished.out.find("note: "), std::string::npos) << finished.out;
}

TEST_F(CheckUsage, LabelsOfAnswersThatHaveChangedAreNoted) {
  const std::string yaml = "checks:\n  - {name: n, criteria: c, when: {k: a}}\n" +
                           std::string("  - {name: p, json: true}\n");
  const std::string labels = folder_.file(
      "l.jsonl", "{\"id\": \"1\", \"check\": \"n\", \"label\": \"Yes\", \"answer\": \"0\"}\n");
  const Finished finished =
      check(yaml, "id,k,input,response\n1,b,i,1\n", {"--human", labels, "--min-pass-rate", "0"});
  EXPECT_NE(finished.out.find("since the answer's text is another now: 1;"), std::string::npos)
      << finished.out << finished.err;
}

TEST_F(CheckUsage, AWrongMapNamesTheChecksFilesLine) {
  const Finished finished = check("# first\nmap: {response: anser}\n" + kPlain, "answer\n1\n");
  EXPECT_NE(
      finished.err.find("c.yaml:2: there is no column 'anser', which 'response' is mapped to; "
                        "did you mean 'answer'?"),
      std::string::npos)
      << finished.err;
}

TEST_F(CheckUsage, AnOutputThatExistsAsksForOverwrite) {
  const std::string out = folder_ / "o.jsonl";
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--out", out}).exit_code, 0);
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--out", out}).exit_code, 1);
  EXPECT_EQ(check(kPlain, "response\n1\n", {"--out", out, "--overwrite"}).exit_code, 0);
  // Its own output may not be its baseline's replacement.
  EXPECT_EQ(
      check(kPlain, "response\n1\n", {"--out", out, "--overwrite", "--baseline", out}).exit_code,
      2);
}

TEST_F(CheckUsage, InitWritesChecksThatRun) {
  const std::string answers = folder_.file("a.csv", "question,answer\nhi,hello\n");
  const std::string checks = folder_ / "made.yaml";
  EXPECT_EQ(run({"check", "init", answers, "--out", checks}).exit_code, 0);
  EXPECT_EQ(run({"check", "init", answers, "--out", checks}).exit_code, 1);
  EXPECT_NE(slurp(checks).find("map: {input: \"question\", response: \"answer\"}"),
            std::string::npos);
  EXPECT_EQ(run({"check", "init", answers, "--map", "response=anser"}).exit_code, 1);
}

TEST_F(CheckUsage, LabelAsksOnceAndGoesOn) {
  const std::string checks =
      folder_.file("c.yaml", "checks:\n  - {name: n, criteria: Is it right}\n");
  const std::string answers =
      folder_.file("a.csv", "id,input,response\nx,1+1,2\ny,2+2,\x1b[31m5\n");
  const std::string labels = folder_ / "labels.jsonl";
  const auto label = [&](const std::string& typed) {
    return run(Call{.args = {"check", "label", checks, answers, "--out", labels}, .input = typed});
  };
  const Finished first = label("what\n1\nq\n");
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(
      slurp(labels).starts_with("{\"id\":\"x\",\"check\":\"n\",\"label\":\"Yes\",\"answer\":\""))
      << slurp(labels);
  EXPECT_EQ(first.out.find('\x1b'), std::string::npos);
  const Finished second = label("b\nno\nNo\n");  // Back to the first, then both.
  EXPECT_NE(second.out.find("You said Yes."), std::string::npos) << second.out;
  EXPECT_NE(second.err.find("questions left: 0"), std::string::npos) << second.err;
  EXPECT_EQ(label("").out.find("Is it right"), std::string::npos);  // Nothing is left to ask.
}

TEST_F(CheckUsage, LabelsThatAreNumbersHaveNoOther) {
  const std::string checks = folder_.file(
      "c.yaml", "checks:\n  - {name: n, criteria: How many, labels: ['0', '1'], pass: ['0']}\n");
  const std::string answers = folder_.file("a.csv", "id,input,response\nx,i,r\ny,i,r\n");
  const std::string labels = folder_ / "labels.jsonl";
  const Finished asked =
      run(Call{.args = {"check", "label", checks, answers, "--out", labels}, .input = "1\n2\n0\n"});
  EXPECT_EQ(asked.out.find("1) 0"), std::string::npos) << asked.out;
  EXPECT_NE(slurp(labels).find("\"id\":\"x\",\"check\":\"n\",\"label\":\"1\""), std::string::npos);
  EXPECT_NE(slurp(labels).find("\"id\":\"y\",\"check\":\"n\",\"label\":\"0\""), std::string::npos);
}

}  // namespace
}  // namespace selene::testing
