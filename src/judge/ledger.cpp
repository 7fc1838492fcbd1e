#include "judge/ledger.h"

#include <sqlite3.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/parallel.h"

namespace selene::judge {
namespace {

// "SELj" in SQLite's header, so that another program's database is not taken for a ledger.
constexpr int kApplicationId = 0x53454C6A;
constexpr int kFormat = 1;
// What is left of the patience after an interrupt: a program that is at work needs no longer.
constexpr std::chrono::milliseconds kPatienceWhenInterrupted{1'000};
constexpr int kBusyIntervalMs = 10;
// Records in memory as text, to be read on several threads.
constexpr std::size_t kFoundAtOnce = 1'024;
constexpr const char* kBeginAnew = "move it away to begin a new one";

constexpr const char* kSchema = R"(
CREATE TABLE engines (id INTEGER PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL, version TEXT NOT NULL,
                      UNIQUE (name, model, version));
CREATE TABLE records (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, engine INTEGER NOT NULL REFERENCES engines (id),
                      created INTEGER NOT NULL DEFAULT (unixepoch()), record TEXT NOT NULL);
)";

// 64 hex digits as 32 bytes.
std::string key_bytes(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

struct Ledger::State {
  std::filesystem::path path;
  std::chrono::milliseconds patience{};
  std::chrono::steady_clock::time_point busy_since{};
  sqlite3* database = nullptr;
  sqlite3_stmt* find = nullptr;
  sqlite3_stmt* add_engine = nullptr;
  sqlite3_stmt* add = nullptr;
  std::function<void(const Error&)> tell_of_damage;
  std::set<std::string> damaged;  // Keys that were passed over.

  ~State() {
    for (sqlite3_stmt* statement : {find, add_engine, add}) sqlite3_finalize(statement);
    sqlite3_close(database);
  }

  // SQLite calls a file of shared memory that cannot grow an error of the device.
  bool disk_is_full() const {
    constexpr std::uintmax_t kLeast = 64 << 10;
    std::error_code unknown;
    const auto space =
        std::filesystem::space(std::filesystem::absolute(path).parent_path(), unknown);
    return !unknown && space.available < kLeast;
  }
  Error failure(int code) const {
    const int kind = code & 0xFF;
    const std::string text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    const auto error = [&](std::string_view what, std::string_view remedy) {
      return Error(what, path.string(), remedy);
    };
    if (kind == SQLITE_NOTADB)
      return error("this file is not a ledger", "name another with --ledger FILE");
    if (kind == SQLITE_CORRUPT) return error("the ledger is damaged", kBeginAnew);
    if (kind == SQLITE_FULL || (kind == SQLITE_IOERR && disk_is_full()))
      return error("no space left for the ledger", "free some and run the same command again");
    if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED) {
      return error("the ledger is in use by another program",
                   "wait for it, or give --ledger FILE or --no-ledger");
    }
    if (kind == SQLITE_READONLY || kind == SQLITE_CANTOPEN) {
      return error(fmt::format("the ledger cannot be opened for writing: {}", text),
                   "give --ledger FILE or --no-ledger");
    }
    if (kind == SQLITE_IOERR) {
      return error(fmt::format("the ledger cannot be read or written: {}", text),
                   "look at the disk and run the same command again: what is recorded is kept");
    }
    return error(fmt::format("the ledger failed: {}", text),
                 kind == SQLITE_ERROR ? kBeginAnew : "");
  }
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) throw failure(code);
  }
  void run(const char* sql) const { check(sqlite3_exec(database, sql, nullptr, nullptr, nullptr)); }

  sqlite3_stmt* prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(database, sql, -1, &statement, nullptr));
    return statement;
  }
  std::int64_t number(const char* sql) const {
    const Statement statement(*this, sql);
    check(sqlite3_step(statement.get()));
    return sqlite3_column_int64(statement.get(), 0);
  }

  // A statement used once.
  class Statement {
   public:
    Statement(const State& state, const char* sql) : statement_(state.prepare(sql)) {}
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    sqlite3_stmt* get() const { return statement_; }

   private:
    sqlite3_stmt* statement_;
  };

  // Rolled back unless commit() was reached.
  class Transaction {
   public:
    explicit Transaction(const State& state) : state_(state) { state_.run("BEGIN IMMEDIATE"); }
    ~Transaction() {
      if (!done_) sqlite3_exec(state_.database, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit() {
      state_.run("COMMIT");
      done_ = true;
    }

   private:
    const State& state_;
    bool done_ = false;
  };

  void open();
  void make_or_check_schema();
  Record read(std::string_view key, std::string_view text) const;
  std::optional<std::string> text_of(const std::string& key) const;
  void pass_over(const std::string& key, const Error& damage);
  void remove(std::string_view key) const;
  std::pair<std::string, std::string> look_up(std::string_view key) const;
  // SQLite's busy handler: whether to try again.
  static int wait_for_others(void* state, int attempts);
};

namespace {

std::string column_text(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return text == nullptr
             ? std::string()
             : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, column)));
}

void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void bind_blob(sqlite3_stmt* statement, int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

}  // namespace

void Ledger::State::open() {
  if (path.has_parent_path()) {
    std::error_code failed;
    std::filesystem::create_directories(path.parent_path(), failed);
    if (failed)
      throw Error(fmt::format("cannot make the folder: {}", failed.message()),
                  path.parent_path().string());
  }
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  check(sqlite3_open_v2(path.c_str(), &database, flags, nullptr));
  sqlite3_extended_result_codes(database, 1);
  if (sqlite3_db_readonly(database, "main") == 1) {
    throw Error("the ledger is read-only", path.string(),
                "make it or a copy of it writable, or name another: --ledger FILE");
  }
  sqlite3_busy_handler(database, &State::wait_for_others, this);
  make_or_check_schema();
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = FULL");
  find = prepare("SELECT record FROM records WHERE key = ?1");
  add_engine = prepare("INSERT OR IGNORE INTO engines (name, model, version) VALUES (?1, ?2, ?3)");
  add = prepare(
      "INSERT OR IGNORE INTO records (key, engine, record) VALUES (?1, (SELECT id FROM engines "
      "WHERE name = ?2 AND "
      "model = ?3 AND version = ?4), ?5)");
}

int Ledger::State::wait_for_others(void* state, int attempts) {
  auto& self = *static_cast<State*>(state);
  const auto now = std::chrono::steady_clock::now();
  if (attempts == 0) self.busy_since = now;
  const auto patience =
      interrupted() ? std::min(self.patience, kPatienceWhenInterrupted) : self.patience;
  if (now - self.busy_since >= patience) return 0;
  sqlite3_sleep(kBusyIntervalMs);
  return 1;
}

// A record as it stands in the file.
Record Ledger::State::read(std::string_view key, std::string_view text) const {
  try {
    Record record = record_from_json(text);
    if (record.key != key) throw Error("it is the record of another key");
    return record;
  } catch (const Error& failure) {
    throw Error(
        fmt::format("the ledger is damaged at record {}: {}", key, failure.message()),
        path.string(),
        fmt::format("remove the record: selene ledger prune {} --ledger {}", key, path.string()));
  }
}

// The record of a key as it stands in the file.
std::optional<std::string> Ledger::State::text_of(const std::string& key) const {
  const std::string bytes = key_bytes(key);
  bind_blob(find, 1, bytes);
  const int code = sqlite3_step(find);
  std::optional<std::string> text;
  if (code == SQLITE_ROW) text = column_text(find, 0);
  sqlite3_reset(find);
  check(code);
  return text;
}

void Ledger::State::pass_over(const std::string& key, const Error& damage) {
  if (!tell_of_damage) throw damage;
  if (damaged.insert(key).second) tell_of_damage(damage);
}

void Ledger::State::make_or_check_schema() {
  if (number("PRAGMA application_id") != kApplicationId) {
    Transaction transaction(
        *this);  // Of two processes that begin a ledger at once, the second finds it made.
    const bool made = number("PRAGMA application_id") == kApplicationId;
    if (!made && number("SELECT count(*) FROM sqlite_master") > 0) {
      throw Error("this SQLite file is not a ledger", path.string(),
                  "name another with --ledger FILE");
    }
    if (!made) {
      run(kSchema);
      run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId,
                      kFormat)
              .c_str());
    }
    transaction.commit();
  }
  const std::int64_t format = number("PRAGMA user_version");
  if (format != kFormat) {
    throw Error(fmt::format("the ledger has format {}, this program reads {}", format, kFormat),
                path.string(), "use the program that wrote it, or another --ledger FILE");
  }
}

Ledger::Ledger(std::filesystem::path path, std::chrono::milliseconds patience)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->patience = patience;
  state_->open();
}

Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;

std::filesystem::path Ledger::default_path() { return data_dir() / "ledger.sqlite"; }
const std::filesystem::path& Ledger::path() const { return state_->path; }

std::vector<std::optional<engine::Result>> Ledger::find(std::span<const std::string> keys) {
  std::vector<std::optional<engine::Result>> results(keys.size());
  for (std::size_t first = 0; first < keys.size(); first += kFoundAtOnce) {
    const auto batch = keys.subspan(first, std::min(kFoundAtOnce, keys.size() - first));
    std::vector<std::optional<std::string>> texts;
    for (const std::string& key : batch) texts.push_back(state_->text_of(key));
    std::vector<std::optional<Error>> damages(batch.size());
    parallel_for(batch.size(), machine_threads(), [&](std::size_t i) {
      if (!texts[i]) return;
      try {
        results[first + i] = state_->read(batch[i], *texts[i]).result;
      } catch (const Error& damage) {
        damages[i] = damage;
      }
    });
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (damages[i]) state_->pass_over(batch[i], *damages[i]);
    }
  }
  return results;
}

void Ledger::pass_over_damage(std::function<void(const Error&)> tell) {
  state_->tell_of_damage = std::move(tell);
}

void Ledger::put(std::span<const Record> records) {
  if (records.empty()) return;
  State::Transaction transaction(*state_);
  const engine::EngineId* known = nullptr;  // A batch mostly comes from one engine.
  for (const Record& record : records) {
    const std::string bytes = key_bytes(record.key);
    const std::string text = record_to_json(record);
    const std::string_view engine[] = {record.engine.name, record.engine.model,
                                       record.engine.version};
    if (known == nullptr || *known != record.engine) {
      for (int i = 0; i < 3; ++i) bind_text(state_->add_engine, i + 1, engine[i]);
      const int added = sqlite3_step(state_->add_engine);
      sqlite3_reset(state_->add_engine);
      state_->check(added);
      known = &record.engine;
    }
    if (state_->damaged.erase(record.key) > 0) state_->remove(record.key);
    bind_blob(state_->add, 1, bytes);
    for (int i = 0; i < 3; ++i) bind_text(state_->add, i + 2, engine[i]);
    bind_text(state_->add, 5, text);
    const int code = sqlite3_step(state_->add);
    sqlite3_reset(state_->add);
    state_->check(code);
  }
  transaction.commit();
}

bool Ledger::could_be_key(std::string_view key) {
  return key.size() >= 6 && key.size() <= 64 &&
         key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The whole key, and the record's text.
std::pair<std::string, std::string> Ledger::State::look_up(std::string_view key) const {
  if (!could_be_key(key))
    throw Error(fmt::format("'{}' is not a record's key", key), "",
                "give at least 6 of its 64 hex digits");
  const State::Statement statement(*this,
                                   "SELECT lower(hex(key)), record FROM records "
                                   "WHERE hex(key) LIKE ?1 LIMIT 2");
  std::string pattern(key);
  std::transform(pattern.begin(), pattern.end(), pattern.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  pattern += "%";
  bind_text(statement.get(), 1, pattern);
  int code = sqlite3_step(statement.get());
  check(code);
  if (code != SQLITE_ROW)
    throw Error(fmt::format("no record begins with '{}'", key), path.string(),
                "a judgment with parts is no record: give the key of one of its parts");
  const std::string whole_key = column_text(statement.get(), 0);
  const std::string text = column_text(statement.get(), 1);
  code = sqlite3_step(statement.get());
  check(code);
  if (code == SQLITE_ROW)
    throw Error(fmt::format("several records begin with '{}'", key), path.string(),
                "give more digits");
  return {whole_key, text};
}

Record Ledger::get(std::string_view key) {
  const auto [whole_key, text] = state_->look_up(key);
  return state_->read(whole_key, text);
}

std::uint64_t Ledger::remove(std::span<const std::string> keys) {
  State::Transaction transaction(*state_);
  std::set<std::string> whole_keys;
  for (const std::string& key : keys) whole_keys.insert(state_->look_up(key).first);
  for (const std::string& key : whole_keys) state_->remove(key);
  transaction.commit();
  return whole_keys.size();
}

void Ledger::State::remove(std::string_view key) const {
  const Statement statement(*this, "DELETE FROM records WHERE key = ?1");
  const std::string bytes = key_bytes(key);
  bind_blob(statement.get(), 1, bytes);
  check(sqlite3_step(statement.get()));
}

Ledger::Stats Ledger::stats() {
  Stats stats;
  stats.records = static_cast<std::uint64_t>(state_->number("SELECT count(*) FROM records"));
  stats.bytes = static_cast<std::uint64_t>(state_->number("PRAGMA page_count") *
                                           state_->number("PRAGMA page_size"));
  if (stats.records > 0) {
    const State::Statement times(
        *state_,
        "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', min(created), 'unixepoch'), "
        "strftime('%Y-%m-%dT%H:%M:%SZ', max(created), 'unixepoch') FROM records");
    state_->check(sqlite3_step(times.get()));
    stats.oldest = column_text(times.get(), 0);
    stats.newest = column_text(times.get(), 1);
  }
  const State::Statement engines(
      *state_,
      "SELECT name, model, version, count(*) FROM records JOIN engines ON engines.id = engine "
      "GROUP BY engines.id ORDER BY 4 DESC");
  int code = sqlite3_step(engines.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(engines.get())) {
    stats.engines.push_back({column_text(engines.get(), 0), column_text(engines.get(), 1),
                             column_text(engines.get(), 2),
                             static_cast<std::uint64_t>(sqlite3_column_int64(engines.get(), 3))});
  }
  state_->check(code);
  return stats;
}

void Ledger::each(const std::function<void(const Record&)>& visit,
                  const std::function<void(const std::string& key, const Error&)>& damaged) {
  const State::Statement statement(*state_,
                                   "SELECT lower(hex(key)), record FROM records ORDER BY id");
  int code = sqlite3_step(statement.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(statement.get())) {
    const std::string key = column_text(statement.get(), 0);
    std::optional<Record> record;
    try {
      record = state_->read(key, column_text(statement.get(), 1));
    } catch (const Error& failure) {
      if (!damaged) throw;
      damaged(key, failure);
    }
    if (record) visit(*record);
  }
  state_->check(code);
}

std::uint64_t Ledger::prune(std::string_view model, double days) {
  State::Transaction transaction(*state_);
  // "endpoint:NAME" or "endpoint:NAME (details)".
  const State::Statement statement(
      *state_,
      "DELETE FROM records WHERE created <= unixepoch() - ?1 AND engine IN "
      "(SELECT id FROM engines WHERE model = ?2 OR substr(model, 1, length(?3)) = ?3)");
  const std::string beginning =
      could_be_key(model) || model.empty() ? std::string(model) : std::string(model) + " (";
  sqlite3_bind_int64(statement.get(), 1, static_cast<sqlite3_int64>(days * 86'400));
  bind_text(statement.get(), 2, model);
  bind_text(statement.get(), 3, beginning);
  state_->check(sqlite3_step(statement.get()));
  const int removed = sqlite3_changes(state_->database);
  transaction.commit();
  state_->run("VACUUM");
  return static_cast<std::uint64_t>(removed);
}

}  // namespace selene::judge
