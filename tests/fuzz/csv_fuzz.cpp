// A CSV file as it may come. What is read, written again with every cell in quotes, reads the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check/csv_rows.h"
#include "core/error.h"
#include "core/text.h"

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(std::string_view text) {
  Rows rows;
  size_t last_line = 0;
  selene::check::read_csv(text, ',', "fuzz.csv", [&](std::vector<std::string>& cells, size_t line) {
    selene::ensure(line > last_line, "rows are out of order");
    selene::ensure(!cells.empty(), "a row without cells");
    last_line = line;
    rows.push_back(cells);
  });
  return rows;
}

std::string quoted(const Rows& rows) {
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i != row.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : row[i]) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  using namespace selene;
  Rows rows;
  try {
    rows = rows_of({reinterpret_cast<const char*>(bytes), size});
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
    return 0;
  }
  ensure(rows_of(quoted(rows)) == rows, "rows written again read differently");
  return 0;
}
