#include "report/table.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <stdexcept>

#include "temporary_folder.h"

namespace selene::report {
namespace {

using testing::ScopedEnvironment;

std::string row(const Table& table, std::vector<Cell> cells) { return table.row(cells); }

TEST(Table, FlexibleColumnsShareWhatIsLeft) {
  const Table table({{.title = "id", .width = 4},
                     {.title = "text", .width = 5, .flexible = true},
                     {.title = "n", .width = 3, .align = Align::Right},
                     {.title = "more", .width = 5, .flexible = true}},
                    {.columns = 40});
  EXPECT_EQ(table.header(),
            "id    text              n  more\n"
            "────  ──────────────  ───  ─────────────\n");
  EXPECT_EQ(row(table, {{"1"}, {"some words"}, {"7"}, {"others"}}),
            "1     some words        7  others\n");
}

TEST(Table, CellsAreCutAndOnOneLine) {
  const Table table({{.title = "a", .width = 6}, {.title = "b", .width = 4}}, {.columns = 40});
  EXPECT_EQ(row(table, {{"one two three"}, {"x\ny"}}), "one t…  x y\n");
}

TEST(Table, ControlCharactersOfACellAreHarmless) {
  const Table table({{.title = "a", .width = 12}}, {.columns = 40, .color = true});
  EXPECT_EQ(row(table, {{"\x1b[2Jx"}}), "\xEF\xBF\xBD[2Jx\n");
}

TEST(Table, NoSpacesTrail) {
  const Table table(
      {{.title = "a", .width = 6}, {.title = "b", .width = 4}, {.title = "c", .width = 4}}, {});
  EXPECT_EQ(row(table, {{"x"}, {""}, {""}}), "x\n");
  EXPECT_EQ(row(table, {{"x"}}), "x\n");
  EXPECT_EQ(row(table, {{""}, {""}, {"z"}}), "              z\n");
  EXPECT_EQ(row(table, {}), "\n");
}

TEST(Table, ANarrowTerminalLeavesTheLeastWidths) {
  const Table table({{.title = "a", .width = 30}, {.title = "b", .width = 10, .flexible = true}},
                    {.columns = 20});
  EXPECT_EQ(row(table, {{"x"}, {"0123456789abc"}}), "x" + std::string(31, ' ') + "012345678…\n");
}

TEST(Table, ColourSurroundsTheTextAndNotThePadding) {
  const Table table({{.title = "a", .width = 4}, {.title = "b", .width = 4}},
                    {.columns = 40, .color = true});
  EXPECT_EQ(row(table, {{"x", Style::Green}, {"y", Style::Red}}),
            "\x1b[32mx\x1b[0m     \x1b[31my\x1b[0m\n");
}

TEST(Table, MoreCellsThanColumnsIsABug) {
  const Table table({{.title = "a", .width = 4}}, {});
  EXPECT_THROW(row(table, {{"x"}, {"y"}}), std::logic_error);
}

TEST(Terminal, AFileHasAHundredColumnsAndNoColour) {
  const ScopedEnvironment columns("COLUMNS", "");
  const Terminal found = terminal(::fileno(std::tmpfile()));
  EXPECT_EQ(found.columns, 100u);
  EXPECT_FALSE(found.color);
}

TEST(Terminal, TheEnvironmentGivesTheWidth) {
  const int file = ::fileno(std::tmpfile());
  for (const auto& [text, expected] :
       {std::pair{"72", 72u}, {"3", 20u}, {"99999", 1000u}, {"x", 100u}, {"8x", 100u}}) {
    const ScopedEnvironment columns("COLUMNS", text);
    EXPECT_EQ(terminal(file).columns, expected) << text;
  }
}

TEST(Terminal, ATerminalHasItsWidthAndColourUnlessNoColorIsSet) {
  const ScopedEnvironment columns("COLUMNS", "");
  int ours = 0;
  int theirs = 0;
  winsize size{};
  size.ws_col = 64;
  ASSERT_EQ(::openpty(&ours, &theirs, nullptr, nullptr, &size), 0);
  {
    const ScopedEnvironment no_color("NO_COLOR", "");
    EXPECT_EQ(terminal(theirs).columns, 64u);
    EXPECT_TRUE(terminal(theirs).color);
  }
  const ScopedEnvironment no_color("NO_COLOR", "1");
  EXPECT_FALSE(terminal(theirs).color);
  ::close(ours);
  ::close(theirs);
}

}  // namespace
}  // namespace selene::report
