// Text as bytes of UTF-8: checks, trimming, and cutting to the columns of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace selene {

// Length of the longest valid UTF-8 prefix (RFC 3629: no surrogates, no overlong forms, at most
// U+10FFFF).
size_t valid_utf8_prefix(std::string_view text);
inline bool is_valid_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

// Every maximal ill-formed part becomes one U+FFFD, as the Unicode standard recommends
// (section 3.9, D93b).
std::string replace_invalid_utf8(std::string_view text);

// True when `text` ends in the middle of a character that more bytes could complete.
bool ends_inside_character(std::string_view text);

// Code points of valid UTF-8.
size_t count_characters(std::string_view text);

// Without ASCII white space at both ends.
std::string_view trim(std::string_view text);

// Number of whole times that `character` runs on without a break, at the longest place.
size_t longest_run(std::string_view text, char character);

// One line of at most `columns` columns: white space runs become one space, control characters
// U+FFFD-like dots, and a cut text ends with an ellipsis. Safe to print on a terminal whatever the
// text holds.
std::string cut_to_columns(std::string_view text, size_t columns);

// Without the control characters that a terminal would act on (all but newline and tab), each shown
// as U+FFFD.
std::string printable(std::string_view text);

// Lines of at most `columns` columns, broken at spaces, and within a word only where it is longer.
// The text's own line breaks and indents stay; control characters are made harmless as by
// printable(). One empty line for an empty text.
std::vector<std::string> wrap_to_columns(std::string_view text, size_t columns);

// Columns that valid UTF-8 takes on a terminal (wcwidth).
size_t display_columns(std::string_view text);

}  // namespace selene
