// DuckDB looks for a relative name in the process's working folder first, whatever its settings
// say. Its syntax tree tells where in the text each name begins, and there the folder is put in.
#include "table/file_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "table/session.h"

namespace selene::table {
namespace {

using Json = nlohmann::ordered_json;

// The table functions whose first argument is a file name, several, or a pattern.
constexpr std::array<std::string_view, 20> kReaders = {"glob",
                                                       "parquet_bloom_probe",
                                                       "parquet_file_metadata",
                                                       "parquet_kv_metadata",
                                                       "parquet_metadata",
                                                       "parquet_scan",
                                                       "parquet_schema",
                                                       "read_blob",
                                                       "read_csv",
                                                       "read_csv_auto",
                                                       "read_json",
                                                       "read_json_auto",
                                                       "read_json_objects",
                                                       "read_json_objects_auto",
                                                       "read_ndjson",
                                                       "read_ndjson_auto",
                                                       "read_ndjson_objects",
                                                       "read_parquet",
                                                       "read_text",
                                                       "sniff_csv"};
// What DuckDB takes for a file where a table is named.
constexpr std::string_view kFileEnds[] = {".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson"};

bool is_file(std::string_view table) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (table.ends_with(packed)) table.remove_suffix(packed.size());
  }
  return std::any_of(std::begin(kFileEnds), std::end(kFileEnds),
                     [&](std::string_view end) { return table.ends_with(end); });
}

std::string text_of(const Json& node, const char* key) {
  const auto found = node.find(key);
  return found != node.end() && found->is_string() ? found->get<std::string>() : "";
}

class Names {
 public:
  explicit Names(std::string_view sql) : sql_(sql) {}

  void find(const Json& node) {
    if (node.is_object()) {
      const std::string type = text_of(node, "type");
      if (type == "TABLE_FUNCTION") read_function(node.at("function"));
      if (type == "BASE_TABLE" && text_of(node, "schema_name").empty() &&
          is_file(text_of(node, "table_name")))
        add(text_of(node, "table_name"), node.at("query_location"));
    }
    if (!node.is_structured()) return;
    for (const Json& inner : node) find(inner);
  }

  // Relative names by where they begin in the text.
  const std::map<size_t, std::string>& relative() const { return relative_; }
  const std::vector<std::string>& absolute() const { return absolute_; }

 private:
  void read_function(const Json& function) {
    const std::string name = text_of(function, "function_name");
    if (std::find(kReaders.begin(), kReaders.end(), name) == kReaders.end()) return;
    const Json& arguments = function.at("children");
    if (!arguments.empty()) read_argument(arguments[0], name);
  }

  void read_argument(const Json& argument, const std::string& function) {
    if (text_of(argument, "function_name") == "list_value") {
      for (const Json& item : argument.at("children")) read_argument(item, function);
      return;
    }
    const auto value = argument.find("value");
    if (value == argument.end() || !value->is_object() || !value->at("value").is_string()) {
      throw Error(fmt::format("the file name of {}() is not written as text", function), "",
                  "write it between single quotes");
    }
    add(value->at("value"), argument.at("query_location"));
  }

  void add(const std::string& name, size_t location) {
    if (name.find("://") != std::string::npos || name.starts_with("file:")) {
      throw Error(fmt::format("'{}' is an address", cut_to_columns(name, 100)), "",
                  "get the file, and name it");
    }
    if (name.starts_with("/")) {
      absolute_.push_back(name);
      return;
    }
    if (location >= sql_.size() || (sql_[location] != '\'' && sql_[location] != '"')) {
      throw Error(
          fmt::format("the file name '{}' is not written as plain text", cut_to_columns(name, 100)),
          "", "write it between single quotes");
    }
    relative_[location + 1] = name;
  }

  std::string_view sql_;
  std::map<size_t, std::string> relative_;
  std::vector<std::string> absolute_;
};

}  // namespace

Placed put_below(const std::filesystem::path& folder, std::string_view sql, const Json& tree) {
  Names names(sql);
  names.find(tree);
  const std::string prefix = without_wildcards((folder / "").string());
  Placed placed{.sql = {}, .files = names.absolute()};
  size_t done = 0;
  for (const auto& [position, name] : names.relative()) {
    placed.files.push_back(prefix + name);
    placed.sql.append(sql.substr(done, position - done));
    const char quote = sql[position - 1];
    for (const char c : prefix) placed.sql.append(c == quote ? 2 : 1, c);
    done = position;
  }
  placed.sql.append(sql.substr(done));
  return placed;
}

}  // namespace selene::table
