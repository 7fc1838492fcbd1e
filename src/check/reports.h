// The reports of a gate for other programs and for people. Everything in them that came from an
// answer or a judge is text, whatever it holds.
#pragma once

#include <string>

#include "check/result.h"

namespace selene::check {

// JUnit XML as CI systems read it (the Jenkins xunit schema junit-10.xsd): a test suite a check, a
// test case an answer; one suite "gate" with a case a decision (each line that has a threshold).
// Failures are what failed the gate; what failed without that is skipped, with a message.
// Characters that XML 1.0 does not allow become U+FFFD.
std::string junit(const Report& report);

// For a comment on a pull request, at most about 60 KB (GitHub's limit is 65,536 characters): the
// decision, the table of rates, why it failed, the first failures, what changed, what to look at.
std::string markdown(const Report& report);

// GitHub Actions workflow commands, a line each, file=…,line=…,title=…::… : an ::error a failed
// decision, then one an outcome that failed the gate, then a ::warning an outcome that a passed
// decision counts (at most 50 of both, then a line says how many more); those that decide nothing
// are counted in a ::notice.
std::string github_annotations(const Report& report);

// One offline HTML page: the decision, the rates, every answer with its outcomes, critiques and
// distributions; to filter, search, and see what changed since the baseline.
std::string html_page(const Report& report);

}  // namespace selene::check
