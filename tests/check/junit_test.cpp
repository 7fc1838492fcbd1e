#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "check/reports.h"
#include "check/small_report.h"
#include "core/text.h"

namespace selene::check {
namespace {

// Elements nest, and every & begins one of the references that we write: well-formed, for a text
// without comments and CDATA.
void expect_well_formed(const std::string& xml) {
  EXPECT_TRUE(is_valid_utf8(xml));
  std::vector<std::string> open;
  for (size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const size_t end = xml.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = xml.substr(at + 1, end - at - 1);
    ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
    ASSERT_EQ(std::count(tag.begin(), tag.end(), '"') % 2, 0) << tag;
    if (tag.front() == '?' || tag.back() == '/') continue;
    if (tag.front() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
      continue;
    }
    ASSERT_FALSE(open.empty());
    EXPECT_EQ(tag.substr(1), open.back());
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
  for (size_t at = xml.find('&'); at != std::string::npos; at = xml.find('&', at + 1)) {
    const std::string name = xml.substr(at, xml.find(';', at) - at + 1);
    const std::vector<std::string> known = {"&amp;", "&lt;",  "&gt;", "&quot;",
                                            "&#13;", "&#10;", "&#9;"};
    EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name;
  }
}

TEST(Junit, ASuiteACheckAndOneOfTheDecision) {
  const std::string xml = junit(small_report());
  expect_well_formed(xml);
  EXPECT_EQ(xml, R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="selene check" tests="8" failures="3" errors="0">
  <testsuite name="gate" tests="2" failures="1" errors="0" skipped="0">
    <properties>
      <property name="description" value="the gate failed"/>
    </properties>
    <testcase name="overall" classname="gate">
      <failure type="failed" message="50.0% of 2 answers passed, at least 90% is required">passed: 50.0% (1 of 2; 95% interval 25.0% to 75.0%)
required: at least 90%</failure>
    </testcase>
    <testcase name="helpful" classname="gate">
      <system-out>passed: 50.0% (1 of 2; 95% interval 25.0% to 75.0%)
required: lower end at least 20%; at most 60 points below the baseline</system-out>
    </testcase>
  </testsuite>
  <testsuite name="helpful" tests="3" failures="1" errors="0" skipped="1">
    <properties>
      <property name="description" value="judge: Does it help?"/>
    </properties>
    <testcase name="a" classname="helpful">
      <failure type="failed" message="the judge says No">label: No
label by a person: No
probabilities: Yes 0.250, No 0.750
margin: 0.500
flags: truncated
critique: It names no day.
It is polite.
response: Soon.</failure>
    </testcase>
    <testcase name="7" classname="helpful">
      <skipped type="unknown" message="the margin 0.01 is under 0.1"/>
    </testcase>
    <testcase name="c" classname="helpful"/>
  </testsuite>
  <testsuite name="names a date" tests="3" failures="1" errors="0" skipped="1">
    <properties>
      <property name="description" value="regex '\d+'"/>
    </properties>
    <testcase name="a" classname="names a date">
      <failure type="failed" message="no match of '\d+'">response: Soon.</failure>
    </testcase>
    <testcase name="7" classname="names a date">
      <skipped type="skipped" message="the check is not for this answer"/>
    </testcase>
    <testcase name="c" classname="names a date"/>
  </testsuite>
</testsuites>
)");
}

TEST(Junit, WithoutAFailedGateThereAreNoFailures) {
  Report report = small_report();
  report.passed = true;
  report.overall.failure.reset();
  const std::string xml = junit(report);
  expect_well_formed(xml);
  EXPECT_EQ(xml.find("<failure"), std::string::npos);
  EXPECT_NE(xml.find("<testsuites name=\"selene check\" tests=\"8\" failures=\"0\""),
            std::string::npos);
  EXPECT_NE(xml.find("tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"2\""), std::string::npos);
  EXPECT_NE(xml.find("<skipped type=\"failed\" message=\"failed, which did not fail the gate: the "
                     "judge says No\">"),
            std::string::npos);
}

TEST(Junit, OnlyTheCheckThatFailedTheGateHasFailures) {
  Report report = small_report();
  report.overall.failure.reset();
  report.lines[0].failure = "too few";
  const std::string xml = junit(report);
  EXPECT_NE(xml.find("<testsuite name=\"helpful\" tests=\"3\" failures=\"1\""), std::string::npos);
  EXPECT_NE(xml.find("<testsuite name=\"names a date\" tests=\"3\" failures=\"0\""),
            std::string::npos);
}

TEST(Junit, APassToLookAtSaysSo) {
  Report report = small_report();
  report.answers[2].outcomes[1].look = true;
  EXPECT_NE(junit(report).find("<system-out>a person should look: matches '\\d+'"),
            std::string::npos);
}

TEST(Junit, HostileTextIsTextOfAllowedCharacters) {
  const std::string xml = junit(hostile_report());
  expect_well_formed(xml);
  for (const char c : xml) {
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << int{c};
  }
  EXPECT_EQ(xml.find("\xEF\xBF\xBE"), std::string::npos);
  EXPECT_EQ(xml.find("]]>"), std::string::npos);
  EXPECT_EQ(xml.find("<b>"), std::string::npos);
}

TEST(Junit, ALineBreakInANameStaysOne) {
  Report report = small_report();
  report.answers[0].id = "two\nlines\tand \"quotes\" & more";
  EXPECT_NE(junit(report).find("name=\"two&#10;lines&#9;and &quot;quotes&quot; &amp; more\""),
            std::string::npos);
}

TEST(Junit, AHugeCritiqueIsCut) {
  const std::string xml = junit(long_report(1, 1'000'000));
  EXPECT_LT(xml.size(), 10'000u);
  EXPECT_NE(xml.find("… (991818 more bytes)</failure>"), std::string::npos);
}

TEST(Junit, TheSameReportGivesTheSameBytes) {
  EXPECT_EQ(junit(small_report()), junit(small_report()));
}

}  // namespace
}  // namespace selene::check
