// Compressed files that are cut short: DuckDB takes their end for the end of the rows.
#pragma once

#include <filesystem>

namespace selene::table {

// Reads a gzip file to its end, and a zstd file's frames by their headers; passes over any other.
// Throws Error, with the file as its place, where it is damaged or ends too early.
void check_whole(const std::filesystem::path& file);

}  // namespace selene::table
