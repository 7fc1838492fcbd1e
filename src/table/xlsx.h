// The rows of a workbook (.xlsx, ECMA-376) as JSON lines, which a benchmark's SELECT can read.
// docs/formats.md, "Workbook rows".
#pragma once

#include <cstdint>
#include <filesystem>

namespace selene::table {

// Whether this build has libzip and pugixml; without them the function throws Error that says so.
bool can_read_xlsx();

// Writes {"sheet": name, "row": n, "A": …, "B": …} for each row that holds a value, sheet by sheet:
// text, numbers and booleans as such, an error such as #N/A as its text, dates as the numbers that
// they are stored as, formulas by their last value. `out` is there whole or not at all.
//
// Throws Error that names the workbook, the part in it and the row: no workbook, one that is cut
// short, damaged or encrypted, a sheet that is missing, XML with a document type, a cell that is
// none, and parts that unpacked are larger than `most_bytes` together.
void xlsx_to_jsonl(const std::filesystem::path& workbook, const std::filesystem::path& out,
                   std::uint64_t most_bytes = std::uint64_t{128} << 20);

}  // namespace selene::table
