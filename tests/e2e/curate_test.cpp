// `selene curate` as a user runs it.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/file.h"
#include "e2e/program.h"
#include "table/table.h"

namespace selene::testing {
namespace {

namespace fs = std::filesystem;

class CurateProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "SKIPPED: this build has no DuckDB";
  }

  Finished selene(std::vector<std::string> args) const {
    return run(Call{.args = std::move(args)});
  }

  std::string out() const { return (folder_ / "mix").string(); }

  // Every file of the mix but the record and what is kept between passes.
  std::map<std::string, std::string> bytes() const {
    std::map<std::string, std::string> bytes;
    for (const auto& entry : fs::directory_iterator(out())) {
      if (entry.is_regular_file() && entry.path().filename() != "run.json")
        bytes[entry.path().filename()] = read_file(entry.path());
    }
    return bytes;
  }

  // Rows enough to be in the middle of something when the program is killed.
  void write_rows(int count) const {
    std::string text;
    for (int i = 0; i < count; ++i) {
      const std::string n = std::to_string(i * 7919LL % 1000003);
      text += R"({"id": ")" + std::to_string(i) + R"(", "input": "Is )" + n +
              R"( a prime number or not, and why?", "response": "I divided )" + n +
              R"( by all that I know and found )" + (i % 2 == 0 ? "nothing" : "three") +
              R"(.", "label": ")" + (i % 3 == 0 ? "No" : "Yes") + "\"}\n";
    }
    folder_.file("data/rows.jsonl", text);
    folder_.file("recipe.yaml", R"(
name: rows
seed: 3
sources:
  - name: rows
    licence: MIT
    attribution: us
    task: classification
    criteria: Is it right?
    source:
      files: [{file: rows.jsonl}]
      select: >-
        SELECT * FROM read_json('rows.jsonl', format = 'newline_delimited', columns = {id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR'})
steps: [clean, exact_duplicates, near_duplicates, balance, pairs]
split: {validation: 0.1}
)");
  }

  std::vector<std::string> command() const {
    return {"curate", folder_ / "recipe.yaml", "--data", folder_ / "data", "--out", out(),
            "--quiet"};
  }

  TemporaryFolder folder_;
};

const std::string kRecipes = std::string(SELENE_SOURCE_DIR) + "/recipes";

TEST_F(CurateProgram, ANewcomersCsvBecomesPairs) {
  const std::vector<std::string> args{"curate",
                                      kRecipes + "/examples/own-csv.yaml",
                                      "--data",
                                      kRecipes + "/examples",
                                      "--out",
                                      out(),
                                      "--no-contamination"};
  const Finished done = selene(args);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.out.find("load"), std::string::npos) << done.out;
  for (const char* name : {"train.jsonl", "train.parquet", "report.md", "card.md", "funnel.svg",
                           "funnel.json", "dropped.jsonl", "rejected.jsonl", "run.json"})
    EXPECT_TRUE(fs::exists(fs::path(out()) / name)) << name;
  const auto first = bytes();
  const Finished again = selene(args);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.err.find("of an earlier run: load"), std::string::npos) << again.err;
  EXPECT_EQ(bytes(), first);

  std::ifstream train(fs::path(out()) / "train.jsonl");
  std::string line;
  ASSERT_TRUE(std::getline(train, line));
  const auto pair = nlohmann::json::parse(line);
  const std::string row = pair.at("provenance").at("row");
  const Finished explained = selene({"curate", "explain", row, "--out", out()});
  EXPECT_EQ(explained.exit_code, 0) << explained.err;
  EXPECT_NE(explained.out.find(row), std::string::npos) << explained.out;
  EXPECT_NE(explained.out.find("clean"), std::string::npos) << explained.out;
  const Finished shown = selene({"curate", "show", pair.at("id"), "--out", out()});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find(pair.at("label").get<std::string>()), std::string::npos) << shown.out;
  EXPECT_EQ(selene({"curate", "explain", "nobody/1", "--out", out()}).exit_code, 1);
}

TEST_F(CurateProgram, ADryRunShowsRowsAndWritesNothing) {
  // A recipe may name a server as its teacher, so flags of servers are taken with any judge.
  const Finished done = selene({"curate", kRecipes + "/examples/own-csv.yaml", "--data",
                                kRecipes + "/examples", "--dry-run", "--in-flight", "2"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  for (const char* part : {"load: 20 in", "pairs:", "chosen", "a dry run: the first 20 rows"})
    EXPECT_NE(done.out.find(part), std::string::npos) << done.out;
}

TEST_F(CurateProgram, TheDryRunOfSeleneMiniReadsItsFixtures) {
  const Finished done =
      selene({"curate", kRecipes + "/selene-mini.yaml", "--data",
              std::string(SELENE_SOURCE_DIR) + "/tests/data/recipes/selene-mini", "--dry-run"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out.find("data not present"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("critiques: runs a model, so not in a dry run"), std::string::npos)
      << done.out;
}

TEST_F(CurateProgram, AKilledRunEndsWithTheSameBytes) {
  write_rows(20'000);
  ASSERT_EQ(selene(command()).exit_code, 0);
  const auto whole = bytes();
  fs::remove_all(out());
  std::mt19937 random(7);
  int killed = 0;
  for (int i = 0; i < 12; ++i) {
    Running running({.args = command()});
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 900));
    running.signal(SIGKILL);
    killed += running.wait().exit_code == 128 + SIGKILL;
  }
  EXPECT_GT(killed, 3);
  std::vector<std::string> args = command();
  args.insert(args.end(), {"--threads", "1"});
  const Finished done = selene(args);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(bytes(), whole);
  // What killed runs left behind is gone.
  for (const auto& entry : fs::directory_iterator(out()))
    EXPECT_EQ(entry.path().filename().string().find("scratch-"), std::string::npos) << entry.path();
}

TEST_F(CurateProgram, CtrlCSaysHowToGoOn) {
  write_rows(60'000);
  Running running({.args = command()});
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  running.signal(SIGINT);
  const Finished done = running.wait();
  EXPECT_EQ(done.exit_code, 130) << done.err;
  EXPECT_NE(done.err.find("the same command again goes on"), std::string::npos) << done.err;
}

TEST_F(CurateProgram, AnotherRecipesFolderIsNotTouched) {
  write_rows(50);
  ASSERT_EQ(selene(command()).exit_code, 0);
  std::vector<std::string> other{"curate",
                                 kRecipes + "/examples/own-csv.yaml",
                                 "--data",
                                 kRecipes + "/examples",
                                 "--out",
                                 out(),
                                 "--no-contamination"};
  const Finished refused = selene(other);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("the folder holds the mix of the recipe 'rows'"), std::string::npos)
      << refused.err;
  other.push_back("--overwrite");
  EXPECT_EQ(selene(other).exit_code, 0);
}

TEST_F(CurateProgram, WrongUsage) {
  EXPECT_EQ(selene({"curate"}).exit_code, 2);
  EXPECT_EQ(selene({"curate", kRecipes + "/selene-nano.yaml"}).exit_code, 2);
  const Finished missing = selene(
      {"curate", kRecipes + "/selene-nano.yaml", "--data", folder_ / "none", "--out", out()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("there is no such folder; --pull fetches"), std::string::npos)
      << missing.err;
}

}  // namespace
}  // namespace selene::testing
