#include "text/words.h"

#include <array>
#include <cstdint>

#include <utf8proc.h>

namespace selene::text {
namespace {

// Of ASCII: the character in lower case, or 0 where it is in no word.
constexpr std::array<char, 128> kAscii = [] {
  std::array<char, 128> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c)
    table[static_cast<size_t>(c)] = static_cast<char>(c - 'A' + 'a');
  return table;
}();

bool is_in_word(utf8proc_category_t category) {
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

// Blocks of the scripts that are written without spaces (Unicode 15, Blocks.txt).
bool is_word_alone(utf8proc_int32_t code) {
  struct Range {
    utf8proc_int32_t first;
    utf8proc_int32_t last;
  };
  constexpr Range kRanges[] = {
      {0x0E00, 0x0EFF},    // Thai, Lao
      {0x1000, 0x109F},    // Myanmar
      {0x1780, 0x17FF},    // Khmer
      {0x3040, 0x30FF},    // Hiragana, Katakana
      {0x31F0, 0x31FF},    // Katakana phonetic extensions
      {0x3400, 0x4DBF},    // CJK extension A
      {0x4E00, 0x9FFF},    // CJK
      {0xF900, 0xFAFF},    // CJK compatibility
      {0xFF66, 0xFF9D},    // Half-width Katakana
      {0x20000, 0x3FFFF},  // CJK extensions B and later
  };
  for (const Range& range : kRanges) {
    if (code < range.first) return false;
    if (code <= range.last) return true;
  }
  return false;
}

// In lower case; both forms of the small sigma are one.
utf8proc_int32_t lower(utf8proc_int32_t code) {
  constexpr utf8proc_int32_t kFinalSigma = 0x3C2;
  const utf8proc_int32_t small = utf8proc_tolower(code);
  return small == kFinalSigma ? kFinalSigma + 1 : small;
}

}  // namespace

void words_of(std::string_view text, std::string& words) {
  words.clear();
  bool apart = false;  // The next character begins a word.
  const auto separate = [&] { apart = !words.empty(); };
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 128) {
      ++at;
      const char c = kAscii[byte];
      if (c == 0) {
        separate();
        continue;
      }
      if (apart) words.push_back(' ');
      apart = false;
      words.push_back(c);
      continue;
    }
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                         static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (length <= 0) {
      ++at;
      separate();
      continue;
    }
    at += static_cast<size_t>(length);
    if (!is_in_word(utf8proc_category(code))) {
      separate();
      continue;
    }
    const bool alone = is_word_alone(code);
    if (alone) separate();
    if (apart) words.push_back(' ');
    std::array<utf8proc_uint8_t, 4> bytes{};
    const utf8proc_ssize_t written = utf8proc_encode_char(lower(code), bytes.data());
    words.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(written));
    apart = alone;
  }
}

}  // namespace selene::text
