// Tables in and out: Parquet, JSONL, JSON and CSV, also gzip and zstd, read by SQL, and Parquet
// written. DuckDB does the work; a build may be without it, and then everything here but
// is_available() and version() throws an Error that says how to get it.
//
// What a cell becomes in JSON, and what is refused, is in docs/formats.md, "Tables".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "table/screen.h"

namespace selene::table {

// Whether this build has DuckDB.
bool is_available();
// DuckDB's, such as "1.4.4"; empty without it.
std::string version();

// A file name as SQL text in quotes, its wildcards taken for plain characters.
std::string quoted_file(std::string_view file);

// The rows of one SQL SELECT, as they come: memory does not grow with their number. The same files
// give the same rows in the same order on any machine. Not thread-safe.
class Rows {
 public:
  // A relative file name in `sql` is below `folder`, absolute ones must be; a name is written as
  // text, and may have wildcards (read_parquet('a/*.parquet'), FROM 'b.csv.gz'). Nothing outside of
  // `folder` is read or written (but what a symbolic link in it leads to), nothing is loaded from
  // the net. Every Error, also of next(), has `name` as its place: anything but one SELECT, SQL
  // that is wrong, a file that is not there, damaged or cut short, columns that no row can hold.
  Rows(std::string_view sql, const std::filesystem::path& folder, std::string name);
  ~Rows();
  Rows(Rows&&) noexcept;

  // No two have the same name.
  const std::vector<std::string>& columns() const;
  // An object with a value for every column. False at the end.
  bool next(nlohmann::ordered_json& row);
  // After the end: the lines that a read_csv(…, store_rejects = true) of the SELECT left out, in
  // the order of files and lines.
  std::vector<BadLine> rejects() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class ColumnType {
  Text,
  Integer,
  Real,
  Boolean,
  Json,
  Messages,  // [{"role": text, "content": text}, ...], as a list of structs.
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::Text;
};

// A Parquet file (zstd) that is put in place when it is whole: until finish(), and after a failure,
// `path` is as it was. Rows wait on the disk beside it. Not thread-safe.
class ParquetWriter {
 public:
  // Makes missing parent folders. Every Error has `path` as its place: a folder that cannot be
  // written, a full disk, columns that are none.
  ParquetWriter(std::filesystem::path path, std::vector<Column> columns);
  // Removes what was not finished.
  ~ParquetWriter();
  ParquetWriter(ParquetWriter&&) noexcept;

  // An object by column; one that is missing or null is NULL. Throws Error, naming row and column,
  // on a column that was not declared and on a value of another type.
  void append(const nlohmann::ordered_json& row);
  // Syncs and renames to `path`. Once, at the end. Without `overwrite`, Error where `path` is
  // there.
  void finish(bool overwrite = true);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::table
