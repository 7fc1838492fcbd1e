// CSV (RFC 4180) row by row, read by libcsv in its strict mode.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace selene::check {

// Calls `row` with the cells of each row and the number of its first line; empty lines are passed
// over. A byte order mark is no part of the first cell. Throws Error with `name` and a line: broken
// quotes, a quote that is never closed, a zero byte, UTF-16, invalid UTF-8.
void read_csv(std::string_view text, char delimiter, const std::string& name,
              const std::function<void(std::vector<std::string>& cells, size_t line)>& row);

}  // namespace selene::check
