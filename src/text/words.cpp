#include "text/words.h"

#include <array>

#include <fmt/format.h>
#include <utf8proc.h>

#include "core/error.h"

namespace selene::text {
namespace {

// Of ASCII: the character in lower case, or a space where it is in no word.
constexpr std::array<char, 128> kAscii = [] {
  std::array<char, 128> table{};
  table.fill(' ');
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

// A mark belongs to the word of the character that it is on: vowels of Thai and Hindi are marks.
bool is_mark(utf8proc_category_t category) {
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC;
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

// Writes words one behind the other, each with a space behind it.
class Writer {
 public:
  Writer(char* text, std::uint32_t* ends) : text_(text), ends_(ends) {}

  // Takes what is ASCII at the start of `bytes`; gives how many that is. Without branches on what
  // is a word, as each end of one would be mispredicted: a character or a space is put where the
  // next one stands, and counts where it is in a word or ends one.
  size_t ascii(std::string_view bytes) {
    if (bytes.empty() || static_cast<unsigned char>(bytes[0]) >= 128) return 0;
    if (alone_) separate();
    size_t used = used_;
    size_t words = words_;
    bool in_word = in_word_;
    size_t at = 0;
    for (; at < bytes.size(); ++at) {
      const auto byte = static_cast<unsigned char>(bytes[at]);
      if (byte >= 128) break;
      const char c = kAscii[byte];
      const bool now = c != ' ';
      text_[used] = c;
      ends_[words] = static_cast<std::uint32_t>(used);
      words += static_cast<size_t>(in_word) & static_cast<size_t>(!now);
      used += static_cast<size_t>(in_word) | static_cast<size_t>(now);
      in_word = now;
    }
    used_ = used;
    words_ = words;
    in_word_ = in_word;
    return at;
  }

  void other(utf8proc_int32_t code) {
    const utf8proc_category_t category = utf8proc_category(code);
    if (is_mark(category) && in_word_) return append(code);
    if (!is_in_word(category)) return separate();
    const bool alone = is_word_alone(code);
    if (alone || alone_) separate();
    append(lower(code));
    in_word_ = true;
    alone_ = alone;
  }

  void separate() {
    alone_ = false;
    if (!in_word_) return;
    ends_[words_++] = static_cast<std::uint32_t>(used_);
    text_[used_++] = ' ';
    in_word_ = false;
  }

  size_t words() const { return words_; }

 private:
  void append(utf8proc_int32_t code) {
    used_ += static_cast<size_t>(
        utf8proc_encode_char(code, reinterpret_cast<utf8proc_uint8_t*>(text_ + used_)));
  }

  char* text_;
  std::uint32_t* ends_;
  size_t used_ = 0;
  size_t words_ = 0;
  bool in_word_ = false;
  bool alone_ = false;  // The word is a character that is a word of its own.
};

}  // namespace

void Words::read(std::string_view text) {
  if (text.size() > size_t{1} << 31) {
    throw Error(fmt::format("a text has {} bytes: more than 2 GiB", text.size()), "",
                "leave it out, or split it");
  }
  // A character that is a word of its own has three bytes or more and gives at most two beside
  // them; one of two bytes may have a lower case of three.
  if (const size_t most = 2 * text.size() + 1 + kSlack; text_.size() < most) text_.resize(most);
  if (const size_t most = text.size() / 2 + 2; ends_.size() < most) ends_.resize(most);
  Writer writer(text_.data(), ends_.data());
  for (size_t at = 0; at < text.size();) {
    at += writer.ascii(text.substr(at));
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                         static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (length > 0) writer.other(code);
    if (length <= 0) writer.separate();  // The end of the text too.
    at += length > 0 ? static_cast<size_t>(length) : 1;
  }
  writer.separate();
  size_ = writer.words();
}

}  // namespace selene::text
