// Writing: rows are appended to a table of a DuckDB file in a folder of its own beside the output,
// which one COPY makes a Parquet file of.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/file.h"
#include "core/text.h"
#include "table/session.h"
#include "table/table.h"

namespace selene::table {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// What is held in memory, here and by a reader of the file: rows of a ledger have some kilobytes.
constexpr std::uint64_t kFlushRows = 2048;
constexpr std::uint64_t kFlushBytes = std::uint64_t{16} << 20;
constexpr int kRowGroupRows = 8192;
constexpr const char* kMemoryLimit = "512MB";

struct TypeName {
  ColumnType type;
  const char* sql;
  const char* text;
};
constexpr TypeName kTypes[] = {{ColumnType::Text, "VARCHAR", "text"},
                               {ColumnType::Integer, "BIGINT", "an integer of 64 bits"},
                               {ColumnType::Real, "DOUBLE", "a number"},
                               {ColumnType::Boolean, "BOOLEAN", "true or false"},
                               {ColumnType::Json, "JSON", "JSON"},
                               {ColumnType::Messages, "JSON", "a list of messages"}};

const TypeName& name_of(ColumnType type) {
  for (const TypeName& one : kTypes) {
    if (one.type == type) return one;
  }
  throw std::logic_error("a column type without a name");
}

fs::path made_parent(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code failure;
  fs::create_directories(parent, failure);
  if (failure)
    throw Error(fmt::format("cannot make the folder: {}", failure.message()), parent.string());
  return parent;
}

bool is_integer(const Json& value) {
  return value.is_number_integer() &&
         (!value.is_number_unsigned() ||
          value.get<std::uint64_t>() <=
              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

// Text that is not UTF-8 stays so, in place of an exception.
std::string dump(const Json& value) {
  try {
    return value.dump();
  } catch (const Json::type_error&) {
    return "\xFF";
  }
}

bool is_messages(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& one) {
           return one.is_object() && one.size() == 2 && one.contains("role") &&
                  one.contains("content") && one["role"].is_string() && one["content"].is_string();
         });
}

bool fits(const Json& value, ColumnType type) {
  switch (type) {
    case ColumnType::Text:
      return value.is_string();
    case ColumnType::Integer:
      return is_integer(value);
    case ColumnType::Real:
      return value.is_number();
    case ColumnType::Boolean:
      return value.is_boolean();
    case ColumnType::Json:
      return true;
    case ColumnType::Messages:
      return is_messages(value);
  }
  return false;
}

}  // namespace

struct ParquetWriter::State {
  State(fs::path file, std::vector<Column> declared);

  Error failure() const;
  void append_value(const Column& column, const Json& value);
  void append_text(const Column& column, const std::string& text);
  void flush();

  fs::path path;
  std::vector<Column> columns;
  std::set<std::string> names;
  ScratchFolder scratch;
  Session session;
  Owned<duckdb_appender, duckdb_appender_destroy> appender;
  std::uint64_t rows = 0;
  std::uint64_t waiting_rows = 0;
  std::uint64_t waiting_bytes = 0;
};

ParquetWriter::State::State(fs::path file, std::vector<Column> declared)
    : path(std::move(file)),
      columns(std::move(declared)),
      scratch(made_parent(path), "." + path.filename().string() + "."),
      session(path.string()) {
  std::vector<std::string> definitions;
  for (const Column& column : columns) {
    if (!names.insert(column.name).second)
      throw Error(fmt::format("two columns are called '{}'", column.name), path.string());
    definitions.push_back(quoted_name(column.name) + " " + name_of(column.type).sql);
  }
  if (columns.empty()) throw Error("a table without columns", path.string());
  session.run(fmt::format("SET memory_limit = '{}'; SET temp_directory = {}", kMemoryLimit,
                          quoted_text((scratch.path() / "spilled").string())));
  session.run(fmt::format("ATTACH {} AS disk (ROW_GROUP_SIZE {}); USE disk",
                          quoted_text((scratch.path() / "rows.duckdb").string()), kRowGroupRows));
  // One transaction that is never committed: its rows are on the disk, but nobody waits for syncs.
  session.run("BEGIN");
  session.run(fmt::format("CREATE TABLE rows ({})", fmt::join(definitions, ", ")));
  if (duckdb_appender_create(session.connection(), nullptr, "rows", &appender.value) !=
      DuckDBSuccess)
    throw failure();
}

Error ParquetWriter::State::failure() const {
  const char* reason = duckdb_appender_error(appender.value);
  return duckdb_failure(reason != nullptr ? reason : "DuckDB failed", path.string());
}

void ParquetWriter::State::append_text(const Column& column, const std::string& text) {
  if (!is_valid_utf8(text)) {
    throw Error(fmt::format("row {}, column '{}': the text is not UTF-8", rows, column.name),
                path.string());
  }
  waiting_bytes += text.size();
  if (duckdb_append_varchar_length(appender.value, text.data(), text.size()) != DuckDBSuccess)
    throw failure();
}

void ParquetWriter::State::append_value(const Column& column, const Json& value) {
  duckdb_state state = DuckDBSuccess;
  if (value.is_null()) {
    state = duckdb_append_null(appender.value);
  } else if (!fits(value, column.type)) {
    throw Error(fmt::format("row {}, column '{}': {} is expected, not {}", rows, column.name,
                            name_of(column.type).text,
                            cut_to_columns(replace_invalid_utf8(dump(value)), 60)),
                path.string());
  } else {
    switch (column.type) {
      case ColumnType::Text:
        append_text(column, value.get_ref<const std::string&>());
        break;
      case ColumnType::Json:
      case ColumnType::Messages:
        append_text(column, dump(value));
        break;
      case ColumnType::Integer:
        state = duckdb_append_int64(appender.value, value);
        break;
      case ColumnType::Real:
        state = duckdb_append_double(appender.value, value);
        break;
      case ColumnType::Boolean:
        state = duckdb_append_bool(appender.value, value);
        break;
    }
  }
  if (state != DuckDBSuccess) throw failure();
}

void ParquetWriter::State::flush() {
  if (duckdb_appender_flush(appender.value) != DuckDBSuccess) throw failure();
  waiting_rows = waiting_bytes = 0;
}

ParquetWriter::ParquetWriter(fs::path path, std::vector<Column> columns)
    : state_(std::make_unique<State>(std::move(path), std::move(columns))) {}
ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;

void ParquetWriter::append(const Json& row) {
  State& state = *state_;
  ++state.rows;
  for (const auto& [name, value] : row.items()) {
    if (!state.names.contains(name)) {
      throw Error(fmt::format("row {}: the column '{}' was not declared", state.rows, name),
                  state.path.string());
    }
  }
  for (const Column& column : state.columns) {
    const auto found = row.find(column.name);
    state.append_value(column, found != row.end() ? *found : Json(nullptr));
  }
  if (duckdb_appender_end_row(state.appender.value) != DuckDBSuccess) throw state.failure();
  if (++state.waiting_rows >= kFlushRows || state.waiting_bytes >= kFlushBytes) state.flush();
}

void ParquetWriter::finish(bool overwrite) {
  State& state = *state_;
  state.flush();
  const fs::path whole = state.scratch.path() / "rows.parquet";
  std::vector<std::string> selected;
  for (const Column& column : state.columns) {
    const std::string name = quoted_name(column.name);
    selected.push_back(column.type == ColumnType::Messages
                           ? fmt::format("from_json({0}, '[{{\"role\": \"VARCHAR\", \"content\": "
                                         "\"VARCHAR\"}}]') AS {0}",
                                         name)
                           : name);
  }
  state.session.run(fmt::format(
      "COPY (SELECT {} FROM rows) TO {} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {})",
      fmt::join(selected, ", "), quoted_text(whole.string()), kRowGroupRows));
  if (overwrite) {
    rename_synced(whole, state.path);
  } else if (!rename_to_new(whole, state.path)) {
    throw Error("the output file exists", state.path.string(),
                "give --overwrite or name another file");
  }
  state_.reset();  // With it the folder of what was waiting.
}

}  // namespace selene::table
