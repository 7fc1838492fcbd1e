// `selene bench` with the default model: a run, what is read of it, pulling, bad input.
#include <gtest/gtest.h>

#include "bench/small_benchmark.h"
#include "core/digest.h"
#include "default_model.h"
#include "net/file_server.h"
#include "program.h"
#include "table/table.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

class BenchProgram : public DefaultModelTest {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
    DefaultModelTest::SetUp();
    yaml_ = folder_.file("small.yaml", bench::kSmallYaml);
    folder_.file("data/rows.jsonl", bench::kSmallRows);
    data_ = folder_ / "data";
  }
  Finished bench(std::vector<std::string> args, bool data = true) const {
    args.insert(args.begin(), "bench");
    if (data) args.insert(args.end(), {"--data", data_});
    return run(args);
  }
  Finished run_into(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"run",    yaml_,     "--out",    folder_ / out,
                                  "--mode", "verdict", "--ledger", folder_ / "l.sqlite"};
    args.insert(args.end(), more.begin(), more.end());
    return bench(args);
  }

  TemporaryFolder folder_;
  std::string yaml_;
  std::string data_;
};

TEST_F(BenchProgram, ARunIsJudgedReportedAndNotDoneTwice) {
  const Finished first = run_into("a");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const std::string rows = slurp(folder_ / "a/small.jsonl");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 6);
  const Json record = Json::parse(slurp(folder_ / "a/small.jsonl.run.json"));
  EXPECT_EQ(record["ledger"]["not_found"], 12);
  EXPECT_TRUE(record["exact"].get<bool>());
  EXPECT_EQ(record["work"]["items"], 6);
  EXPECT_EQ(slurp(folder_ / "a/small.yaml"), bench::kSmallYaml);

  const Finished again = run_into("a");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.err.find("small: done already"), std::string::npos) << again.err;
  const Finished known = run_into("b");
  EXPECT_EQ(known.exit_code, 0) << known.err;
  EXPECT_EQ(slurp(folder_ / "b/small.jsonl"), rows);
  EXPECT_EQ(Json::parse(slurp(folder_ / "b/small.jsonl.run.json"))["ledger"]["not_found"], 0);

  const Finished report =
      bench({"report", folder_ / "a", "--json", folder_ / "r.json", "--markdown", folder_ / "r.md"},
            /*data=*/false);
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_NE(report.out.find("small"), std::string::npos) << report.out;
  const Json json = Json::parse(slurp(folder_ / "r.json"));
  EXPECT_EQ(json["scores"][0]["conventions"].size(), 4u);
  EXPECT_EQ(json["scores"][0]["items"], 6);
  EXPECT_NE(slurp(folder_ / "r.md").find("| small |"), std::string::npos);

  const Finished comparison = bench({"compare", folder_ / "a", folder_ / "b"}, /*data=*/false);
  EXPECT_EQ(comparison.exit_code, 0) << comparison.err;
  EXPECT_NE(comparison.out.find("cannot tell"), std::string::npos) << comparison.out;
}

TEST_F(BenchProgram, OtherWorkInTheFolderIsRefusedAndReplacedOnDemand) {
  ASSERT_EQ(run_into("a", {"--limit", "2"}).exit_code, 0);
  const Finished other = run_into("a", {"--limit", "3"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("small.jsonl"), std::string::npos) << other.err;
  EXPECT_EQ(run_into("a", {"--limit", "3", "--overwrite"}).exit_code, 0);
}

TEST_F(BenchProgram, AFolderIsOfOneJudge) {
  ASSERT_EQ(run_into("a", {"--limit", "2"}).exit_code, 0);
  std::string other = slurp(yaml_);
  other.replace(other.find("name: small"), 11, "name: other");
  folder_.file("other.yaml", other);
  const Finished finished = bench({"run", folder_ / "other.yaml", "--out", folder_ / "a", "--limit",
                                   "2", "--max-tokens", "8", "--ledger", folder_ / "l.sqlite"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find("the folder holds 'small' by another judge or in another mode"),
            std::string::npos)
      << finished.err;
}

// Scoring that changed asks for no judgment anew, and is not passed over.
TEST_F(BenchProgram, AnEditedBenchmarkIsScoredAnew) {
  ASSERT_EQ(run_into("a", {"--limit", "2"}).exit_code, 0);
  folder_.file("small.yaml", slurp(yaml_) + "convention: consistent\n");
  const Finished again = run_into("a", {"--limit", "2"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_NE(again.err.find("the benchmark's file is another"), std::string::npos) << again.err;
  const Finished report = bench({"report", folder_ / "a", "--format", "json"}, /*data=*/false);
  EXPECT_EQ(Json::parse(report.out)["scores"][0]["convention"], "consistent");
}

TEST_F(BenchProgram, ItemsTooLongAreCoverage) {
  const Finished finished = run_into("a", {"--ctx-size", "64"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const Finished report = bench({"report", folder_ / "a", "--format", "json"}, /*data=*/false);
  const Json score = Json::parse(report.out)["scores"][0];
  EXPECT_EQ(score["not_judged"], 6);
  EXPECT_TRUE(score["figure"]["value"].is_null());
}

TEST_F(BenchProgram, DataThatIsNotThereIsNotRun) {
  const Finished finished = bench({"run", "flask", yaml_, "--out", folder_ / "a", "--mode",
                                   "verdict", "--ledger", folder_ / "l.sqlite"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.err.find("flask: not run: data not present: flask/"), std::string::npos)
      << finished.err;
  const Finished report = bench({"report", folder_ / "a"}, /*data=*/false);
  EXPECT_NE(report.out.find("flask  not run: data not present"), std::string::npos) << report.out;
  const Finished nothing = bench({"run", "flask", "--out", folder_ / "b"});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_NE(nothing.err.find("none of the benchmarks can be run"), std::string::npos)
      << nothing.err;
}

TEST_F(BenchProgram, FormatsOfTwoItems) {
  const Finished finished =
      bench({"robustness", yaml_, "--limit", "2", "--mode", "verdict", "--out", folder_ / "r",
             "--ledger", folder_ / "l.sqlite", "--json", folder_ / "r.json"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_NE(finished.out.find("worst format"), std::string::npos) << finished.out;
  const Json study = Json::parse(slurp(folder_ / "r.json"));
  EXPECT_EQ(study["formats"].size(), 16u);
  EXPECT_EQ(study["probes"].size(), 3u);
  EXPECT_EQ(study["formats"][0]["name"], "pairwise");
}

TEST_F(BenchProgram, PullsAFileAndChecksIt) {
  FileServer server;
  server.get("/rows.jsonl", [](httplib::Request&, httplib::Response& response) {
    response.set_content(bench::kSmallRows, "application/json");
  });
  const auto with = [&](const std::string& sha256) {
    std::string yaml = bench::kSmallYaml;
    yaml.replace(yaml.find("{file: rows.jsonl}"), 18,
                 "{file: sub/rows.jsonl, address: '" + server.url("/rows.jsonl") +
                     "', sha256: " + sha256 + "}");
    return std::string(folder_.file("pulled.yaml", yaml));
  };
  const std::string right = with(sha256(bench::kSmallRows));
  const Finished pulled = run({"bench", "pull", right, "--data", folder_ / "new", "--quiet"});
  EXPECT_EQ(pulled.exit_code, 0) << pulled.err;
  EXPECT_NE(pulled.out.find("licence: none"), std::string::npos) << pulled.out;
  EXPECT_EQ(slurp(folder_ / "new/sub/rows.jsonl"), bench::kSmallRows);
  const Finished again = run({"bench", "pull", right, "--data", folder_ / "new", "--quiet"});
  EXPECT_NE(again.out.find("(was here)"), std::string::npos) << again.out;

  const std::string wrong = with(std::string(64, 'a'));
  const Finished other = run({"bench", "pull", wrong, "--data", folder_ / "new", "--quiet"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("another revision"), std::string::npos) << other.err;
  const Finished damaged = run({"bench", "pull", wrong, "--data", folder_ / "newer", "--quiet"});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_NE(damaged.err.find(std::string(64, 'a')), std::string::npos) << damaged.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "newer/sub/rows.jsonl"));
}

TEST_F(BenchProgram, ListsAndChecks) {
  const Finished list = bench({"list"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_NE(list.out.find("rewardbench"), std::string::npos);
  const Finished json = bench({"list", yaml_, "--json"});
  EXPECT_EQ(Json::parse(json.out)["data"], "yes");
  const Finished good = bench({"check", yaml_});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.out, "small: ok, 6 items\n");
  folder_.file("data/rows.jsonl", "{\"id\": 1}\n");
  const Finished bad = bench({"check", yaml_});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_NE(bad.out.find("the select gives no column 'input'"), std::string::npos) << bad.out;
}

TEST_F(BenchProgram, WrongUsageIsExitTwo) {
  EXPECT_EQ(bench({"run", yaml_, yaml_, "--out", folder_ / "a"}).exit_code, 2);
  EXPECT_EQ(bench({"run", yaml_, "--out", folder_ / "a", "--limit", "0"}).exit_code, 2);
  EXPECT_EQ(bench({"robustness", "craft-md", "--out", folder_ / "a"}).exit_code, 2);
  EXPECT_EQ(bench({"export", "x", "y", "--format", "z"}, false).exit_code, 2);
  EXPECT_EQ(bench({"list", "nothing"}).exit_code, 1);
}

}  // namespace
}  // namespace selene::testing
