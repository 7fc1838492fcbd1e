// What our figures are drawn with: lines, boxes and words as SVG, on a light ground. The same calls
// give the same bytes; any text is safe. There are no fonts here to ask: a text's width is taken
// from its columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace selene::report {

// Of the check page's light theme.
inline constexpr const char* kPaper = "#fcfbf9";
inline constexpr const char* kInk = "#1e1d1a";
inline constexpr const char* kSoft = "#656159";
inline constexpr const char* kRule = "#dcd8cf";
inline constexpr const char* kGrey = "#b9b4a9";
inline constexpr const char* kSeries[] = {"#24598a", "#b0562a", "#4a7d4f", "#7a5195", "#9a7b1c"};

// The pixels of a column of text of 12 pixels, and of a bold one; a title's of 13 is like it.
inline constexpr double kColumn = 6.6;
inline constexpr double kBoldColumn = 7.4;

struct TextType {
  const char* color = kInk;
  int size = 12;
  bool bold = false;
  const char* anchor = "start";  // start, middle, end
};

class SvgCanvas {
 public:
  void text(double x, double y, std::string_view words, const TextType& type = {});
  void line(double x1, double y1, double x2, double y2, const char* color, double width);
  void rect(double x, double y, double width, double height, const char* color);

  // The whole file.
  std::string page(std::string_view title, double width, double height) const;

 private:
  std::string out_;
};

}  // namespace selene::report
