// JUnit XML by the Jenkins xunit schema junit-10.xsd. It has no times: the same work gives the same
// bytes. There are failures when, and only when, the gate failed: an unknown outcome is `skipped`,
// and so is a failed one that did not fail the gate.
#include <fmt/format.h>

#include "check/report_text.h"
#include "check/reports.h"
#include "core/error.h"
#include "core/text.h"

namespace selene::check {
namespace {

// CI systems refuse files of tens of megabytes; the whole text is in --out and in the page.
constexpr size_t kMostBytes = 8192;

constexpr auto kReplaceInvalid = nlohmann::ordered_json::error_handler_t::replace;

struct Counts {
  size_t tests = 0;
  size_t failures = 0;
  size_t skipped = 0;
};

// U+FFFE and U+FFFF are characters of UTF-8 that XML does not allow.
bool starts_with_noncharacter(std::string_view text) {
  return text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
}

std::string escaped_character(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\r':
      return "&#13;";
    default:
      return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? "\xEF\xBF\xBD"
                                                                            : std::string(1, c);
  }
}

std::string xml_text(std::string_view text) {
  const std::string cut = cut_to_bytes(text, kMostBytes);
  std::string out;
  for (std::string_view rest = cut; !rest.empty();) {
    const bool bad = starts_with_noncharacter(rest);
    out += bad ? "\xEF\xBF\xBD" : escaped_character(rest.front());
    rest.remove_prefix(bad ? 3 : 1);
  }
  return out;
}

// A reader turns the white space of an attribute into spaces, unless it is written as a number.
std::string xml_attribute(std::string_view text) {
  std::string out;
  for (char c : xml_text(text)) {
    if (c == '\n') {
      out += "&#10;";
    } else if (c == '\t') {
      out += "&#9;";
    } else {
      out += c;
    }
  }
  return out;
}

// <name type="" message="">body</name>
std::string element(std::string_view name, std::string_view type, std::string_view message,
                    std::string_view body) {
  const std::string start =
      fmt::format("      <{} type=\"{}\" message=\"{}\"", name, type, xml_attribute(message));
  if (body.empty()) return start + "/>\n";
  return fmt::format("{}>{}</{}>\n", start, xml_text(body), name);
}

std::string system_out(std::string_view text) {
  return fmt::format("      <system-out>{}</system-out>\n", xml_text(text));
}

std::string test_case(std::string_view name, std::string_view class_name,
                      std::string_view content) {
  const std::string start = fmt::format("    <testcase name=\"{}\" classname=\"{}\"",
                                        xml_attribute(name), xml_attribute(class_name));
  if (content.empty()) return start + "/>\n";
  return fmt::format("{}>\n{}    </testcase>\n", start, content);
}

std::string suite(std::string_view name, std::string_view description, const Counts& counts,
                  std::string_view cases) {
  return fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n"
      "    <properties>\n"
      "      <property name=\"description\" value=\"{}\"/>\n"
      "    </properties>\n"
      "{}  </testsuite>\n",
      xml_attribute(name), counts.tests, counts.failures, counts.skipped,
      xml_attribute(description), cases);
}

// What CI shows of a failure: the verdict's details and the answer itself.
std::string failure_text(const AnswerResult& answer, const Outcome& outcome) {
  std::string text = details_text(outcome);
  const auto response = answer.fields.find("response");
  if (response == answer.fields.end()) return text;
  if (!text.empty()) text += "\n";
  return text + "response: " +
         (response->is_string() ? response->get<std::string>()
                                : response->dump(-1, ' ', false, kReplaceInvalid));
}

std::string outcome_elements(const Report& report, const AnswerResult& answer, size_t check) {
  const Outcome& outcome = answer.outcomes.at(check);
  switch (outcome.status) {
    case Status::Failed:
      if (part_in_gate(report, answer, check) == Part::FailsGate)
        return element("failure", "failed", outcome.reason, failure_text(answer, outcome));
      return element("skipped", "failed", "failed, which did not fail the gate: " + outcome.reason,
                     failure_text(answer, outcome));
    case Status::Unknown:
      return element("skipped", "unknown", outcome.reason, details_text(outcome));
    case Status::Skipped:
      return element("skipped", "skipped", "the check is not for this answer", {});
    case Status::Passed:
      return outcome.look ? system_out(fmt::format("a person should look: {}\n{}", outcome.reason,
                                                   details_text(outcome)))
                          : std::string();
  }
  return {};
}

std::string check_suite(const Report& report, size_t check, Counts& all) {
  Counts counts;
  std::string cases;
  for (const AnswerResult& answer : report.answers) {
    const Status status = answer.outcomes.at(check).status;
    const bool fails =
        status == Status::Failed && part_in_gate(report, answer, check) == Part::FailsGate;
    ++counts.tests;
    if (fails) ++counts.failures;
    if (!fails && status != Status::Passed) ++counts.skipped;
    cases += test_case(answer.id, report.checks[check], outcome_elements(report, answer, check));
  }
  all.tests += counts.tests;
  all.failures += counts.failures;
  return suite(report.checks[check], report.descriptions.at(check), counts, cases);
}

std::string gate_suite(const Report& report, Counts& all) {
  Counts counts;
  std::string cases;
  for (const RateLine* line : all_lines(report)) {
    if (!decides(*line)) continue;
    ++counts.tests;
    if (line->failure) ++counts.failures;
    const std::string figures =
        fmt::format("passed: {}\nrequired: {}", rate_text(*line), requirement_text(*line));
    cases += test_case(line->name, "gate",
                       line->failure ? element("failure", "failed", *line->failure, figures)
                                     : system_out(figures));
  }
  all.tests += counts.tests;
  all.failures += counts.failures;
  return suite("gate", report.passed ? "the gate passed" : "the gate failed", counts, cases);
}

}  // namespace

std::string junit(const Report& report) {
  Counts all;
  std::string suites = gate_suite(report, all);
  for (size_t check = 0; check < report.checks.size(); ++check) {
    suites += check_suite(report, check, all);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"selene check\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n{}"
      "</testsuites>\n",
      all.tests, all.failures, suites);
}

}  // namespace selene::check
