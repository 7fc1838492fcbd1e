#include "core/text.h"

#include <gtest/gtest.h>

#include <clocale>

namespace selene {
namespace {

const std::string kReplacement = "\xEF\xBF\xBD";
const std::string kEllipsis = "\xE2\x80\xA6";

// RFC 3629 and the Unicode standard, table 3-7: the first and last of each row.
TEST(Text, AcceptsEveryKindOfCharacter) {
  for (const std::string& text :
       {std::string(1, '\0'), std::string("\x7F"), std::string("\xC2\x80"), std::string("\xDF\xBF"),
        std::string("\xE0\xA0\x80"), std::string("\xEC\xBF\xBF"), std::string("\xED\x9F\xBF"),
        std::string("\xEE\x80\x80"), std::string("\xEF\xBF\xBF"), std::string("\xF0\x90\x80\x80"),
        std::string("\xF3\xBF\xBF\xBF"), std::string("\xF4\x8F\xBF\xBF")}) {
    EXPECT_TRUE(is_valid_utf8(text));
    EXPECT_EQ(replace_invalid_utf8(text), text);
  }
}

TEST(Text, RefusesEveryKindOfWrongByte) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xC2",
        "\xE2\x82", "\xF0\x9F\x98", "\xC2\x41"}) {
    EXPECT_FALSE(is_valid_utf8(text));
    EXPECT_TRUE(is_valid_utf8(replace_invalid_utf8(text)));
  }
  EXPECT_EQ(valid_utf8_prefix("ab\xFFz"), 2u);
  EXPECT_EQ(valid_utf8_prefix(""), 0u);
}

// The Unicode standard, section 3.9, table 3-8 to 3-11.
TEST(Text, ReplacesMaximalIllFormedParts) {
  const std::string r = kReplacement;
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
}

TEST(Text, KnowsACutCharacter) {
  EXPECT_TRUE(ends_inside_character("a\xC3"));
  EXPECT_TRUE(ends_inside_character("a\xE2\x82"));
  EXPECT_TRUE(ends_inside_character("a\xF0\x9F\x98"));
  EXPECT_TRUE(ends_inside_character("\xF0"));
  EXPECT_FALSE(ends_inside_character(""));
  EXPECT_FALSE(ends_inside_character("abc"));
  EXPECT_FALSE(ends_inside_character("a\xC3\xA9"));
  EXPECT_FALSE(ends_inside_character("a\x80"));      // No more bytes can complete it.
  EXPECT_FALSE(ends_inside_character("a\xF0\x8F"));  // Already wrong.
  EXPECT_FALSE(ends_inside_character("\xFF"));
}

TEST(Text, TrimsAsciiWhiteSpace) {
  EXPECT_EQ(trim(" \t\r\n\v\fa b \n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\xC2\xA0x"), "\xC2\xA0x");  // A no-break space stays.
}

TEST(Text, FindsTheLongestRun) {
  EXPECT_EQ(longest_run("a```b````c``", '`'), 4u);
  EXPECT_EQ(longest_run("`", '`'), 1u);
  EXPECT_EQ(longest_run("abc", '`'), 0u);
  EXPECT_EQ(longest_run("", '`'), 0u);
}

TEST(Text, PrintableKeepsNoControlCharacter) {
  EXPECT_EQ(printable("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(printable("\x1b[31mred"), kReplacement + "[31mred");
  EXPECT_EQ(printable("a\rb\x07\x7F"), "a" + kReplacement + "b" + kReplacement + kReplacement);
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            kReplacement + "2J");  // C1: a terminal's other CSI.
  EXPECT_EQ(printable("\xE2\x80\xAE"
                      "abc"),
            kReplacement + "abc");  // Right-to-left override.
  EXPECT_EQ(printable("\xFF"), kReplacement);
  EXPECT_EQ(printable("h\xC3\xA9"), "h\xC3\xA9");
  EXPECT_EQ(printable(std::string_view("\0", 1)), kReplacement);
}

TEST(Text, CutsToColumns) {
  EXPECT_EQ(cut_to_columns("abc", 3), "abc");
  EXPECT_EQ(cut_to_columns("abcd", 3), "ab" + kEllipsis);
  EXPECT_EQ(cut_to_columns("  a\n\n b\t", 10), "a b");
  EXPECT_EQ(cut_to_columns("abcd", 1), kEllipsis);
  EXPECT_EQ(cut_to_columns("abcd", 0), "");
  EXPECT_EQ(cut_to_columns("", 0), "");
  EXPECT_EQ(cut_to_columns("a\x1b[2Jb", 10), "a" + kReplacement + "[2Jb");
}

TEST(Text, WrapsToColumns) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(wrap_to_columns("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap_to_columns("one two three", 6), (Lines{"one", "two", "three"}));
  EXPECT_EQ(wrap_to_columns("abcdefg h", 3), (Lines{"abc", "def", "g h"}));
  EXPECT_EQ(wrap_to_columns("a\n\n  b c", 4), (Lines{"a", "", "  b", "c"}));
  EXPECT_EQ(wrap_to_columns("  abcdef", 4), (Lines{"  ab", "cdef"}));
  EXPECT_EQ(wrap_to_columns("a    b ", 3), (Lines{"a", "b"}));
  EXPECT_EQ(wrap_to_columns("", 5), Lines{""});
  EXPECT_EQ(wrap_to_columns("ab", 0), (Lines{"a", "b"}));
  EXPECT_EQ(wrap_to_columns("a\tb\x1b[2J\xff", 20),
            Lines{"a b" + kReplacement + "[2J" + kReplacement});
}

TEST(Text, CountsColumnsOfWideAndCombiningCharacters) {
  const char* before = std::setlocale(LC_CTYPE, nullptr);
  const std::string saved = before;
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) GTEST_SKIP() << "SKIPPED: no C.UTF-8 locale";
  EXPECT_EQ(display_columns("abc"), 3u);
  EXPECT_EQ(display_columns("\xE6\xBC\xA2"), 2u);  // 漢
  EXPECT_EQ(display_columns("e\xCC\x81"), 1u);     // e with a combining acute
  EXPECT_EQ(cut_to_columns("\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2", 5),
            "\xE6\xBC\xA2\xE5\xAD\x97" + kEllipsis);
  EXPECT_EQ(cut_to_columns("\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2", 4), "\xE6\xBC\xA2" + kEllipsis);
  EXPECT_EQ(cut_to_columns("\xE6\xBC\xA2\xE5\xAD\x97", 4), "\xE6\xBC\xA2\xE5\xAD\x97");
  std::setlocale(LC_CTYPE, saved.c_str());
}

TEST(Text, CharactersAreCodePoints) {
  EXPECT_EQ(count_characters(""), 0u);
  EXPECT_EQ(count_characters("a\u00E9\u4F60\U0001F600"), 4u);
}

}  // namespace
}  // namespace selene
