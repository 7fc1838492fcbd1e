// Lines of JSON that are none: DuckDB stops at the first one and does not go on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace selene::table {

// A line that a reader refused.
struct BadLine {
  std::string file;
  std::uint64_t line = 0;  // From 1.
  std::string reason;
};

// Reads lines of JSON, also of a gzip file, and writes those that are whole objects to `out`
// (compressed where its name ends with .gz); gives the others. Blank lines are none. Throws Error
// that names the file: it cannot be read, it is cut short, a line is longer than 256 MiB.
std::vector<BadLine> screen_json_lines(const std::filesystem::path& file,
                                       const std::filesystem::path& out);

}  // namespace selene::table
