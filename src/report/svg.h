// Charts of horizontal bars as SVG files, drawn without a browser: small panels in columns, each
// bar with its interval and with marks for what it is measured against. On a light ground; the same
// chart gives the same bytes; any text is safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace selene::report {

struct Bar {
  std::string label = {};
  std::optional<double> value = {};  // Without one there is only `text`.
  std::optional<double> low = {};    // The interval; both or none.
  std::optional<double> high = {};
  std::vector<std::optional<double>> marks = {};  // One a name of BarChart::marks, or fewer.
  std::string text = {};                          // Behind the bar: the figure as it is to be read.
  std::optional<size_t> series = {};              // The colour; without one a grey.
};

struct Panel {
  std::string title = {};
  std::string note = {};  // Behind the title, lighter.
  std::vector<Bar> bars = {};
};

// Panels under one heading; an empty heading takes no room.
struct PanelGroup {
  std::string heading = {};
  std::vector<Panel> panels = {};
};

struct BarChart {
  std::string title = {};
  std::string note = {};                 // Under the title.
  std::vector<std::string> series = {};  // What the colours are, for the legend; or nothing.
  std::vector<std::string> marks = {};   // What the marks are, for the legend.
  std::vector<PanelGroup> groups = {};
  size_t columns = 1;  // Panels beside one another.
};

// The axis of each panel is 0 to 1, and down to -1 where a bar of it is below 0.
std::string bar_chart_svg(const BarChart& chart);

}  // namespace selene::report
