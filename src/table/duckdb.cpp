// What a build with DuckDB says of itself.
#include <duckdb.h>

#include "table/session.h"
#include "table/table.h"

namespace selene::table {

bool is_available() { return true; }

std::string version() {
  const std::string_view text = duckdb_library_version();
  return std::string(text.starts_with("v") ? text.substr(1) : text);
}

std::string quoted_file(std::string_view file) { return quoted_text(without_wildcards(file)); }

}  // namespace selene::table
