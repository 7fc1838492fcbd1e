// Words and figures as all reports write them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "check/result.h"

namespace selene::check {

// The overall line, then one a check.
std::vector<const RateLine*> all_lines(const Report& report);
// Whether a line can fail the gate.
bool decides(const RateLine& line);

// What an outcome that did not pass has to do with the decision: it is among what made the gate
// fail; a line counts it and did not fail; no line that decides counts it.
enum class Part { FailsGate, Counts, None };
Part part_in_gate(const Report& report, const AnswerResult& answer, size_t check);

// 71.4%; one digit after the point.
std::string percent(double share);
// As a person wrote it: 90%, 97.5%, 99.95%.
std::string threshold(double share);
// "71.4% (10 of 14; 95% interval 45.4% to 88.3%)", or "no answer counts".
std::string rate_text(const RateLine& line);
// "at least 90%; lower end at least 80%; at most 3 points below the baseline"; empty where nothing
// is required.
std::string requirement_text(const RateLine& line);
// "better", "worse" or "cannot tell".
std::string_view change_word(const stats::Estimate& change);
// The digits after the point that show on which side of 0 the interval lies, `least` at least, when
// its ends are written `scale` times as large.
int change_digits(const stats::Estimate& change, int least, double scale);
// "-5.0 points (-12.0 to +2.0): cannot tell".
std::string change_text(const stats::Estimate& change);
// "A 0.912, B 0.088".
std::string distribution_text(const data::Distribution& probabilities);

// What a person should know of an outcome beyond its reason, a line each: label, people's label,
// distribution, flags, critique. Empty where there is none.
std::string details_text(const Outcome& outcome);

// Valid UTF-8 of at most about `bytes` bytes; a cut text ends with "… (N more bytes)".
std::string cut_to_bytes(std::string_view text, size_t bytes);

// How an outcome's status differs from the baseline's.
enum class Turn { NowFailing, NowPassing, Other };
Turn turn(const Report& report, const Change& change);

}  // namespace selene::check
