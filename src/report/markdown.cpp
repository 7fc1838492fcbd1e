#include "report/markdown.h"

#include <algorithm>

#include "core/text.h"

namespace selene::report {
namespace {

constexpr std::string_view kBreak = "&#8203;";  // A space of no width.

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ends_with_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  text.remove_prefix(text.size() - lower.size());
  return std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

}  // namespace

std::string markdown_text(std::string_view text, std::size_t columns) {
  const std::string line = cut_to_columns(replace_invalid_utf8(text), columns);
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const std::string_view before = std::string_view(line).substr(0, i);
    const std::string_view after = std::string_view(line).substr(i + 1);
    const bool link = (c == ':' && after.starts_with("//")) ||
                      (c == '.' && ends_with_ignoring_case(before, "www"));
    if (link || std::string_view("\\`*_[]<>&|~$").find(c) != std::string_view::npos) out += '\\';
    out += c;
    const bool reference = c == '@' || c == '#' ||
                           (c == '!' && !after.empty() && is_alphanumeric(after.front())) ||
                           (c == '-' && ends_with_ignoring_case(before, "gh"));
    if (reference) out += kBreak;
  }
  return out;
}

std::string markdown_cell(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    if (c == '\n') {
      safe += ' ';
      continue;
    }
    if (c == '|' || c == '<' || c == '`' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string markdown_row(std::span<const std::string> cells) {
  std::string row = "|";
  for (const std::string& cell : cells) row += cell.empty() ? "  |" : " " + cell + " |";
  return row + "\n";
}

std::string markdown_head(std::span<const std::string> titles, std::size_t right) {
  std::string rule = "|";
  for (std::size_t i = 0; i < titles.size(); ++i)
    rule += i + right < titles.size() ? "---|" : "--:|";
  return markdown_row(titles) + rule + "\n";
}

}  // namespace selene::report
