#include "report/svg.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/text.h"
#include "report/svg_canvas.h"

namespace selene::report {
namespace {

constexpr const char* kMarks[] = {"#a5281b", "#1e1d1a", "#835b00"};

// In pixels.
constexpr double kWidth = 960;
constexpr double kMargin = 24;
constexpr double kGap = 32;
constexpr double kBarStep = 22;
constexpr double kBarHeight = 13;
constexpr double kAxis = 22;
constexpr double kTitle = 24;

class Drawing {
 public:
  explicit Drawing(const BarChart& chart) : chart_(chart) {}

  std::string run() {
    header();
    for (const PanelGroup& group : chart_.groups) draw(group);
    return canvas_.page(chart_.title, kWidth, y_ + kMargin / 2);
  }

 private:
  void header() {
    y_ = kMargin + 14;
    canvas_.text(kMargin, y_, chart_.title, {.size = 18, .bold = true});
    y_ += 8;
    if (!chart_.note.empty()) {
      y_ += 14;
      canvas_.text(kMargin, y_, chart_.note, {.color = kSoft});
    }
    y_ += 18;
    legend_x_ = kMargin;
    for (size_t i = 0; i < chart_.series.size(); ++i) {
      const double x = legend(12, chart_.series[i]);
      canvas_.rect(x, y_ - 10, 12, 12, kSeries[i % std::size(kSeries)]);
    }
    const double x = legend(16, "95% interval");
    canvas_.line(x, y_ - 4, x + 16, y_ - 4, kInk, 1);
    for (size_t i = 0; i < chart_.marks.size(); ++i) {
      const double mark = legend(2, chart_.marks[i]) + 1;
      canvas_.line(mark, y_ - 10, mark, y_ + 2, kMarks[i % std::size(kMarks)], 2);
    }
    y_ += 12;
  }

  // Words with room for a sign of this width before them; gives the sign's place.
  double legend(double sign, std::string_view words) {
    const std::string shown = cut_to_columns(words, 60);
    const double width = sign + 6 + static_cast<double>(display_columns(shown)) * kColumn;
    if (legend_x_ > kMargin && legend_x_ + width > kWidth - kMargin) {
      legend_x_ = kMargin;
      y_ += 18;
    }
    const double x = legend_x_;
    canvas_.text(x + sign + 6, y_, shown, {.color = kSoft});
    legend_x_ += width + 20;
    return x;
  }

  void draw(const PanelGroup& group) {
    if (!group.heading.empty()) {
      y_ += 24;
      canvas_.text(kMargin, y_, group.heading, {.size = 15, .bold = true});
      y_ += 6;
    }
    const size_t columns = std::max<size_t>(1, chart_.columns);
    const double width = (kWidth - 2 * kMargin - kGap * static_cast<double>(columns - 1)) /
                         static_cast<double>(columns);
    for (size_t first = 0; first < group.panels.size(); first += columns) {
      double tallest = 0;
      for (size_t i = first; i < std::min(first + columns, group.panels.size()); ++i) {
        const Panel& panel = group.panels[i];
        draw(panel, kMargin + static_cast<double>(i - first) * (width + kGap), width);
        tallest = std::max(tallest, height_of(panel));
      }
      y_ += tallest;
    }
  }

  static double height_of(const Panel& panel) {
    return kTitle + kBarStep * static_cast<double>(panel.bars.size()) + kAxis + 8;
  }

  // Of a panel: the columns of its labels, and of the texts behind the bars.
  static size_t widest(const Panel& panel, std::string Bar::*member, size_t most) {
    size_t columns = 0;
    for (const Bar& bar : panel.bars)
      columns = std::max(columns, display_columns(cut_to_columns(bar.*member, most)));
    return columns;
  }

  void draw(const Panel& panel, double left, double width) {
    const auto most = static_cast<size_t>(width * 0.38 / kBoldColumn);
    const double labels = static_cast<double>(widest(panel, &Bar::label, most)) * kBoldColumn + 8;
    const double texts = static_cast<double>(widest(panel, &Bar::text, most)) * kColumn + 6;
    const double from = left + labels;
    const double to = left + width - texts;
    const double top = y_ + kTitle;
    const double bottom = top + kBarStep * static_cast<double>(panel.bars.size());
    const std::string title = cut_to_columns(panel.title, static_cast<size_t>(width / kBoldColumn));
    canvas_.text(left, y_ + 16, title, {.size = 13, .bold = true});
    canvas_.text(left + static_cast<double>(display_columns(title)) * kBoldColumn + 10, y_ + 16,
                 panel.note, {.color = kSoft, .size = 11});

    const double lowest = axis_start(panel);
    const auto place = [&](double value) {
      return from + (std::clamp(value, lowest, 1.0) - lowest) / (1 - lowest) * (to - from);
    };
    for (const double tick : lowest < 0 ? std::vector<double>{-1, -.5, 0, .5, 1}
                                        : std::vector<double>{0, .25, .5, .75, 1}) {
      canvas_.line(place(tick), top, place(tick), bottom + 3, kRule, tick == 0 ? 2 : 1);
      canvas_.text(place(tick), bottom + 15, fmt::format("{:g}", tick),
                   {.color = kSoft, .size = 10, .anchor = "middle"});
    }
    double y = top;
    for (const Bar& bar : panel.bars) {
      const double middle = y + kBarStep / 2;
      canvas_.text(from - 6, middle + 4, cut_to_columns(bar.label, most),
                   {.bold = bar.series.has_value(), .anchor = "end"});
      if (bar.value) draw(bar, middle, place);
      canvas_.text(to + 6, middle + 4, cut_to_columns(bar.text, most), {.color = kSoft});
      y += kBarStep;
    }
  }

  template <typename Place>
  void draw(const Bar& bar, double middle, const Place& place) {
    const double zero = place(0);
    const double end = place(*bar.value);
    canvas_.rect(std::min(zero, end), middle - kBarHeight / 2, std::abs(end - zero), kBarHeight,
                 bar.series ? kSeries[*bar.series % std::size(kSeries)] : kGrey);
    for (size_t i = 0; i < bar.marks.size(); ++i) {
      if (!bar.marks[i]) continue;
      const double x = place(*bar.marks[i]);
      canvas_.line(x, middle - kBarHeight / 2 - 3, x, middle + kBarHeight / 2 + 3, kPaper, 4);
      canvas_.line(x, middle - kBarHeight / 2 - 3, x, middle + kBarHeight / 2 + 3,
                   kMarks[i % std::size(kMarks)], 2);
    }
    if (!bar.low || !bar.high) return;
    const double low = place(*bar.low);
    const double high = place(*bar.high);
    canvas_.line(low, middle, high, middle, kPaper, 3);  // So that it shows on its bar.
    canvas_.line(low, middle, high, middle, kInk, 1);
    canvas_.line(low, middle - 4, low, middle + 4, kInk, 1);
    canvas_.line(high, middle - 4, high, middle + 4, kInk, 1);
  }

  static double axis_start(const Panel& panel) {
    for (const Bar& bar : panel.bars) {
      if (!bar.value) continue;
      if (*bar.value < 0 || bar.low.value_or(0) < 0) return -1;
      for (const std::optional<double>& mark : bar.marks)
        if (mark.value_or(0) < 0) return -1;
    }
    return 0;
  }

  const BarChart& chart_;
  SvgCanvas canvas_;
  double y_ = 0;
  double legend_x_ = 0;
};

}  // namespace

std::string bar_chart_svg(const BarChart& chart) { return Drawing(chart).run(); }

}  // namespace selene::report
