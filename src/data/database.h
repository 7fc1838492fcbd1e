// One SQLite file: opened as a kind of ours or refused, statements, transactions, and errors that
// say what to do. In WAL mode with full syncs: a transaction that was committed survives a kill and
// a power cut. Several processes may share a file; a Database is for one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace selene {
class Error;
}

namespace selene::data {

// What a kind of file is known by, and what a user of it is told.
struct DatabaseKind {
  int application_id =
      0;  // In SQLite's header, so that another program's file is not taken for it.
  int format = 1;
  const char* schema = "";   // SQL that makes it.
  const char* name = "";     // "ledger"
  const char* another = "";  // How to take another file: "name another with --ledger FILE".
  const char* instead =
      "";  // What to give where it cannot be used: "give --ledger FILE or --no-ledger".
  const char* other_format = "";  // "use the program that wrote it, or another --ledger FILE"
};

enum class Opening { MakeIfMissing, MustBeThere, MustBeNew };

class Statement;

class Database {
 public:
  // Throws Error, and leaves the file as it is: of another kind or format, damaged, read-only,
  // locked by another program for longer than `patience` (after an interrupt: a second), a full
  // disk; not there, or there. So does all that runs on it.
  Database(std::filesystem::path path, const DatabaseKind& kind, std::chrono::milliseconds patience,
           Opening opening = Opening::MakeIfMissing);
  ~Database();
  Database(Database&&) noexcept;

  const std::filesystem::path& path() const;
  void run(const char* sql) const;
  std::int64_t number(const char* sql) const;  // The first column of the first row.
  std::int64_t changes() const;                // Rows that the last statement changed.
  std::int64_t last_id() const;                // Of the row that was inserted last.

 private:
  friend class Statement;
  friend class Transaction;
  struct State;
  std::unique_ptr<State> state_;
};

// A prepared statement. Parameters count from 1, columns from 0. Texts that are bound have to live
// until reset() or the end.
class Statement {
 public:
  Statement(const Database& database, const char* sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind(int index, std::int64_t number);
  Statement& bind_null(int index);
  // Whether there is a row. Throws Error.
  bool step();
  // Runs a statement without rows, and is ready for the next run.
  void run();
  void reset();

  std::string text(int column) const;
  std::string_view view(int column) const;  // Until the next step.
  std::int64_t number(int column) const;
  bool is_null(int column) const;

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// Rolled back unless commit() was reached.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  const Database& database_;
  bool done_ = false;
};

}  // namespace selene::data
