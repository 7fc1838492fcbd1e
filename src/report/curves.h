// Curves over steps as an SVG file: panels in two columns, each with its own scale. On a light
// ground; the same chart gives the same bytes; any text is safe.
#pragma once

#include <string>
#include <vector>

namespace selene::report {

struct Point {
  double x = 0;
  double y = 0;  // One that is not finite breaks the line.
};

struct Curve {
  std::string name;
  std::vector<Point> points;  // By x.
};

struct CurvePanel {
  std::string title;
  std::vector<Curve> curves;
};

struct CurveChart {
  std::string title;
  std::string x;  // What the horizontal axis is.
  std::vector<CurvePanel> panels{};
};

std::string curves_svg(const CurveChart& chart);

}  // namespace selene::report
