// Reading: the SELECT is checked and its file names are put below the folder, then DuckDB is locked
// and the rows are taken from it a chunk at a time.
#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "core/interrupt.h"
#include "core/text.h"
#include "table/cell.h"
#include "table/file_names.h"
#include "table/session.h"
#include "table/table.h"
#include "table/whole_file.h"

namespace selene::table {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

fs::path existing_folder(const fs::path& folder, const std::string& name) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure))
    throw Error(fmt::format("there is no folder {}", folder.string()), name);
  return fs::absolute(folder / "").lexically_normal().parent_path();
}

// Nothing outside of `folder`, nothing from the net, and no file of DuckDB's own.
void lock_into(const fs::path& folder, const Session& session) {
  session.run("SET TimeZone = 'UTC'; SET enable_external_file_cache = false");
  session.run(fmt::format("SET temp_directory = ''; SET allowed_directories = [{}, {}]",
                          quoted_text(folder.string()),
                          quoted_text(without_wildcards(folder.string()))));  // As a pattern.
  session.run("SET enable_external_access = false; SET lock_configuration = true");
}

// DuckDB's syntax tree of `sql`.
Json syntax_tree(const Session& session, std::string_view sql) {
  const Json tree = Json::parse(session.text("SELECT json_serialize_sql(?::VARCHAR)", sql));
  if (!tree.at("error").get<bool>()) {
    if (tree.at("statements").size() != 1)
      throw Error(fmt::format("one SELECT is expected, and here are {} statements",
                              tree.at("statements").size()),
                  session.where());
    return tree;
  }
  if (tree.at("error_type") == "not implemented") {
    throw Error("only a SELECT can be run", session.where(),
                "leave out what writes, loads or sets something");
  }
  const std::string position = tree.value("position", "");
  std::string place;
  if (!position.empty() && std::stoul(position) < sql.size()) {
    const std::string_view before = sql.substr(0, std::stoul(position));
    place =
        fmt::format(" at line {}, near '{}'", std::count(before.begin(), before.end(), '\n') + 1,
                    cut_to_columns(sql.substr(before.size()), 40));
  }
  throw Error(
      fmt::format("the SQL is wrong{}: {}", place, tree.at("error_message").get<std::string>()),
      session.where());
}

}  // namespace

struct Rows::State {
  State(std::string_view sql, const fs::path& folder, std::string name);

  Error failure(const char* message) const;
  void check_files(const std::vector<std::string>& patterns) const;
  void prepare(const std::string& sql);
  void start();
  void read_columns();
  bool next_chunk();

  fs::path folder;
  Session session;
  // In this order: each is made of the one before it. Also freed where the constructor throws.
  Owned<duckdb_prepared_statement, duckdb_destroy_prepare> statement;
  Owned<duckdb_pending_result, duckdb_destroy_pending> pending;
  Owned<duckdb_result, duckdb_destroy_result> result;
  Owned<duckdb_data_chunk, duckdb_destroy_data_chunk> chunk;
  std::uint64_t chunk_size = 0;
  std::uint64_t chunk_row = 0;
  std::uint64_t row = 0;  // Of all, from 1.
  std::vector<std::string> columns;
  std::vector<CellType> types;
};

Rows::State::State(std::string_view sql, const fs::path& where_files_are, std::string name)
    : folder(existing_folder(where_files_are, name)), session(std::move(name)) {
  if (!is_valid_utf8(sql)) throw Error("the SQL is not UTF-8", session.where());
  if (sql.find('\0') != std::string_view::npos)
    throw Error("the SQL has a zero byte", session.where());
  lock_into(folder, session);
  const Json tree = syntax_tree(session, sql);
  try {
    const Placed placed = put_below(folder, sql, tree);
    check_files(placed.files);
    prepare(placed.sql);
    start();
    read_columns();
  } catch (const Error& failure) {
    throw failure.where().empty() ? failure.at(session.where()) : failure;
  }
}

void Rows::State::check_files(const std::vector<std::string>& patterns) const {
  for (const std::string& pattern : patterns) {
    const std::string files = session.text(
        "SELECT coalesce(string_agg(file, chr(10)), '') FROM glob(?::VARCHAR)", pattern);
    std::istringstream lines(files);
    for (std::string file; std::getline(lines, file);) {
      try {
        check_whole(file);
      } catch (const Error& failure) {
        throw Error(fmt::format("{}: {}", failure.where(), failure.message()), session.where(),
                    failure.remedy());
      }
    }
  }
}

Error Rows::State::failure(const char* message) const {
  return duckdb_failure(message != nullptr ? message : "DuckDB failed", session.where());
}

void Rows::State::prepare(const std::string& sql) {
  if (duckdb_prepare(session.connection(), sql.c_str(), &statement.value) != DuckDBSuccess)
    throw failure(duckdb_prepare_error(statement.value));
  if (duckdb_nparams(statement.value) > 0)
    throw Error("the SQL has parameters, which nothing fills", "", "write the values");
}

void Rows::State::start() {
  if (duckdb_pending_prepared_streaming(statement.value, &pending.value) != DuckDBSuccess)
    throw failure(duckdb_pending_error(pending.value));
  for (;;) {
    const duckdb_pending_state state = duckdb_pending_execute_task(pending.value);
    if (state == DUCKDB_PENDING_ERROR) throw failure(duckdb_pending_error(pending.value));
    if (duckdb_pending_execution_is_finished(state)) break;
    if (interrupted()) throw Error("interrupted");
  }
  if (duckdb_execute_pending(pending.value, &result.value) != DuckDBSuccess)
    throw failure(duckdb_result_error(&result.value));
}

void Rows::State::read_columns() {
  std::set<std::string> seen;
  for (idx_t i = 0; i < duckdb_column_count(&result.value); ++i) {
    const std::string name = duckdb_column_name(&result.value, i);
    if (!seen.insert(name).second) {
      throw Error(fmt::format("two columns are called '{}'", name), "",
                  "give one another name: AS …");
    }
    columns.push_back(name);
    try {
      types.push_back(read_type(duckdb_column_logical_type(&result.value, i)));
    } catch (const Error& failure) {
      throw Error(fmt::format("the column '{}': {}", name, failure.message()), "",
                  failure.remedy());
    }
  }
}

bool Rows::State::next_chunk() {
  duckdb_destroy_data_chunk(&chunk.value);
  chunk.value = duckdb_fetch_chunk(result.value);
  chunk_row = 0;
  chunk_size = chunk.value != nullptr ? duckdb_data_chunk_get_size(chunk.value) : 0;
  if (chunk.value == nullptr) {
    if (const char* reason = duckdb_result_error(&result.value); reason != nullptr)
      throw failure(reason);
  }
  return chunk_size > 0;
}

Rows::Rows(std::string_view sql, const fs::path& folder, std::string name)
    : state_(std::make_unique<State>(sql, folder, std::move(name))) {}
Rows::~Rows() = default;
Rows::Rows(Rows&&) noexcept = default;

const std::vector<std::string>& Rows::columns() const { return state_->columns; }

bool Rows::next(Json& row) {
  State& state = *state_;
  if (state.chunk_row == state.chunk_size && !state.next_chunk()) return false;
  ++state.row;
  row = Json::object();
  for (size_t i = 0; i < state.columns.size(); ++i) {
    try {
      row[state.columns[i]] = read_cell(
          state.types[i], duckdb_data_chunk_get_vector(state.chunk.value, i), state.chunk_row);
    } catch (const Error& failure) {
      throw Error(
          fmt::format("row {}, column '{}': {}", state.row, state.columns[i], failure.message()),
          state.session.where(), failure.remedy());
    }
  }
  ++state.chunk_row;
  return true;
}

std::vector<BadLine> Rows::rejects() const {
  const Session& session = state_->session;
  const std::string tables = session.text(
      "SELECT count(*)::VARCHAR FROM duckdb_tables() WHERE table_name = 'reject_errors' AND ? = ''",
      "");
  if (tables == "0") return {};
  const Json found = Json::parse(session.text(
      "SELECT coalesce(to_json(list({file: s.file_path, line: e.line, reason: e.error_message}"
      " ORDER BY s.file_path, e.line))::VARCHAR, '[]')"
      " FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id) WHERE ? = ''",
      ""));
  std::vector<BadLine> lines;
  for (const Json& one : found) {
    BadLine line{.file = one.at("file").get<std::string>(),
                 .line = one.at("line").get<std::uint64_t>(),
                 .reason = one.at("reason").get<std::string>()};
    // One line may have several errors, and be scanned more than once.
    if (!lines.empty() && lines.back().file == line.file && lines.back().line == line.line)
      continue;
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace selene::table
