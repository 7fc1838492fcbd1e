#include "text/words.h"

#include <gtest/gtest.h>

#include <string>

#include "temporary_folder.h"

#include "core/error.h"

namespace selene::text {
namespace {

std::string words(std::string_view text) {
  Words words;
  words.read("left over, and longer than what comes: 東京!");
  words.read(text);
  return std::string(words.text());
}

std::string utf8(char32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

TEST(Words, AreWithoutCasePunctuationAndLayout) {
  EXPECT_EQ(words("It's 3 o'clock,\n\tSir!"), "it s 3 o clock sir");
  EXPECT_EQ(words("  -- a_b--C  "), "a b c");
  EXPECT_EQ(words(""), "");
  EXPECT_EQ(words(" .,; "), "");
}

TEST(Words, AreOfAnyScript) {
  EXPECT_EQ(words("ÄPFEL und Öl, Ψυχή; МИР"), "äpfel und öl ψυχή мир");
  EXPECT_EQ(words("ὈΔΥΣΣΕΎΣ ὀδυσσεύς"), "ὀδυσσεύσ ὀδυσσεύσ");  // Both sigmas.
  EXPECT_EQ(words("x² ½ Ⅷ"), "x² ½ ⅷ");
}

TEST(Words, OfScriptsWithoutSpacesAreCharacters) {
  EXPECT_EQ(words("東京タワー、OK"), "東 京 タ ワ ー ok");
  EXPECT_EQ(words("a東b"), "a 東 b");
  EXPECT_EQ(words("กขค"), "ก ข ค");
  EXPECT_EQ(words("東"), "東");
  EXPECT_EQ(words("ok東京"), "ok 東 京");
  EXPECT_EQ(words("서울 시"), "서울 시");  // Korean has spaces.
}

// Vowels are marks in Thai and Hindi, and a letter may be written as one and its accent.
TEST(Words, MarksBelongToTheirCharacter) {
  EXPECT_EQ(words("ที่นี่"), "ที่ นี่");
  EXPECT_EQ(words("हिन्दी भाषा"), "हिन्दी भाषा");
  EXPECT_EQ(words("cafe\u0301 au lait"), "cafe\u0301 au lait");
  EXPECT_EQ(words("\u0301 a"), "a");  // On no character.
}

TEST(Words, AreCountedAndNamed) {
  Words words;
  words.read("  One: two, 東三 ");
  ASSERT_EQ(words.size(), 4u);
  EXPECT_EQ(words[0], "one");
  EXPECT_EQ(words[3], "三");
  EXPECT_EQ(words.run(1, 2), "two 東");
  EXPECT_EQ(words.begin_of(1), 4u);
  words.read("...");
  EXPECT_EQ(words.size(), 0u);
}

// Every character alone, between letters and repeated: the words of words are the same, and there
// is room for the longest.
TEST(Words, OfWordsAreTheSame) {
  Words again;
  for (char32_t code = 1; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const std::string one = utf8(code);
    for (const std::string& text : {one + one + one, "a" + one + "b"}) {
      Words fresh;
      fresh.read(text);
      again.read(fresh.text());
      ASSERT_EQ(fresh.text(), again.text()) << static_cast<unsigned>(code);
    }
  }
}

TEST(Words, OfTooLongATextAreRefused) {
  const std::string_view text(static_cast<const char*>(nullptr), (size_t{1} << 31) + 1);
  EXPECT_EQ(testing::message_of<Error>([&] { Words().read(text); }),
            "a text has 2147483649 bytes: more than 2 GiB; leave it out, or split it");
}

TEST(Words, BytesThatAreNoUtf8SeparateThem) {
  EXPECT_EQ(words("a\xFFz"), "a z");
  EXPECT_EQ(words("a\xC3"), "a");
  EXPECT_EQ(words(std::string_view("a\0b", 3)), "a b");
}

}  // namespace
}  // namespace selene::text
