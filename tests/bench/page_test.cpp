#include <gtest/gtest.h>

#include <regex>

#include "core/text.h"
#include "report/offline_page.h"
#include "small_report.h"

namespace selene::bench {
namespace {

using Json = nlohmann::ordered_json;
using Reports = std::vector<Report>;

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string data_text(const std::string& page) {
  return std::string(
      report::between(page, "<script type=\"application/json\" id=\"data\">", "</script>"));
}

Json data_of(const std::string& page) { return Json::parse(data_text(page)); }

// Our own script is the last, behind those of the figures.
std::string without_charts(std::string page) {
  if (!has_charts()) return page;
  const size_t data_end = page.find("</script>", page.find("id=\"data\"")) + 9;
  const size_t own = page.rfind("<script>");
  return page.erase(data_end, own - data_end);
}

TEST(ReportPage, HoldsTheRunsAndWhatIsBesideThem) {
  const Reports two = {small_report("a", 0.6), small_report("b", 0.7)};
  const Json data = data_of(report_page(two));
  ASSERT_EQ(data["runs"].size(), 2u);
  Json first = to_json(two[0]);
  first["name"] = "a";
  EXPECT_EQ(data["runs"][0], first);
  EXPECT_EQ(data["benchmarks"].dump(),
            R"([{"name":"hhh","industry":false},{"name":"craft-md","industry":true}])");
  EXPECT_EQ(data["published"][0]["values"]["hhh"], 0.932);
  ASSERT_EQ(data["published_apart"].size(), 1u);
  EXPECT_EQ(data["published_apart"][0]["values"]["craft-md/terms"], 0.79);
  EXPECT_EQ(data["common_averages"], to_json(common_averages(two)));
}

TEST(ReportPage, HostileTextStaysInItsElement) {
  const std::string plain = report_page(Reports{small_report()});
  const std::string page = report_page(Reports{hostile_report()});
  EXPECT_TRUE(is_valid_utf8(page));
  for (const char* part : {"<script", "</script", "<!--"})
    EXPECT_EQ(count(page, part), count(plain, part)) << part;
  const std::string data = data_text(page);
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(data.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(data.find('\0'), std::string::npos);
  EXPECT_EQ(data_of(page)["runs"][0]["scores"][0]["disagreements"][0]["critique"],
            replace_invalid_utf8(kHostile));
}

TEST(ReportPage, OnlyItsOwnScriptsAndStyleRun) {
  const std::string page = report_page(Reports{small_report()});
  const std::string policy(
      report::between(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\""));
  EXPECT_TRUE(policy.starts_with("default-src 'none'; ")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  size_t scripts = 0;
  for (size_t at = page.find("<script>"); at != std::string::npos; at = page.find("<script>", at)) {
    at += 8;
    const std::string script = page.substr(at, page.find("</script>", at) - at);
    EXPECT_NE(policy.find("'sha256-" + report::policy_digest(script) + "'"), std::string::npos);
    ++scripts;
  }
  EXPECT_EQ(scripts, has_charts() ? 3u : 1u);
  EXPECT_NE(policy.find("style-src 'sha256-" +
                        report::policy_digest(report::between(page, "<style>", "</style>")) + "'"),
            std::string::npos);
}

TEST(ReportPage, LoadsNothingAndParsesNoTextAsHtml) {
  const std::string page = without_charts(report_page(Reports{small_report()}));
  for (const std::string_view part :
       {"http://", "https://", " src=", " href=", "@import", "url(", "fetch(", "innerHTML",
        "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick="}) {
    EXPECT_EQ(count(page, part), 0u) << part;
  }
}

// Plot puts a style of its own into each figure; the page's policy knows it by its digest.
TEST(ReportPage, TheStyleOfItsFiguresIsAllowed) {
  if (!has_charts()) GTEST_SKIP() << "SKIPPED: built without figures (scripts/setup.sh check)";
  const std::string page = report_page(Reports{small_report()});
  const size_t start = page.rfind('`', page.find("--plot-background: white")) + 1;
  std::string style = page.substr(start, page.find('`', start) - start);
  style = std::regex_replace(style, std::regex(R"(\$\{\w+\})"), "plot-d6a7b5");
  style = std::regex_replace(style, std::regex(R"(\\n)"), "\n");
  EXPECT_TRUE(style.starts_with(":where(.plot-d6a7b5) {\n")) << style;
  EXPECT_NE(page.find("'sha256-" + report::policy_digest(style) + "'; base-uri"),
            std::string::npos);
}

TEST(ReportPage, CarriesTheLicencesOfWhatDrawsItsFigures) {
  if (!has_charts()) GTEST_SKIP() << "SKIPPED: built without figures (scripts/setup.sh check)";
  const std::string page = report_page(Reports{small_report()});
  EXPECT_EQ(count(page, "Permission to use, copy, modify, and/or distribute this software"), 2u);
}

TEST(ReportPage, TheSameRunsGiveTheSameBytes) {
  EXPECT_EQ(report_page(Reports{small_report()}), report_page(Reports{small_report()}));
}

}  // namespace
}  // namespace selene::bench
