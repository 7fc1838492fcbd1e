#include "text/words.h"

#include <gtest/gtest.h>

namespace selene::text {
namespace {

std::string words(std::string_view text) {
  std::string result = "left over";
  words_of(text, result);
  return result;
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
  EXPECT_EQ(words("서울 시"), "서울 시");  // Korean has spaces.
}

TEST(Words, BytesThatAreNoUtf8SeparateThem) {
  EXPECT_EQ(words("a\xFFz"), "a z");
  EXPECT_EQ(words("a\xC3"), "a");
  EXPECT_EQ(words(std::string_view("a\0b", 3)), "a b");
}

}  // namespace
}  // namespace selene::text
