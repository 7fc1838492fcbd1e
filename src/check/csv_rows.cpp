#include "check/csv_rows.h"

#include <algorithm>
#include <exception>
#include <new>

#include <csv.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::check {
namespace {

// What libcsv's callbacks fill. An exception waits in it until the C code has returned.
struct Rows {
  const std::function<void(std::vector<std::string>&, size_t)>& row;
  std::vector<std::string> cells{};
  size_t first_line = 0;  // Of the row at hand.
  std::exception_ptr failure{};
};

void take_cell(void* text, size_t size, void* state) {
  static_cast<Rows*>(state)->cells.emplace_back(static_cast<const char*>(text), size);
}

void take_row(int, void* state) {
  Rows& rows = *static_cast<Rows*>(state);
  try {
    if (!rows.failure) rows.row(rows.cells, rows.first_line);
  } catch (...) {
    rows.failure = std::current_exception();
  }
  rows.cells.clear();
}

class Parser {
 public:
  explicit Parser(char delimiter) {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });  // White space is data.
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  csv_parser* get() { return &parser_; }
  bool between_rows() const { return parser_.pstate == 0; }  // ROW_NOT_BEGUN of libcsv.c.

 private:
  csv_parser parser_{};
};

void check_text(std::string_view text, const std::string& name) {
  for (const std::string_view mark : {"\xFF\xFE", "\xFE\xFF"}) {
    if (text.starts_with(mark))
      throw Error("this is UTF-16, not UTF-8", name, "save the file as UTF-8");
  }
  const auto place = [&](size_t at) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(at);
    return fmt::format("{}:{}", name, std::count(text.begin(), end, '\n') + 1);
  };
  if (const size_t valid = valid_utf8_prefix(text); valid != text.size())
    throw Error("invalid UTF-8", place(valid), "save the file as UTF-8");
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw Error("a zero byte", place(zero), "is this really a CSV file?");
}

// Of the first line with its end: a line feed, a carriage return, or both, as libcsv ends rows.
size_t line_length(std::string_view text) {
  const size_t end = text.find_first_of("\r\n");
  if (end == std::string_view::npos) return text.size();
  return end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
}

}  // namespace

void read_csv(std::string_view text, char delimiter, const std::string& name,
              const std::function<void(std::vector<std::string>&, size_t)>& row) {
  check_text(text, name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Parser parser(delimiter);
  Rows rows{row};
  // Line by line, so that the line of each row is known.
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const std::string_view line = text.substr(0, line_length(text));
    text.remove_prefix(line.size());
    if (parser.between_rows()) rows.first_line = line_number;
    const size_t taken =
        csv_parse(parser.get(), line.data(), line.size(), take_cell, take_row, &rows);
    if (rows.failure) std::rethrow_exception(rows.failure);
    if (taken != line.size()) {
      throw Error(
          "a broken quote: text after a closing quote, or a quote inside a cell that has "
          "none around it",
          fmt::format("{}:{}", name, line_number),
          "put the whole cell in quotes and write each quote in it twice");
    }
  }
  const bool closed = csv_fini(parser.get(), take_cell, take_row, &rows) == 0;
  if (rows.failure) std::rethrow_exception(rows.failure);
  if (!closed) {
    throw Error("a quote that is never closed", fmt::format("{}:{}", name, rows.first_line),
                "close it, or write each quote inside a cell twice");
  }
}

}  // namespace selene::check
