// Which line of its file a row of a SELECT comes from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table/screen.h"

namespace selene::table {

// A SELECT with one more column: the number, from 1, of the object or record in its file. The
// database itself carries the number through filters, an order, WITH, and lists that become rows.
struct RecordSelect {
  static constexpr const char* kColumn = "selene_record";

  std::string sql;
  std::string count;    // A SELECT of how many records there are.
  std::string file;     // As the SELECT names it.
  bool header = false;  // The first line of the file is none of them, but names of columns.
};

// Nothing where a row is not of one record of one file of lines of JSON or of CSV: the SELECT reads
// other files, joins, groups, unites, or leaves out what is repeated; or where the SELECT does not
// say whether a CSV has a line of names (header = true). Throws Error where the SQL is wrong.
std::optional<RecordSelect> with_records(std::string_view sql);

// The lines, from 1, of `records`, which rise. Blank lines and those of `without` (in rising order)
// are no records. Nothing where the file has another number of lines than `count` records need:
// fields of a CSV may hold line breaks.
std::optional<std::vector<std::uint64_t>> lines_of_records(const std::filesystem::path& file,
                                                           bool header, std::uint64_t count,
                                                           std::span<const std::uint64_t> records,
                                                           std::span<const BadLine> without);

}  // namespace selene::table
