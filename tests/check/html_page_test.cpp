#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "check/reports.h"
#include "check/small_report.h"
#include "core/digest.h"
#include "core/text.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

std::string between(const std::string& text, const std::string& start, const std::string& end) {
  const size_t from = text.find(start);
  if (from == std::string::npos) return "no " + start;
  const size_t to = text.find(end, from + start.size());
  return text.substr(from + start.size(), to - from - start.size());
}

std::string data_text(const std::string& page) {
  return between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
}

Json data_of(const std::string& page) { return Json::parse(data_text(page)); }

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Base64 to lower-case hex, bit by bit.
std::string hex_of_base64(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (const char c : base64) {
    if (c == '=') break;
    for (int bit = 5; bit >= 0; --bit) bits += (digits.find(c) >> bit) & 1 ? '1' : '0';
  }
  std::string hex;
  for (size_t at = 0; at + 8 <= bits.size(); at += 8) {
    for (const size_t half : {at, at + 4}) {
      hex += "0123456789abcdef"[std::stoul(bits.substr(half, 4), nullptr, 2)];
    }
  }
  return hex;
}

TEST(HtmlPage, HoldsTheReport) {
  const Json data = data_of(html_page(small_report()));
  Json summary = summary_json(small_report());
  summary["baseline"].erase("changes");
  EXPECT_EQ(data["summary"], summary);
  EXPECT_EQ(data["checks"].dump(), R"([{"name":"helpful","description":"judge: Does it help?"},)"
                                   R"({"name":"names a date","description":"regex '\\d+'"}])");
  EXPECT_EQ(
      data["answers"][0].dump(),
      R"({"id":"a","status":"failed","score":0.0,"fields":[["input","When?"],["response","Soon."]],)"
      R"("line":2,"outcomes":[{"status":"failed","reason":"the judge says No","label":"No",)"
      R"("probabilities":[["Yes",0.25],["No",0.75]],"margin":0.5,)"
      R"("critique":"It names no day.\nIt is polite.","flags":["truncated"],"human":"No",)"
      R"("before":"passed"},{"status":"failed","reason":"no match of '\\d+'"}]})");
}

TEST(HtmlPage, AChangedAnswerHasWhatTheBaselineSaid) {
  Report report = small_report();
  for (const AnswerResult& answer : report.answers)
    report.before.push_back(to_json(answer, report.checks));
  report.before[0]["fields"]["response"] = "On Monday.";
  report.before[0]["checks"]["helpful"] = {{"status", "passed"},
                                           {"reason", "the judge says Yes"},
                                           {"label", 7},  // Not ours: left out.
                                           {"probabilities", {{"Yes", 0.9}, {"No", "x"}}}};
  const Json answers = data_of(html_page(report))["answers"];
  EXPECT_EQ(answers[0]["before"].dump(),
            R"({"fields":[["input","When?"],["response","On Monday."]],"outcomes":[)"
            R"({"status":"passed","reason":"the judge says Yes","probabilities":[["Yes",0.9]]},)"
            R"({"status":"failed","reason":"no match of '\\d+'"}]})");
  EXPECT_FALSE(answers[1].contains("before"));
}

TEST(HtmlPage, WhatIsHiddenIsNotShown) {
  EXPECT_NE(html_page(small_report()).find("[hidden] { display: none !important; }"),
            std::string::npos);
}

TEST(HtmlPage, ValuesThatAreNoTextComeAsTheirJson) {
  Report report = small_report();
  report.answers[0].fields = {{"n", 9007199254740993}, {"list", {1, "x"}}, {"none", nullptr}};
  report.answers[1].id = "9007199254740993";
  const Json answers = data_of(html_page(report))["answers"];
  EXPECT_EQ(answers[0]["fields"].dump(),
            R"([["n","9007199254740993"],["list","[\n  1,\n  \"x\"\n]"],["none","null"]])");
  EXPECT_EQ(answers[1]["id"], "9007199254740993");
}

TEST(HtmlPage, HostileTextStaysInItsElement) {
  const std::string plain = html_page(small_report());
  const std::string page = html_page(hostile_report());
  EXPECT_TRUE(is_valid_utf8(page));
  EXPECT_EQ(count(page, "<script"), count(plain, "<script"));
  EXPECT_EQ(count(page, "</script"), count(plain, "</script"));
  EXPECT_EQ(count(page, "<!--"), 0u);
  const std::string data = data_text(page);
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(data.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(data.find('\0'), std::string::npos);
  const std::string critique = data_of(page)["answers"][0]["outcomes"][0]["critique"];
  EXPECT_EQ(critique, replace_invalid_utf8(kHostile));
}

TEST(HtmlPage, ATextThatNamesAHoleFillsNone) {
  Report report = small_report();
  report.answers[0].id = "@DATA@ @SCRIPT_SHA256@ @STYLE_SHA256@";
  EXPECT_EQ(data_of(html_page(report))["answers"][0]["id"], report.answers[0].id);
}

TEST(HtmlPage, OnlyItsOwnScriptAndStyleRun) {
  const std::string page = html_page(small_report());
  const std::string policy =
      between(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\"");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; ")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(hex_of_base64(between(policy, "script-src 'sha256-", "'")),
            sha256(between(page, "<script>", "</script>")));
  EXPECT_EQ(hex_of_base64(between(policy, "style-src 'sha256-", "'")),
            sha256(between(page, "<style>", "</style>")));
}

TEST(HtmlPage, LoadsNothingAndParsesNoTextAsHtml) {
  const std::string page = html_page(small_report());
  for (const std::string_view part :
       {"http://", "https://", " src=", " href=", "@import", "url(", "fetch(", "innerHTML",
        "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick="}) {
    EXPECT_EQ(count(page, part), 0u) << part;
  }
}

TEST(HtmlPage, TheSameReportGivesTheSameBytes) {
  EXPECT_EQ(html_page(small_report()), html_page(small_report()));
}

TEST(HtmlPage, AHugeCritiqueIsWhole) {
  const Json data = data_of(html_page(long_report(1, 1'000'000)));
  EXPECT_EQ(data["answers"][0]["outcomes"][0]["critique"].get<std::string>().size(), 1'000'000u);
}

TEST(HtmlPage, TenThousandAnswersAreRows) {
  EXPECT_EQ(data_of(html_page(long_report(10'000, 100)))["answers"].size(), 10'000u);
}

}  // namespace
}  // namespace selene::check
