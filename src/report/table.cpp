#include "report/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::report {
namespace {

constexpr std::string_view kGap = "  ";
constexpr size_t kLeastColumns = 20;
constexpr size_t kMostColumns = 1000;

size_t clamp_columns(size_t columns) { return std::clamp(columns, kLeastColumns, kMostColumns); }

// Shares what is left of the line among the flexible columns, the first ones getting the odd
// remainder.
void fit(std::vector<Column>& columns, size_t line) {
  size_t used = columns.empty() ? 0 : kGap.size() * (columns.size() - 1);
  size_t flexible = 0;
  for (const Column& column : columns) {
    used += column.width;
    if (column.flexible) ++flexible;
  }
  size_t spare = line > used ? line - used : 0;
  for (Column& column : columns) {
    if (!column.flexible) continue;
    const size_t share = (spare + flexible - 1) / flexible;
    column.width += share;
    spare -= share;
    --flexible;
  }
}

}  // namespace

Terminal terminal(int descriptor) {
  Terminal found;
  const bool is_terminal = ::isatty(descriptor) == 1;
  found.is_terminal = is_terminal;
  const char* no_color = std::getenv("NO_COLOR");
  found.color = is_terminal && (no_color == nullptr || *no_color == '\0');
  winsize size{};
  if (is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    found.columns = clamp_columns(size.ws_col);
  }
  if (const char* set = std::getenv("COLUMNS")) {
    size_t columns = 0;
    const auto [end, failure] = std::from_chars(set, set + std::strlen(set), columns);
    if (failure == std::errc() && *end == '\0') found.columns = clamp_columns(columns);
  }
  return found;
}

std::string styled(std::string_view text, Style style, bool color) {
  constexpr const char* kCodes[] = {"", "1", "2", "31", "32", "33"};
  if (!color || style == Style::Plain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(style)], text);
}

Table::Table(std::vector<Column> columns, Terminal terminal)
    : columns_(std::move(columns)), color_(terminal.color) {
  fit(columns_, terminal.columns);
}

std::string Table::header() const {
  std::vector<Cell> titles;
  std::vector<Cell> rules;
  for (const Column& column : columns_) {
    titles.push_back({column.title, Style::Bold});
    std::string rule;
    for (size_t i = 0; i < column.width; ++i) rule += "\xE2\x94\x80";  // ─
    rules.push_back({rule, Style::Dim});
  }
  return row(titles) + row(rules);
}

std::string Table::row(std::span<const Cell> cells) const {
  ensure(cells.size() <= columns_.size(), "more cells than columns");
  std::string line;
  size_t owed = 0;  // Spaces to write before the next text, so that none trail.
  for (size_t i = 0; i < cells.size(); ++i) {
    const Column& column = columns_[i];
    const std::string text = cut_to_columns(cells[i].text, column.width);
    const size_t taken = std::min(display_columns(text), column.width);
    const size_t before = column.align == Align::Right ? column.width - taken : 0;
    if (text.empty()) {
      owed += column.width + kGap.size();
      continue;
    }
    line.append(owed + before, ' ');
    line += styled(text, cells[i].style, color_);
    owed = column.width - taken - before + kGap.size();
  }
  return line + "\n";
}

}  // namespace selene::report
