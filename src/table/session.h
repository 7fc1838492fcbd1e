// One DuckDB database in memory with one connection, and DuckDB's failures as Errors.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>

#include "core/error.h"

namespace selene::table {

// Text as an SQL literal.
std::string quoted_text(std::string_view text);
// A name as an SQL identifier.
std::string quoted_name(std::string_view name);
// A path in which DuckDB sees no wildcards.
std::string without_wildcards(std::string_view path);

// DuckDB's message on one line: without the name of its exception, the place in the SQL as "at
// line 1, near '…'".
Error duckdb_failure(std::string_view message, std::string_view where);

// A handle of DuckDB's, freed by `kDestroy`.
template <typename Handle, auto kDestroy>
struct Owned {
  Handle value{};

  Owned() = default;
  ~Owned() { kDestroy(&value); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
};

class Session {
 public:
  // One thread, so that rows keep their order; no extension is
  // installed or loaded. Failures have `where` as their place.
  explicit Session(std::string where);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  duckdb_connection connection() const { return connection_; }
  const std::string& where() const { return where_; }
  void run(const std::string& sql) const;
  // The one text that `sql`, with `argument` as its parameter, results in.
  std::string text(const char* sql, std::string_view argument) const;

 private:
  std::string where_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace selene::table
