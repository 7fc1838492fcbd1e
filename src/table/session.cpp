#include "table/session.h"

#include <memory>
#include <regex>

#include <fmt/format.h>

#include "core/text.h"

namespace selene::table {
namespace {

constexpr size_t kNearColumns = 40;

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result.push_back(quote);
    result.push_back(c);
  }
  result.push_back(quote);
  return result;
}

// What stands at the caret below "LINE 2: …".
std::string place_in_sql(std::string_view excerpt) {
  static const std::regex form("LINE ([0-9]+): ([^\n]*)\n( *)\\^");
  std::cmatch match;
  if (!std::regex_search(excerpt.begin(), excerpt.end(), match, form)) return "";
  const std::string line = match[1];
  const std::string text = match[2];
  const size_t indent = std::string_view("LINE : ").size() + line.size();
  const auto column = static_cast<size_t>(match[3].length());
  const std::string near =
      column >= indent && column - indent < text.size() ? text.substr(column - indent) : "";
  return near.empty() ? fmt::format(" at line {}", line)
                      : fmt::format(" at line {}, near '{}'", line,
                                    cut_to_columns(replace_invalid_utf8(near), kNearColumns));
}

struct Remedy {
  std::string_view sign;  // In DuckDB's message.
  const char* text;
};
constexpr Remedy kRemedies[] = {
    {"disabled by configuration", "only what is below the folder of the data can be read"},
    {"No space left on device", "free some space and run the same command again"},
    {"No magic bytes found", "the file is no Parquet file, or is cut short: get it again"},
    {"too small to be a Parquet file",
     "the file is no Parquet file, or is cut short: get it again"},
};

}  // namespace

std::string quoted_text(std::string_view text) { return quoted(text, '\''); }
std::string quoted_name(std::string_view name) { return quoted(name, '"'); }

std::string without_wildcards(std::string_view path) {
  std::string result;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      result.append("[").append(1, c).append("]");
    } else {
      result.push_back(c);
    }
  }
  return result;
}

Error duckdb_failure(std::string_view message, std::string_view where) {
  const size_t excerpt = std::min(message.find("\n\nLINE "), message.size());
  const std::string place = place_in_sql(message.substr(excerpt));
  std::string_view what = message.substr(0, excerpt);
  std::string_view kind;
  if (const size_t colon = what.find(": "); colon != std::string_view::npos) {
    kind = what.substr(0, colon);
    if (kind.ends_with(" Error")) what.remove_prefix(colon + 2);
  }
  const bool is_sql = kind == "Parser Error" || kind == "Binder Error" || kind == "Catalog Error";
  const char* remedy = "";
  for (const Remedy& one : kRemedies) {
    if (what.find(one.sign) != std::string_view::npos) remedy = one.text;
  }
  what = what.substr(0, what.find("\n  file = "));  // What follows are the settings of its reader.
  const std::string text = cut_to_columns(replace_invalid_utf8(trim(what)), 500);
  return Error(is_sql ? fmt::format("the SQL is wrong{}: {}", place, text) : text, where, remedy);
}

Session::Session(std::string where) : where_(std::move(where)) {
  struct Setting {
    const char* name;
    const char* value;
  };
  constexpr Setting kSettings[] = {{"threads", "1"},
                                   {"autoinstall_known_extensions", "false"},
                                   {"autoload_known_extensions", "false"},
                                   {"allow_community_extensions", "false"}};
  duckdb_config config = nullptr;
  ensure(duckdb_create_config(&config) == DuckDBSuccess, "DuckDB gives a configuration");
  for (const Setting& setting : kSettings) {
    ensure(duckdb_set_config(config, setting.name, setting.value) == DuckDBSuccess,
           "DuckDB knows the settings");
  }
  char* reason = nullptr;
  const duckdb_state opened = duckdb_open_ext(nullptr, &database_, config, &reason);
  duckdb_destroy_config(&config);
  if (opened != DuckDBSuccess) {
    const std::string text = reason != nullptr ? reason : "DuckDB cannot be opened";
    duckdb_free(reason);
    throw duckdb_failure(text, where_);
  }
  if (duckdb_connect(database_, &connection_) != DuckDBSuccess) {
    duckdb_close(&database_);
    throw Error("DuckDB cannot be opened", where_);
  }
}

Session::~Session() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void Session::run(const std::string& sql) const {
  duckdb_result result;
  const duckdb_state state = duckdb_query(connection_, sql.c_str(), &result);
  const char* reason = duckdb_result_error(&result);
  const std::string text = reason != nullptr ? reason : "";
  duckdb_destroy_result(&result);
  if (state != DuckDBSuccess) throw duckdb_failure(text, where_);
}

std::string Session::text(const char* sql, std::string_view argument) const {
  duckdb_prepared_statement statement = nullptr;
  ensure(duckdb_prepare(connection_, sql, &statement) == DuckDBSuccess, "our own SQL is right");
  duckdb_bind_varchar_length(statement, 1, argument.data(), argument.size());
  duckdb_result result;
  const duckdb_state state = duckdb_execute_prepared(statement, &result);
  const char* reason = duckdb_result_error(&result);
  std::string text = reason != nullptr ? reason : "";
  if (state == DuckDBSuccess) {
    const std::unique_ptr<char, decltype(&duckdb_free)> value(duckdb_value_varchar(&result, 0, 0),
                                                              &duckdb_free);
    if (value) text = value.get();
  }
  duckdb_destroy_result(&result);
  duckdb_destroy_prepare(&statement);
  if (state != DuckDBSuccess) throw duckdb_failure(text, where_);
  return text;
}

}  // namespace selene::table
