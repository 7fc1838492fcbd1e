// A JSONL file as it may come: the streaming reader gives the rows that its lines hold, read one by
// one, up to the first that is wrong, which it names.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "memory_file.h"

namespace {

using namespace selene;

// By hand: the line of each row and its text.
std::vector<std::pair<size_t, std::string_view>> lines_of(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::pair<size_t, std::string_view>> lines;
  for (size_t line = 1; !text.empty(); ++line) {
    const std::string_view one = text.substr(0, text.find('\n'));
    if (!trim(one).empty()) lines.emplace_back(line, one);
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return lines;
}

bool is_a_row(std::string_view line) {
  try {
    data::parse_object(line);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const fuzz::MemoryFile file(text);
  const auto lines = lines_of(text);
  size_t rows = 0;
  try {
    data::JsonlReader reader(file.path(), "rows");
    for (data::Row row; reader.next(row); ++rows) {
      ensure(rows < lines.size() && row.line == lines[rows].first, "a row of another line");
      ensure(row.value == data::parse_object(lines[rows].second), "a row with another value");
    }
    ensure(rows == lines.size(), "rows are missing");
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
    ensure(rows < lines.size() && !is_a_row(lines[rows].second), "a good row is refused");
    ensure(failure.where() == "rows:" + std::to_string(lines[rows].first), "another line is named");
  }
  return 0;
}
