#include "report/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "report/svg_canvas.h"

namespace selene::report {
namespace {

constexpr double kPanelWidth = 420;
constexpr double kPanelHeight = 190;
constexpr double kLeft = 56;   // Of a panel, for the numbers.
constexpr double kBelow = 50;  // For steps and legend.
constexpr double kGap = 28;
constexpr double kMargin = 24;
constexpr double kTop = 56;

struct Scale {
  double low = 0;
  double high = 1;

  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// The largest of 1, 2 and 5 times a power of ten that makes at least three steps.
double tick_of(double range) {
  const double power = std::pow(10, std::floor(std::log10(range)));
  for (const double step : {power * 5, power * 2, power, power / 2, power / 5}) {
    if (range / step >= 3) return step;
  }
  return power / 10;
}

Scale scale_of(const CurvePanel& panel, double Point::*axis) {
  Scale scale{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const Curve& curve : panel.curves)
    for (const Point& point : curve.points) scale.take(point.*axis);
  if (!(scale.low <= scale.high)) return {0, 1};
  if (scale.high - scale.low < 1e-12 * (1 + std::abs(scale.high)))
    return {scale.low - 0.5, scale.high + 0.5};
  return scale;
}

// Runs of more points than pixels are drawn as the mean of those of a pixel.
std::vector<Point> thinned(const std::vector<Point>& points) {
  const auto most = static_cast<std::size_t>(kPanelWidth - kLeft);
  if (points.size() <= most) return points;
  std::vector<Point> thin;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t begin = i * points.size() / most;
    const std::size_t end = (i + 1) * points.size() / most;
    Point mean;
    for (std::size_t p = begin; p < end; ++p) {
      mean.x += points[p].x;
      mean.y += points[p].y;
    }
    thin.push_back(
        {mean.x / static_cast<double>(end - begin), mean.y / static_cast<double>(end - begin)});
  }
  return thin;
}

void draw_panel(const CurvePanel& panel, const std::string& x_name, double left, double top,
                SvgCanvas& canvas) {
  const Scale across = scale_of(panel, &Point::x);
  const Scale up = scale_of(panel, &Point::y);
  const double width = kPanelWidth - kLeft;
  const double height = kPanelHeight - kBelow;
  const auto x_of = [&](double x) {
    return left + kLeft + (x - across.low) / (across.high - across.low) * width;
  };
  const auto y_of = [&](double y) {
    return top + 18 + (up.high - y) / (up.high - up.low) * height;
  };
  canvas.text(left, top + 6, panel.title, {.bold = true});
  const double tick = tick_of(up.high - up.low);
  for (double y = std::ceil(up.low / tick) * tick; y <= up.high + tick * 1e-9; y += tick) {
    canvas.line(left + kLeft, y_of(y), left + kPanelWidth, y_of(y), kRule, 1);
    canvas.text(left + kLeft - 6, y_of(y) + 4,
                fmt::format("{:.4g}", std::abs(y) < tick * 1e-6 ? 0 : y),
                {.color = kSoft, .size = 11, .anchor = "end"});
  }
  const double bottom = top + 18 + height;
  canvas.text(left + kLeft, bottom + 14, fmt::format("{:g}", across.low),
              {.color = kSoft, .size = 11});
  canvas.text(left + kPanelWidth, bottom + 14, fmt::format("{} {:g}", x_name, across.high),
              {.color = kSoft, .size = 11, .anchor = "end"});
  double legend = left + kLeft;
  for (std::size_t c = 0; c < panel.curves.size(); ++c) {
    const char* color = kSeries[c % std::size(kSeries)];
    const std::vector<Point> points = thinned(panel.curves[c].points);
    for (std::size_t p = 0; p + 1 < points.size(); ++p) {
      if (!std::isfinite(points[p].y) || !std::isfinite(points[p + 1].y)) continue;
      canvas.line(x_of(points[p].x), y_of(points[p].y), x_of(points[p + 1].x),
                  y_of(points[p + 1].y), color, 1.5);
    }
    if (points.size() == 1 && std::isfinite(points[0].y))
      canvas.rect(x_of(points[0].x) - 2, y_of(points[0].y) - 2, 4, 4, color);
    canvas.rect(legend, bottom + 22, 10, 3, color);
    canvas.text(legend + 14, bottom + 28, panel.curves[c].name, {.color = kSoft, .size = 11});
    legend += 26 + kColumn * static_cast<double>(panel.curves[c].name.size());
  }
}

}  // namespace

std::string curves_svg(const CurveChart& chart) {
  SvgCanvas canvas;
  canvas.text(kMargin, 30, chart.title, {.size = 15, .bold = true});
  for (std::size_t p = 0; p < chart.panels.size(); ++p) {
    const double left = kMargin + static_cast<double>(p % 2) * (kPanelWidth + kGap);
    const double top = kTop + static_cast<double>(p / 2) * (kPanelHeight + kGap);
    draw_panel(chart.panels[p], chart.x, left, top, canvas);
  }
  const auto rows = static_cast<double>((chart.panels.size() + 1) / 2);
  return canvas.page(chart.title, 2 * kMargin + 2 * kPanelWidth + kGap,
                     kTop + rows * (kPanelHeight + kGap) + kMargin);
}

}  // namespace selene::report
