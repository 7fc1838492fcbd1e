#include "bench/figures.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "small_report.h"

namespace selene::bench {
namespace {

using Reports = std::vector<Report>;

std::vector<std::string> names_of(const Reports& reports) {
  std::vector<std::string> names;
  for (const SvgFile& file : svg_figures(reports)) names.push_back(file.name);
  return names;
}

TEST(Figures, AreTheOverviewTheIndustrySetsAndTheGroups) {
  EXPECT_EQ(names_of({small_report()}),
            (std::vector<std::string>{"overview.svg", "industry.svg", "groups-hhh.svg"}));
  Reports plain = {small_report()};
  plain[0].scores.pop_back();
  plain[0].scores[0].groups.clear();
  EXPECT_EQ(names_of(plain), std::vector<std::string>{"overview.svg"});
  plain[0].scores.clear();
  EXPECT_TRUE(names_of(plain).empty());
}

// Made by this code and looked at in a browser.
TEST(Figures, AreTheGoldenFiles) {
  for (const SvgFile& file : svg_figures(Reports{small_report("a", 0.6), small_report("b", 0.7)})) {
    EXPECT_EQ(file.text, read_file(SELENE_SOURCE_DIR "/tests/bench/golden/" + file.name))
        << file.name;
  }
}

TEST(Figures, HostileTextIsNoMarkup) {
  for (const SvgFile& file : svg_figures(Reports{hostile_report()}))
    EXPECT_EQ(file.text.find("<script"), std::string::npos) << file.name;
}

TEST(Figures, AFigureThatIsMissingSaysWhy) {
  Reports reports = {small_report()};
  reports[0].scores[0].figure = {"accuracy", "accuracy", {}, {}, "no item was judged"};
  EXPECT_NE(svg_figures(reports)[0].text.find(">no item was judged<"), std::string::npos);
}

}  // namespace
}  // namespace selene::bench
