#include "data/database.h"

#include <sqlite3.h>

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"

namespace selene::data {
namespace {

// What is left of the patience after an interrupt: a program that is at work needs no longer.
constexpr std::chrono::milliseconds kPatienceWhenInterrupted{1'000};
constexpr int kBusyIntervalMs = 10;
constexpr const char* kBeginAnew = "move it away to begin a new one";

}  // namespace

struct Database::State {
  std::filesystem::path path;
  DatabaseKind kind;
  std::chrono::milliseconds patience{};
  std::chrono::steady_clock::time_point busy_since{};
  sqlite3* database = nullptr;

  ~State() { sqlite3_close(database); }

  // SQLite calls a file of shared memory that cannot grow an error of the device.
  bool disk_is_full() const {
    constexpr std::uintmax_t kLeast = 64 << 10;
    std::error_code unknown;
    const auto space =
        std::filesystem::space(std::filesystem::absolute(path).parent_path(), unknown);
    return !unknown && space.available < kLeast;
  }
  Error failure(int code) const {
    const int reason = code & 0xFF;
    const std::string text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    const auto error = [&](const std::string& what, const std::string& remedy) {
      return Error(what, path.string(), remedy);
    };
    if (reason == SQLITE_NOTADB)
      return error(fmt::format("this file is not {}", a()), kind.another);
    if (reason == SQLITE_CORRUPT)
      return error(fmt::format("the {} is damaged", kind.name), kBeginAnew);
    if (reason == SQLITE_FULL || (reason == SQLITE_IOERR && disk_is_full()))
      return error(fmt::format("no space left for the {}", kind.name),
                   "free some and run the same command again");
    if (reason == SQLITE_BUSY || reason == SQLITE_LOCKED) {
      return error(fmt::format("the {} is in use by another program", kind.name),
                   fmt::format("wait for it, or {}", kind.instead));
    }
    if (reason == SQLITE_READONLY || reason == SQLITE_CANTOPEN) {
      return error(fmt::format("the {} cannot be opened for writing: {}", kind.name, text),
                   kind.instead);
    }
    if (reason == SQLITE_IOERR) {
      return error(fmt::format("the {} cannot be read or written: {}", kind.name, text),
                   "look at the disk and run the same command again: what is recorded is kept");
    }
    return error(fmt::format("the {} failed: {}", kind.name, text),
                 reason == SQLITE_ERROR ? kBeginAnew : "");
  }
  std::string a() const {
    const bool vowel = std::string_view("aeiou").find(kind.name[0]) != std::string_view::npos;
    return fmt::format("{} {}", vowel ? "an" : "a", kind.name);
  }
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) throw failure(code);
  }
  // SQLite's busy handler: whether to try again.
  static int wait_for_others(void* state, int attempts) {
    auto& self = *static_cast<State*>(state);
    const auto now = std::chrono::steady_clock::now();
    if (attempts == 0) self.busy_since = now;
    const auto patience =
        interrupted() ? std::min(self.patience, kPatienceWhenInterrupted) : self.patience;
    if (now - self.busy_since >= patience) return 0;
    sqlite3_sleep(kBusyIntervalMs);
    return 1;
  }
  void open(Opening opening);
};

void Database::State::open(Opening opening) {
  const bool is_there = path_exists(path);
  if (opening == Opening::MustBeThere && !is_there)
    throw Error(fmt::format("there is no such {}", kind.name), path.string(), kind.another);
  if (opening == Opening::MustBeNew && is_there)
    throw Error("this file is there already", path.string(), kind.another);
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
    throw Error(fmt::format("the {} is read-only", kind.name), path.string(),
                fmt::format("make it or a copy of it writable, or {}", kind.another));
  }
  sqlite3_busy_handler(database, &State::wait_for_others, this);
}

namespace {

void make_or_check_schema(const Database& database, const DatabaseKind& kind,
                          const std::string& a_kind) {
  const auto is_made = [&] {
    return database.number("PRAGMA application_id") == kind.application_id;
  };
  const std::string path = database.path().string();
  if (!is_made()) {
    Transaction transaction(
        database);  // Of two processes that begin at once, the second finds it made.
    const bool made = is_made();
    if (!made && database.number("SELECT count(*) FROM sqlite_master") > 0)
      throw Error(fmt::format("this SQLite file is not {}", a_kind), path, kind.another);
    if (!made) {
      database.run(kind.schema);
      database.run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                               kind.application_id, kind.format)
                       .c_str());
    }
    transaction.commit();
  }
  const std::int64_t format = database.number("PRAGMA user_version");
  if (format != kind.format) {
    throw Error(
        fmt::format("the {} has format {}, this program reads {}", kind.name, format, kind.format),
        path, kind.other_format);
  }
}

}  // namespace

Database::Database(std::filesystem::path path, const DatabaseKind& kind,
                   std::chrono::milliseconds patience, Opening opening)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->kind = kind;
  state_->patience = patience;
  state_->open(opening);
  make_or_check_schema(*this, kind, state_->a());
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = FULL");
}

Database::~Database() = default;
Database::Database(Database&&) noexcept = default;

const std::filesystem::path& Database::path() const { return state_->path; }
void Database::run(const char* sql) const {
  state_->check(sqlite3_exec(state_->database, sql, nullptr, nullptr, nullptr));
}
std::int64_t Database::number(const char* sql) const {
  Statement statement(*this, sql);
  statement.step();
  return statement.number(0);
}
std::int64_t Database::changes() const { return sqlite3_changes64(state_->database); }
std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(state_->database); }

struct Statement::Handle {
  const Database::State* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  ~Handle() { sqlite3_finalize(statement); }
};

Statement::Statement(const Database& database, const char* sql)
    : handle_(std::make_unique<Handle>()) {
  handle_->database = database.state_.get();
  handle_->database->check(
      sqlite3_prepare_v2(handle_->database->database, sql, -1, &handle_->statement, nullptr));
}
Statement::~Statement() = default;
Statement::Statement(Statement&&) noexcept = default;

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(handle_->statement, index, text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(handle_->statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}
Statement& Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(handle_->statement, index, number);
  return *this;
}
Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(handle_->statement, index);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_->statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    const Error failure = handle_->database->failure(code);
    sqlite3_reset(handle_->statement);
    throw failure;
  }
  return code == SQLITE_ROW;
}
void Statement::run() {
  step();
  reset();
}
void Statement::reset() { sqlite3_reset(handle_->statement); }

std::string_view Statement::view(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_->statement, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(handle_->statement, column))};
}
std::string Statement::text(int column) const { return std::string(view(column)); }
std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(handle_->statement, column);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_->statement, column) == SQLITE_NULL;
}

Transaction::Transaction(const Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}
Transaction::~Transaction() {
  if (!done_) sqlite3_exec(database_.state_->database, "ROLLBACK", nullptr, nullptr, nullptr);
}
void Transaction::commit() {
  database_.run("COMMIT");
  done_ = true;
}

}  // namespace selene::data
