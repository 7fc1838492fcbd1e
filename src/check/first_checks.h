// A first checks file from what stands in the answers' columns.
#pragma once

#include <string>

#include "check/answers.h"

namespace selene::check {

// YAML with comments, which parse_checks() takes and which fits `answers`. `map`: what the user
// said of the columns; the rest is guessed from their names. Throws Error when no column looks like
// the response (names the columns).
std::string first_checks(const Answers& answers, const ColumnMap& map);

}  // namespace selene::check
