// The ledger: what it was given is there again, and a file that it cannot use is refused and left
// as it is.
#include "judge/ledger.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <fstream>
#include <limits>
#include <thread>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "judge/prompt.h"
#include "small_disk.h"
#include "temporary_folder.h"

namespace selene::judge {
namespace {

namespace fs = std::filesystem;
using selene::testing::message_of;
using selene::testing::slurp;
using namespace std::chrono_literals;

// The i-th of many different ones.
Record record_of(int i) {
  Record record;
  record.engine = {.name = "tested", .model = "m", .adapter = "", .version = "1", .options = ""};
  record.template_name = "absolute";
  record.template_digest = "d";
  record.request.messages = {{"user", fmt::format("question {}", i)}};
  record.request.mark = "**Result:**";
  record.request.labels = {"Yes", "No"};
  record.result.text = fmt::format("answer {} {}", i, std::string(200, 'x'));
  record.result.label_log_probs = {-0.25, -1.5};
  record.key = request_key(record.engine, record.template_digest, record.request);
  return record;
}

// Another program at the same file.
class Database {
 public:
  explicit Database(const fs::path& path) { sqlite3_open(path.c_str(), &database_); }
  ~Database() { sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  void run(const std::string& sql) {
    ASSERT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database_);
  }

 private:
  sqlite3* database_ = nullptr;
};

class LedgerTest : public ::testing::Test {
 protected:
  // Makes the ledger with the first `count` records.
  void put(int count) const {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) records.push_back(record_of(i));
    Ledger(path_).put(records);
  }
  void change(const std::string& sql) const { Database(path_).run(sql); }
  std::string opening(const fs::path& path) const {
    return message_of<Error>([&] { Ledger{path}; });
  }
  std::string finding(int i) const {
    return message_of<Error>([&] { Ledger(path_).find(std::vector<std::string>{key(i)}); });
  }
  static std::string key(int i) { return record_of(i).key; }
  std::string damaged(int i, const std::string& why) const {
    return fmt::format(
        "{0}: the ledger is damaged at record {1}: {2}; remove the record: selene ledger prune {1} "
        "--ledger {0}",
        path_, key(i), why);
  }

  selene::testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "ledger.sqlite";
};

TEST_F(LedgerTest, WhatWasPutIsFoundByTheNextProcess) {
  put(3);
  put(4);  // Three of them again.
  Ledger ledger(path_);
  const auto found = ledger.find(std::vector<std::string>{key(2), key(9), key(0)});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0]->text, record_of(2).result.text);
  EXPECT_EQ(found[0]->label_log_probs, record_of(2).result.label_log_probs);
  EXPECT_FALSE(found[1]);
  EXPECT_EQ(found[2]->text, record_of(0).result.text);
  EXPECT_EQ(ledger.stats().records, 4u);
}

TEST_F(LedgerTest, ARecordIsGotByTheBeginningOfItsKey) {
  put(2);
  Ledger ledger(path_);
  EXPECT_EQ(ledger.get(key(1).substr(0, 6)).key, key(1));
  EXPECT_EQ(message_of<Error>([&] { ledger.get("abc"); }),
            "'abc' is not a record's key; give at least 6 of its 64 hex digits");
  EXPECT_EQ(message_of<Error>([&] { ledger.get("000000"); }),
            path_ +
                ": no record begins with '000000'; a judgment with parts is no record: give the "
                "key of one of its parts");
  change("UPDATE records SET key = x'abcdef' || CAST(id AS BLOB)");
  EXPECT_EQ(message_of<Error>([&] { ledger.get("abcdef"); }),
            path_ + ": several records begin with 'abcdef'; give more digits");
}

// --- a record that is not what was written ---

TEST(Record, ComesBackAsItWasWritten) {
  Record record = record_of(1);
  record.result.label_log_probs = {0, -std::numeric_limits<double>::infinity()};
  const std::string text = record_to_json(record);
  EXPECT_EQ(record_to_json(record_from_json(text)), text);
  record.result.label_log_probs.clear();
  record.result.label_read = 1;
  EXPECT_EQ(record_from_json(record_to_json(record)).result.label_read, 1u);
}

TEST(Record, IsRefusedWhenItWasChanged) {
  const auto refusal = [](const std::string& from, const std::string& to) {
    std::string text = record_to_json(record_of(1));
    text.replace(text.find(from), from.size(), to);
    return message_of<Error>([&] { record_from_json(text); });
  };
  EXPECT_EQ(refusal("question 1", "question 2"),
            "the record's key is not the digest of its request; it was changed or made by another "
            "version");
  EXPECT_EQ(refusal("-0.25", "-0.75"), "the record's result was changed: it has another digest");
  EXPECT_EQ(refusal("answer 1", "answer 7"),
            "the record's result was changed: it has another digest");
  EXPECT_EQ(refusal("-0.25,", ""), "not a ledger record: the result does not fit the labels");
  EXPECT_EQ(refusal("\"label_read\":null", "\"label_read\":2"),
            "not a ledger record: the result does not fit the labels");
  EXPECT_TRUE(refusal("\"truncated\"", "\"cut\"").starts_with("not a ledger record: "));
  EXPECT_EQ(refusal("-0.25", "0.25"), "not a ledger record: a log-probability is above 0");
  for (const char* place : {"\"key\"", "\"model\"", "\"digest\"", "\"content\"", "\"text\""}) {
    EXPECT_EQ(refusal(place, std::string("\"extra\":1,") + place),
              "not a ledger record: unknown key 'extra'; give what selene ledger export wrote");
  }
}

TEST(Record, OfAnEarlierVersionHasNoDigestOfItsResult) {
  std::string text = record_to_json(record_of(1));
  text = text.substr(0, text.find(",\"result_sha256\"")) + "}";
  EXPECT_EQ(record_from_json(text).result.text, record_of(1).result.text);
}

TEST_F(LedgerTest, AChangedRecordIsSaidWhoeverReadsIt) {
  put(2);
  change("UPDATE records SET record = replace(record, '-0.25', '-0.75') WHERE id = 2");
  const std::string message = damaged(1, "the record's result was changed: it has another digest");
  EXPECT_EQ(finding(1), message);
  EXPECT_EQ(finding(0), "");
  EXPECT_EQ(message_of<Error>([&] { Ledger(path_).get(key(1)); }), message);
  EXPECT_EQ(message_of<Error>([&] { Ledger(path_).each([](const Record&) {}); }), message);
  EXPECT_EQ(Ledger(path_).remove(std::vector<std::string>{key(1)}), 1u);  // As the message says.
  EXPECT_EQ(finding(1), "");
}

TEST_F(LedgerTest, ADamagedRecordIsPassedOverAndReplacedWhereThatIsWanted) {
  put(2);
  change("UPDATE records SET record = replace(record, '-0.25', '-0.75') WHERE id = 2");
  Ledger ledger(path_);
  std::vector<std::string> told;
  ledger.pass_over_damage([&](const Error& failure) { told.emplace_back(failure.what()); });
  for (int i = 0; i < 2; ++i) {
    const auto found = ledger.find(std::vector<std::string>{key(1), key(0)});
    EXPECT_FALSE(found[0]);
    EXPECT_TRUE(found[1]);
  }
  EXPECT_EQ(told, std::vector<std::string>{
                      damaged(1, "the record's result was changed: it has another digest")});
  ledger.put(std::vector<Record>{record_of(1)});
  EXPECT_TRUE(ledger.find(std::vector<std::string>{key(1)})[0]);
  EXPECT_EQ(finding(1), "");
}

TEST_F(LedgerTest, EachNamesTheDamagedRecordsAndGoesOn) {
  put(3);
  change("UPDATE records SET record = replace(record, '-0.25', '-0.75') WHERE id = 2");
  std::vector<std::string> good, bad;
  Ledger(path_).each([&](const Record& record) { good.push_back(record.key); },
                     [&](const std::string& damaged, const Error&) { bad.push_back(damaged); });
  EXPECT_EQ(good, (std::vector<std::string>{key(0), key(2)}));
  EXPECT_EQ(bad, std::vector<std::string>{key(1)});
}

TEST_F(LedgerTest, RemovesRecordsByTheBeginningOfTheirKeys) {
  put(3);
  Ledger ledger(path_);
  EXPECT_NE(message_of<Error>([&] {
              ledger.remove(std::vector<std::string>{key(0), "000000"});
            }),
            "");
  EXPECT_EQ(ledger.stats().records, 3u);
  EXPECT_EQ(ledger.remove(std::vector<std::string>{key(0).substr(0, 8), key(0), key(2)}), 2u);
  EXPECT_TRUE(ledger.find(std::vector<std::string>{key(1)})[0]);
}

TEST_F(LedgerTest, PrunesByTheWholeNameOfAModelOrTheBeginningOfADigest) {
  const std::string digest(64, 'a');
  std::vector<Record> records;
  for (const std::string& model :
       {digest, std::string("endpoint:selene"), std::string("endpoint:selene (root, size 7)"),
        std::string("endpoint:selene-mini")}) {
    Record record = record_of(1);
    record.engine.model = model;
    record.key = request_key(record.engine, record.template_digest, record.request);
    records.push_back(record);
  }
  Ledger ledger(path_);
  ledger.put(records);
  EXPECT_EQ(ledger.prune("endpoint:sel", 0), 0u);
  EXPECT_EQ(ledger.prune("endpoint:selene", 0), 2u);
  EXPECT_EQ(ledger.prune("aaaaaaaa", 0), 1u);
  EXPECT_EQ(ledger.stats().records, 1u);
}

TEST_F(LedgerTest, ARecordUnderAnotherKeyIsDamage) {
  put(2);
  change("UPDATE records SET record = (SELECT record FROM records WHERE id = 1) WHERE id = 2");
  EXPECT_EQ(finding(1), damaged(1, "it is the record of another key"));
}

// --- files that are no ledger ---

TEST_F(LedgerTest, AFileThatIsNoDatabaseIsRefusedAndLeftAsItIs) {
  for (const size_t size : {2, 99, 512, 5000}) {
    const fs::path file = folder_.file("notes.txt", std::string(size, 'n'));
    EXPECT_EQ(opening(file),
              file.string() + ": this file is not a ledger; name another with --ledger FILE");
    EXPECT_EQ(slurp(file), std::string(size, 'n'));
  }
  EXPECT_EQ(opening(folder_.path()),
            folder_.path().string() +
                ": the ledger cannot be opened for writing: unable to open database file; give "
                "--ledger FILE or --no-ledger");
}

TEST_F(LedgerTest, AnotherProgramsDatabaseIsRefusedAndLeftAsItIs) {
  for (const char* mode : {"delete", "wal"}) {
    const std::string file = folder_ / mode;
    Database(file).run(fmt::format("PRAGMA journal_mode = {}; CREATE TABLE mine (x)", mode));
    const std::string before = slurp(file);
    EXPECT_EQ(opening(file),
              file + ": this SQLite file is not a ledger; name another with --ledger FILE");
    EXPECT_EQ(slurp(file), before);
  }
}

TEST_F(LedgerTest, ALedgerOfAnotherVersionIsRefused) {
  put(1);
  change("PRAGMA user_version = 9");
  EXPECT_EQ(opening(path_),
            path_ +
                ": the ledger has format 9, this program reads 1; use the program that wrote it, "
                "or another --ledger FILE");
}

TEST_F(LedgerTest, ALedgerWithoutItsTablesIsRefused) {
  put(1);
  change("DROP TABLE records");
  EXPECT_EQ(opening(path_),
            path_ + ": the ledger failed: no such table: records; move it away to begin a new one");
}

TEST_F(LedgerTest, ADamagedFileIsRefusedAndLeftAsItIs) {
  put(100);
  const std::string whole = slurp(path_);
  const std::string half = whole.substr(0, whole.size() / 2);
  std::string scratched = whole;
  scratched.replace(4096, whole.size() - 4096, whole.size() - 4096, '\xA5');
  for (const std::string& bytes : {half, scratched}) {
    folder_.file("ledger.sqlite", bytes);
    EXPECT_EQ(finding(60), path_ + ": the ledger is damaged; move it away to begin a new one");
    EXPECT_EQ(slurp(path_), bytes);
  }
}

// --- a ledger that cannot be written ---

TEST_F(LedgerTest, AnotherProgramsWriteIsWaitedFor) {
  put(1);
  Ledger ledger(path_, 60s);
  Database other(path_);
  other.run("BEGIN EXCLUSIVE");
  std::thread ending([&] {
    std::this_thread::sleep_for(50ms);
    other.run("COMMIT");
  });
  ledger.put(std::vector<Record>{record_of(1)});
  ending.join();
  EXPECT_EQ(ledger.stats().records, 2u);
}

TEST_F(LedgerTest, ALockedLedgerIsSaidAndLosesNothing) {
  const std::string in_use =
      path_ +
      ": the ledger is in use by another program; wait for it, or give --ledger FILE or "
      "--no-ledger";
  put(1);
  Ledger ledger(path_, 20ms);
  Database other(path_);
  other.run("BEGIN EXCLUSIVE; DELETE FROM records");
  const std::vector<Record> more{record_of(1)};
  EXPECT_EQ(message_of<Error>([&] { ledger.put(more); }), in_use);
  EXPECT_TRUE(ledger.find(std::vector<std::string>{key(0)})[0]) << "it can still be read";
  other.run("ROLLBACK");
  ledger.put(more);
  EXPECT_EQ(ledger.stats().records, 2u);

  const fs::path fresh = folder_ / "fresh.sqlite";
  Database first(fresh);
  first.run("BEGIN EXCLUSIVE");
  EXPECT_TRUE(message_of<Error>([&] { Ledger(fresh, 20ms); })
                  .ends_with(": the ledger is in use by another program; wait for it, or give "
                             "--ledger FILE or --no-ledger"));
}

TEST_F(LedgerTest, AnInterruptEndsTheWait) {
  put(1);
  Ledger ledger(path_, 60s);
  Database other(path_);
  other.run("BEGIN EXCLUSIVE");
  set_interrupted(true);
  const auto start = std::chrono::steady_clock::now();
  const std::string message =
      message_of<Error>([&] { ledger.put(std::vector<Record>{record_of(1)}); });
  set_interrupted(false);
  EXPECT_NE(message.find("the ledger is in use"), std::string::npos) << message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
}

TEST_F(LedgerTest, AReadOnlyOneIsRefusedBeforeAnythingIsJudged) {
  const auto said = selene::testing::on_small_disk(folder_.path(), 10 << 20, [&] {
    put(1);
    if (::mount("none", folder_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
      return std::string("no right");
    return opening(path_);
  });
  if (!said || *said == "no right") GTEST_SKIP() << "SKIPPED: no right to mount a small disk";
  EXPECT_EQ(*said, path_ +
                       ": the ledger is read-only; make it or a copy of it writable, or name "
                       "another with --ledger FILE");
}

TEST_F(LedgerTest, AFullDiskIsSaidFromTheBeginning) {
  const auto said = selene::testing::on_small_disk(folder_.path(), 300 << 10, [&] {
    put(1);
    std::ofstream rest(folder_ / "rest");
    while (rest << std::string(4096, 'x') && rest.flush()) {
    }
    return message_of<Error>([&] {
      Ledger ledger(path_);
      for (int i = 1; i < 100; ++i) ledger.put(std::vector<Record>{record_of(i)});
    });
  });
  if (!said) GTEST_SKIP() << "SKIPPED: no right to mount a small disk";
  EXPECT_EQ(*said,
            path_ + ": no space left for the ledger; free some and run the same command again");
}

TEST_F(LedgerTest, AFullDiskIsSaidAndLosesNothing) {
  const auto said = selene::testing::on_small_disk(folder_.path(), 300 << 10, [&] {
    int done = 0;
    std::string error;
    {
      Ledger ledger(path_);
      for (; error.empty() && done < 1000; ++done) {
        error = message_of<Error>([&] { ledger.put(std::vector<Record>{record_of(done)}); });
      }
    }
    --done;  // The last one failed.
    ::mount("none", folder_.path().c_str(), nullptr, MS_REMOUNT, "size=10m");
    Ledger again(path_);
    int lost = 0;
    for (int i = 0; i < done; ++i) {
      if (!again.find(std::vector<std::string>{key(i)})[0]) ++lost;
    }
    again.put(std::vector<Record>{record_of(done)});
    return fmt::format("{}|{}|{}|{}", error, done > 10, lost,
                       again.stats().records == static_cast<std::uint64_t>(done) + 1);
  });
  if (!said) GTEST_SKIP() << "SKIPPED: no right to mount a small disk";
  EXPECT_EQ(*said, path_ +
                       ": no space left for the ledger; free some and run the same command "
                       "again|true|0|true");
}

}  // namespace
}  // namespace selene::judge
