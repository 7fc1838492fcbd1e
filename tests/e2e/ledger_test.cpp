// The ledger across runs of the program: the same work costs nothing, and a record can be run
// again.
#include "judge/ledger.h"
#include "default_model.h"
#include "judge/prompt.h"
#include "program.h"
#include "table/table.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;
using LedgerProgram = DefaultModelTest;

TEST_F(LedgerProgram, AnswersWorkThatItKnowsAndReplaysIt) {
  const TemporaryFolder folder;
  const std::string ledger = folder / "ledger.sqlite";
  const std::vector<std::string> args{
      "--task",  "pairwise", "--input",      "2+2?", "--response-a", "4",   "--response-b", "5",
      "--order", "both",     "--max-tokens", "8",    "--ledger",     ledger};
  const Finished first = judge(args);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const Finished second = judge(args);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.out, first.out);
  EXPECT_NE(second.err.find("2 requests known from the ledger"), std::string::npos) << second.err;

  const Finished stats = run({"ledger", "stats", "--json", "--ledger", ledger});
  EXPECT_EQ(Json::parse(stats.out).at("records"), 2) << stats.out;

  const std::string key = rows_of(first.out)[0].at("parts")[0].at("key");
  const Finished replayed = run({"ledger", "replay", key, "--threads", "1", "--ledger", ledger});
  EXPECT_EQ(replayed.exit_code, 0) << replayed.out << replayed.err;
  EXPECT_EQ(replayed.out, "critique the same bytes\nscores   the same bits\nlabel    the same\n");

  const std::string exported = folder / "records.jsonl";
  EXPECT_EQ(run({"ledger", "export", exported, "--ledger", ledger}).exit_code, 0);
  const std::string other = folder / "other.sqlite";
  EXPECT_EQ(run({"ledger", "import", exported, "--ledger", other}).out,
            "2 records read, 2 added, 0 were there\n");
  EXPECT_EQ(run({"ledger", "import", exported, "--ledger", other}).out,
            "2 records read, 0 added, 2 were there\n");
  EXPECT_EQ(run({"ledger", "prune", "--all", "--ledger", other}).out, "2 records removed\n");
}

TEST(LedgerImport, OfWhatIsNoRecordMakesNoLedger) {
  const TemporaryFolder folder;
  const std::string rows = folder.file("rows.jsonl", "{}\n");
  const Finished finished = run({"ledger", "import", rows, "--ledger", folder / "made.sqlite"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(finished.err, "error: " + rows +
                              ":1: not a ledger record: key 'key' not found; give what selene "
                              "ledger export wrote\n");
  EXPECT_FALSE(std::filesystem::exists(folder / "made.sqlite"));
}

// The record of docs/formats.md, a line.
std::string example_record() {
  const std::string text = slurp(source_file("docs/formats.md"));
  const size_t begin = text.find("{\"key\":");
  return text.substr(begin, text.find('\n', begin) + 1 - begin);
}

class LedgerParquet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!table::is_available()) GTEST_SKIP() << "this build has no DuckDB (make tables)";
  }
  Finished ledger(const char* command, const std::string& file, const std::string& ledger) const {
    return run({"ledger", command, file, "--ledger", folder_ / ledger});
  }
  const TemporaryFolder folder_;
};

TEST_F(LedgerParquet, HoldsEveryRecordAsItIs) {
  const std::string rows = folder_.file("rows.jsonl", example_record());
  ASSERT_EQ(ledger("import", rows, "first").exit_code, 0);
  const std::string parquet = folder_ / "rows.parquet";
  const Finished exported = ledger("export", parquet, "first");
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(ledger("import", parquet, "second").out, "1 records read, 1 added, 0 were there\n");
  EXPECT_EQ(ledger("import", parquet, "second").out, "1 records read, 0 added, 1 were there\n");
  EXPECT_EQ(ledger("export", "-", "second").out, example_record());

  table::Rows all("SELECT * FROM 'rows.parquet'", folder_.path(), "test");
  Json row;
  ASSERT_TRUE(all.next(row));
  const Json record = Json::parse(example_record());
  EXPECT_EQ(row.at("key"), record.at("key"));
  EXPECT_EQ(row.at("prompt_tokens"), record.at("result").at("prompt_tokens"));
  EXPECT_EQ(row.at("template"), record.at("template").at("name"));

  const Finished again = ledger("export", parquet, "first");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.err, "error: " + parquet +
                           ": the output file exists; give --overwrite or name another file\n");
}

TEST_F(LedgerParquet, OfWhatIsNoRecordIsRefusedAndMakesNoLedger) {
  const auto refused = [&](const std::string& file) {
    const Finished finished = ledger("import", file, "made");
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "made"));
    return finished.err;
  };
  const std::string other = folder_ / "other.parquet";
  table::ParquetWriter columns(other, {{"text"}});
  columns.append({{"text", "x"}});
  columns.finish();
  EXPECT_EQ(refused(other), "error: " + other +
                                ", row 1: not a ledger record: there is no text in a column "
                                "'record'; give what selene ledger export wrote\n");

  Json record = Json::parse(example_record());
  record["result"]["text"] = "changed";
  const std::string changed = folder_ / "changed.parquet";
  table::ParquetWriter records(changed, {{"record"}});
  records.append({{"record", example_record()}});
  records.append({{"record", record.dump()}});
  records.finish();
  EXPECT_TRUE(refused(changed).starts_with("error: " + changed + ", row 2: "));

  const std::string cut = folder_.file("cut.parquet", slurp(changed).substr(0, 200));
  EXPECT_TRUE(refused(cut).ends_with("is no Parquet file, or is cut short: get it again\n"));
  const std::string none = folder_ / "none.parquet";
  EXPECT_EQ(refused(none),
            "error: " + none + ": No files found that match the pattern \"" + none + "\"\n");
}

TEST_F(LedgerProgram, PrunesRecordsOfAnyAge) {
  const TemporaryFolder folder;
  const std::string ledger = folder / "ledger.sqlite";
  ASSERT_EQ(judge({"--task", "classification", "--input", "Hi", "--response", "Hello", "--mode",
                   "verdict", "--ledger", ledger})
                .exit_code,
            0);
  const auto prune = [&](const char* days) {
    return run({"ledger", "prune", "--older-than", days, "--ledger", ledger}).out;
  };
  EXPECT_EQ(prune("1"), "0 records removed\n");
  EXPECT_EQ(prune("0"), "1 record removed\n");
}

// --- ledgers of records that were written by hand ---

class ImportedLedger : public ::testing::Test {
 protected:
  // With a record of an engine that is called so.
  Json record_of(const std::string& model, const std::string& name = "tested") const {
    judge::Record record;
    record.engine = {.name = name, .model = model, .adapter = "", .version = "1", .options = ""};
    record.template_name = "absolute";
    record.template_digest = "d";
    record.request.messages = {{"user", "question"}};
    record.request.labels = {"Yes", "No"};
    record.result.label_log_probs = {-0.25, -1.5};
    record.key = judge::request_key(record.engine, record.template_digest, record.request);
    return Json::parse(judge::record_to_json(record));
  }
  Finished import_rows(const std::vector<Json>& records) const {
    std::string rows;
    for (const Json& record : records) rows += record.dump() + "\n";
    return ledger({"import", folder_.file("rows.jsonl", rows)});
  }
  Finished ledger(std::vector<std::string> args) const {
    args.insert(args.begin(), "ledger");
    args.insert(args.end(), {"--ledger", path_});
    return run(args);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "ledger.sqlite";
};

TEST_F(ImportedLedger, ComesFromStandardInputOrAPipe) {
  const std::string row = record_of("m").dump() + "\n";
  EXPECT_EQ(run({.args = {"ledger", "import", "-", "--ledger", path_}, .input = row}).out,
            "1 records read, 1 added, 0 were there\n");
  const Call call{.args = {"ledger", "import", "-", "--ledger", path_},
                  .environment = {{"ROW", row}}};
  EXPECT_EQ(run(in_bash(call, R"(printf %s "$ROW" | "$@")")).out,
            "1 records read, 0 added, 1 were there\n");
  const Finished wrong = run({.args = {"ledger", "import", "-", "--ledger", path_}, .input = "{}"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_TRUE(wrong.err.starts_with("error: standard input:1: not a ledger record: ")) << wrong.err;
}

TEST_F(ImportedLedger, AnEmptyFileIsLeftEmpty) {
  folder_.file("ledger.sqlite", "");
  const Finished stats = ledger({"stats"});
  EXPECT_EQ(stats.exit_code, 1);
  EXPECT_EQ(stats.err, "error: " + path_ +
                           ": this file is empty, not a ledger; name another with --ledger FILE\n");
  EXPECT_EQ(std::filesystem::file_size(path_), 0u);
}

TEST_F(ImportedLedger, ShowsATerminalNoControlCharacters) {
  const std::string hostile = "endpoint:\x1b[2J\nmodel";
  ASSERT_EQ(import_rows({record_of(hostile, "na\x1bme")}).exit_code, 0);
  const Finished stats = ledger({"stats"});
  EXPECT_EQ(stats.exit_code, 0) << stats.err;
  EXPECT_EQ(stats.out.find('\x1b'), std::string::npos) << stats.out;
  EXPECT_NE(stats.out.find("         1  endpoint:\uFFFD[2J model  na\uFFFDme  1\n"),
            std::string::npos)
      << stats.out;
}

}  // namespace
}  // namespace selene::testing
