#include "curate/report.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/text.h"
#include "small_curation.h"

namespace selene::curate {
namespace {

using testing::Json;
using testing::small_funnel;

constexpr report::Terminal kPlain{.columns = 100};

Funnel whole_funnel() {
  const testing::TemporaryFolder folder;
  testing::write_small_curation(folder);
  return read_funnel(folder.path());
}

std::string golden(const std::string& name) {
  return read_file(std::string(SELENE_SOURCE_DIR "/tests/curate/golden/") + name);
}

size_t times(const std::string& text, const std::string& part) {
  size_t number = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
  return number;
}

// Made by this code, and read: on a terminal, as Markdown, and in a browser.
TEST(CurateReport, TextIsTheGoldenFile) {
  EXPECT_EQ(funnel_text(whole_funnel(), kPlain), golden("funnel.txt"));
}
TEST(CurateReport, MarkdownIsTheGoldenFile) {
  EXPECT_EQ(report_markdown(whole_funnel()), golden("report.md"));
}
TEST(CurateReport, DataCardIsTheGoldenFile) {
  EXPECT_EQ(data_card_markdown(whole_funnel()), golden("card.md"));
}
TEST(CurateReport, FiguresAreTheGoldenFiles) {
  EXPECT_EQ(funnel_svg(whole_funnel()), golden("funnel.svg"));
  EXPECT_EQ(scores_svg(whole_funnel()), golden("scores.svg"));
}

TEST(CurateReport, ColourIsForTerminalsAlone) {
  const Funnel funnel = whole_funnel();
  EXPECT_EQ(funnel_text(funnel, kPlain).find('\x1b'), std::string::npos);
  EXPECT_NE(funnel_text(funnel, {.columns = 100, .color = true}).find("\x1b[32m0\x1b[0m of 1,630"),
            std::string::npos);
}

TEST(CurateReport, LinesFitTheTerminal) {
  for (const size_t columns : {80u, 120u}) {
    const std::string text = funnel_text(whole_funnel(), {.columns = columns});
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      if (!line.starts_with("Rows add up")) {
        EXPECT_LE(display_columns(line), columns) << line;
      }
      at = end + 1;
    }
  }
}

TEST(CurateReport, SaysWhatWasNotChecked) {
  Json json = small_funnel();
  json["overlaps"] = nullptr;
  const Funnel funnel = funnel_from_json(json);
  EXPECT_NE(funnel_text(funnel, kPlain).find("the pairs were not checked against any benchmark\n"),
            std::string::npos);
  EXPECT_NE(report_markdown(funnel).find("The pairs were not checked against any benchmark.\n"),
            std::string::npos);
  EXPECT_NE(
      data_card_markdown(funnel).find("- The pairs were not checked for texts of benchmarks."),
      std::string::npos);
}

TEST(CurateReport, WithoutScoresThereIsNoFigureOfThem) {
  Json json = small_funnel();
  json["steps"][5].erase("facts");
  EXPECT_EQ(scores_svg(funnel_from_json(json)), "");
}

TEST(CurateReport, ManyReasonsAreDrawnAsTheMostFrequentAndTheRest) {
  Json json = small_funnel();
  Json& creak = json["steps"][2]["sources"]["creak"];
  creak["dropped"] = Json::object();
  for (int i = 0; i < 19; ++i) creak["dropped"]["reason " + std::to_string(i)] = 10;
  const std::string svg = funnel_svg(funnel_from_json(json));
  EXPECT_NE(svg.find(">reason 0: 10<"), std::string::npos);
  EXPECT_NE(svg.find(">13 more reasons: 125<"), std::string::npos);
}

TEST(CurateReport, CardNamesTheDutiesOfTheLicences) {
  Json json = small_funnel();
  json["sources"][0]["licence"] = "CC BY-NC 4.0";
  const std::string card = data_card_markdown(funnel_from_json(json));
  EXPECT_NE(card.find("- No commercial use: CREAK (CC BY-NC 4.0)."), std::string::npos);
  EXPECT_NE(card.find("same licence: Short answers (CC BY-SA 4.0)."), std::string::npos);
  json["sources"][0]["licence"] = "";
  EXPECT_NE(data_card_markdown(funnel_from_json(json)).find("- No known licence"),
            std::string::npos);
}

TEST(CurateReport, TextOfOthersIsNeverMarkup) {
  Json json = small_funnel();
  const std::string hostile =
      "a|b\n</text><script>x()</script> ![i](http://e.org/t.png) \x1b[2J\x07 \xE2\x80\xAE # @you";
  json["title"] = hostile;
  for (const char* key : {"title", "licence", "attribution", "paper", "labels_by", "note"})
    json["sources"][0][key] = hostile;
  Json& step = json["steps"][2];
  step["step"] = hostile;
  step["sources"]["creak"]["dropped"] = {{hostile, 190}};
  step["sources"]["creak"]["changed"] = {{hostile, 1}};
  step["examples"]["kept"][0]["text"] = hostile;
  step["examples"]["kept"][0]["id"] = hostile;
  step["examples"]["dropped"] = {{hostile, step["examples"]["kept"]}};
  json["steps"][3]["facts"]["examples"][0]["text"] = hostile;
  json["steps"][3]["facts"]["fell"] = {{hostile, 4}};
  json["steps"][5]["facts"]["scorer"] = hostile;
  json["steps"][6]["facts"][hostile] = hostile;
  json["benchmarks"][2]["missing"] = hostile;
  json["by"]["label"][hostile] = {{hostile, 1}};
  const Funnel funnel = funnel_from_json(json);
  const std::string card = data_card_markdown(funnel);
  const std::string markdown =
      report_markdown(funnel) + card.substr(card.find("\n---\n"));  // Behind the front matter.
  for (const std::string& text :
       {funnel_text(funnel, kPlain), card, markdown, funnel_svg(funnel), scores_svg(funnel)}) {
    for (const char* bytes : {"\x1b", "\x07", "\xE2\x80\xAE"})
      EXPECT_EQ(text.find(bytes), std::string::npos) << text;
  }
  EXPECT_GT(times(markdown, "<script"), 20u);
  EXPECT_EQ(times(markdown, "<script"), times(markdown, "\\<script"));
  EXPECT_EQ(markdown.find("!["), std::string::npos);
  EXPECT_EQ(markdown.find(" a|b"), std::string::npos);
  EXPECT_EQ((funnel_svg(funnel) + scores_svg(funnel)).find("<script"), std::string::npos);
}

TEST(CurateReport, AHugeTextIsCut) {
  Json json = small_funnel();
  const std::string huge(1 << 20, 'x');
  json["steps"][2]["examples"]["kept"][0]["text"] = huge;
  json["steps"][6]["facts"]["list"] = huge;
  json["title"] = huge;
  const Funnel funnel = funnel_from_json(json);
  EXPECT_LT(report_markdown(funnel).size(), 20000u);
  EXPECT_LT(funnel_text(funnel, kPlain).size(), 10000u);
}

}  // namespace
}  // namespace selene::curate
