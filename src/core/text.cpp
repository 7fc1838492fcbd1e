#include "core/text.h"

#include <wchar.h>

#include <algorithm>
#include <cstdint>

namespace selene {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  size_t bytes = 0;  // Of the character, or of the maximal ill-formed part.
  bool valid = false;
  bool cut = false;  // Ill-formed only because the text ends here.
  std::uint32_t code = 0;
};

// Decodes the character at the start of a non-empty text (Unicode 15, table 3-7).
Character decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, true, false, first};
  size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  std::uint32_t code = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
    code = first & 0x1Fu;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    code = first & 0x0Fu;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    code = first & 0x07u;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return {1, false, false, 0};
  }
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size()) return {i, false, true, 0};
    if (byte(i) < low || byte(i) > high) return {i, false, false, 0};
    code = (code << 6) | (byte(i) & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {length, true, false, code};
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

size_t columns_of(std::uint32_t code) {
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<size_t>(width);
}

std::string_view without_last_spaces(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Where the first line of at most `columns` columns ends.
size_t line_end(std::string_view text, size_t columns) {
  size_t at = 0;
  size_t used = 0;
  size_t space = 0;  // The last one behind a word.
  bool word = false;
  while (at < text.size()) {
    const Character c = decode(text.substr(at));
    if (c.code == ' ') {
      if (word) space = at;
    } else {
      if (used > 0 && used + columns_of(c.code) > columns) return space > 0 ? space : at;
      word = true;
    }
    used += columns_of(c.code);
    at += c.bytes;
  }
  return at;
}

void wrap_line(std::string_view line, size_t columns, std::vector<std::string>& lines) {
  line = without_last_spaces(line);
  do {
    const size_t end = line_end(line, columns);
    lines.emplace_back(without_last_spaces(line.substr(0, end)));
    line.remove_prefix(end);
    while (line.starts_with(' ')) line.remove_prefix(1);
  } while (!line.empty());
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Character c = decode(text.substr(at));
    if (!c.valid) break;
    at += c.bytes;
  }
  return at;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = decode(text);
    out.append(c.valid ? text.substr(0, c.bytes) : kReplacement);
    text.remove_prefix(c.bytes);
  }
  return out;
}

bool ends_inside_character(std::string_view text) {
  const size_t start = text.size() > 3 ? text.size() - 3 : 0;
  for (size_t at = start; at < text.size(); ++at) {
    const Character c = decode(text.substr(at));
    if (c.cut && at + c.bytes == text.size()) return true;
  }
  return false;
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;  // No continuation byte.
  }));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

size_t longest_run(std::string_view text, char character) {
  size_t longest = 0;
  size_t run = 0;
  for (char c : text) {
    run = c == character ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = decode(text);
    const bool keep = c.valid && (c.code == '\n' || c.code == '\t' || !is_control(c.code));
    out.append(keep ? text.substr(0, c.bytes) : kReplacement);
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string cut_to_columns(std::string_view text, size_t columns) {
  std::string line;
  bool space = false;
  for (char c : printable(trim(text))) {
    if (is_space(c)) {
      space = true;
      continue;
    }
    if (space) line += ' ';
    space = false;
    line += c;
  }
  if (display_columns(line) <= columns) return line;
  if (columns == 0) return {};
  std::string out;
  size_t used = 0;
  for (std::string_view rest = line; !rest.empty();) {
    const Character c = decode(rest);
    const size_t width = columns_of(c.code);
    if (used + width > columns - 1) break;
    out.append(rest.substr(0, c.bytes));
    used += width;
    rest.remove_prefix(c.bytes);
  }
  return out + "\xE2\x80\xA6";  // …
}

std::vector<std::string> wrap_to_columns(std::string_view text, size_t columns) {
  std::string safe = printable(text);
  std::replace(safe.begin(), safe.end(), '\t', ' ');
  std::vector<std::string> lines;
  for (std::string_view rest = safe;;) {
    const size_t end = rest.find('\n');
    wrap_line(rest.substr(0, end), columns, lines);
    if (end == std::string_view::npos) return lines;
    rest.remove_prefix(end + 1);
  }
}

size_t display_columns(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const Character c = decode(text);
    columns += columns_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return columns;
}

}  // namespace selene
