#include "report/svg_canvas.h"

#include <fmt/format.h>

#include "core/text.h"

namespace selene::report {
namespace {

// Text of an element or an attribute. XML 1.0 forbids most control characters even as references.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(replace_invalid_utf8(text))) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
      case '\t':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  // U+FFFE and U+FFFF are no characters of XML.
  for (const std::string_view none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (size_t at = out.find(none); at != std::string::npos; at = out.find(none, at))
      out.replace(at, none.size(), "\xEF\xBF\xBD");
  }
  return out;
}

}  // namespace

void SvgCanvas::text(double x, double y, std::string_view words, const TextType& type) {
  if (words.empty()) return;
  out_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" fill=\"{}\"{}{}>{}</text>\n", x, y,
      type.size, type.color, type.bold ? " font-weight=\"600\"" : "",
      std::string_view(type.anchor) == "start" ? std::string()
                                               : fmt::format(" text-anchor=\"{}\"", type.anchor),
      escaped(words));
}

void SvgCanvas::line(double x1, double y1, double x2, double y2, const char* color, double width) {
  out_ += fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{:g}\"/>\n",
      x1, y1, x2, y2, color, width);
}

void SvgCanvas::rect(double x, double y, double width, double height, const char* color) {
  out_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", x, y,
      width, height, color);
}

std::string SvgCanvas::page(std::string_view title, double width, double height) const {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:g}\" height=\"{1:g}\" "
             "viewBox=\"0 0 {0:g} {1:g}\" role=\"img\" font-family=\"system-ui, sans-serif\">\n"
             "<title>{2}</title>\n"
             "<rect width=\"{0:g}\" height=\"{1:g}\" fill=\"{3}\"/>\n",
             width, height, escaped(title), kPaper) +
         out_ + "</svg>\n";
}

}  // namespace selene::report
