// A text table for a terminal, row by row: the columns' widths are fixed before the first row, so
// that rows can stream.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::report {

// What a stream goes to, a terminal or not. Width: the environment's COLUMNS, else the terminal's,
// else 100. Colour only on a terminal and when NO_COLOR is not set (no-color.org).
struct Terminal {
  size_t columns = 100;
  bool color = false;
  bool is_terminal = false;
};
Terminal terminal(int descriptor);

enum class Style { Plain, Bold, Dim, Red, Green, Yellow };

// `text` between the escape codes of `style`; as it is without colour.
std::string styled(std::string_view text, Style style, bool color);

enum class Align { Left, Right };

struct Column {
  std::string title;
  size_t width = 0;       // Columns of the terminal; the least of a flexible column.
  bool flexible = false;  // Flexible columns share what the others leave.
  Align align = Align::Left;
};

struct Cell {
  std::string
      text;  // Any bytes: shown on one line, cut to the column, control characters made harmless.
  Style style = Style::Plain;
};

// Lines end with a newline and carry no trailing spaces.
class Table {
 public:
  Table(std::vector<Column> columns, Terminal terminal);

  // Titles and a rule.
  std::string header() const;
  // One cell a column; missing ones are empty.
  std::string row(std::span<const Cell> cells) const;

 private:
  std::vector<Column> columns_;  // With their final widths.
  bool color_ = false;
};

}  // namespace selene::report
