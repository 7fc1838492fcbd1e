#include "report/svg.h"

#include <gtest/gtest.h>

#include "core/file.h"

namespace selene::report {
namespace {

BarChart small_chart() {
  BarChart chart{
      .title = "Overview", .note = "Grey: published.", .series = {"ours"}, .marks = {"one answer"}};
  chart.columns = 2;
  chart.groups = {
      {"Pairwise",
       {{"Small",
         "accuracy",
         {{.label = "ours",
           .value = 0.5,
           .low = 0.25,
           .high = 0.75,
           .marks = {0.625},
           .text = ".500 [.250, .750]",
           .series = 0},
          {.label = "theirs", .value = 0.75, .text = ".750"}}},
        {"Scores", "Pearson's r", {{.label = "ours", .value = -0.5, .text = "-.500", .series = 0}}},
        {"None", "", {{.label = "ours", .text = "no item was judged", .series = 0}}}}}};
  return chart;
}

// Made by this code and looked at in a browser.
TEST(BarChartSvg, IsTheGoldenFile) {
  EXPECT_EQ(bar_chart_svg(small_chart()),
            read_file(SELENE_SOURCE_DIR "/tests/report/golden/bars.svg"));
}

TEST(BarChartSvg, TextIsNeverMarkup) {
  BarChart chart = small_chart();
  const std::string hostile = "</text><script>x()</script>&\"\x1b\x01\xff\xEF\xBF\xBE";
  chart.title = chart.note = chart.series[0] = chart.marks[0] = chart.groups[0].heading = hostile;
  Panel& panel = chart.groups[0].panels[0];
  panel.title = panel.note = panel.bars[0].label = panel.bars[0].text = hostile;
  const std::string svg = bar_chart_svg(chart);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("&lt;/text&gt;&lt;script&gt;x()&lt;/script&gt;&amp;&quot;"),
            std::string::npos);
  for (const char* bytes : {"\x1b", "\x01", "\xff", "\xEF\xBF\xBE"})
    EXPECT_EQ(svg.find(bytes), std::string::npos);
}

TEST(BarChartSvg, ALongLabelIsCut) {
  BarChart chart = small_chart();
  chart.groups[0].panels[0].bars[0].label = std::string(500, 'x');
  const std::string svg = bar_chart_svg(chart);
  EXPECT_EQ(svg.find(std::string(40, 'x')), std::string::npos);
  EXPECT_NE(svg.find("xx\xE2\x80\xA6<"), std::string::npos);
}

TEST(BarChartSvg, AValueOutsideOfTheAxisEndsAtItsEdge) {
  BarChart chart{.title = "t"};
  chart.groups = {{"", {{"p", "", {{.label = "a", .value = 1, .text = ""}}}}}};
  const std::string one = bar_chart_svg(chart);
  chart.groups[0].panels[0].bars[0].value = 7;
  EXPECT_EQ(bar_chart_svg(chart), one);
}

}  // namespace
}  // namespace selene::report
