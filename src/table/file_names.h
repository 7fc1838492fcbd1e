// The file names in a SELECT, put below a folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::table {

struct Placed {
  std::string sql;
  std::vector<std::string> files;  // Names and patterns, absolute.
};

// `sql` with each relative file name made absolute below `folder`: the argument of the functions
// that read files, and a table that is a quoted file name. `tree` is what DuckDB's
// json_serialize_sql() makes of it. Throws Error without a place where a file name is none: an
// expression, an address.
Placed put_below(const std::filesystem::path& folder, std::string_view sql,
                 const nlohmann::ordered_json& tree);

}  // namespace selene::table
