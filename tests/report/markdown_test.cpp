#include "report/markdown.h"

#include <gtest/gtest.h>

namespace selene::report {
namespace {

TEST(Markdown, TextIsNeverMarkup) {
  EXPECT_EQ(markdown_text("a|b <i> `c` *d* _e_ [f](g) \\ $h$ ~i~ &amp;", 100),
            "a\\|b \\<i\\> \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) \\\\ \\$h\\$ \\~i\\~ \\&amp;");
  EXPECT_EQ(markdown_text("one\n\n# two", 100), "one #&#8203; two");
  EXPECT_EQ(markdown_text("@you", 100), "@&#8203;you");
  EXPECT_EQ(markdown_text("http://a.b", 100), "http\\://a.b");
  EXPECT_EQ(markdown_text("abcdef", 4), "abc\xE2\x80\xA6");
  EXPECT_EQ(markdown_text("a\x1b\xff", 9), "a\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Markdown, ACellStaysOne) {
  EXPECT_EQ(markdown_cell("a|b\n<c> `d` \\"), "a\\|b \\<c> \\`d\\` \\\\");
  EXPECT_EQ(markdown_cell("\x07"), "\xEF\xBF\xBD");
}

TEST(Markdown, Tables) {
  const std::string cells[] = {"a", "", "c"};
  EXPECT_EQ(markdown_row(cells), "| a |  | c |\n");
  EXPECT_EQ(markdown_head(cells, 1), "| a |  | c |\n|---|---|--:|\n");
}

}  // namespace
}  // namespace selene::report
