// Heuristics for texts that are no prose (quality.cpp says whose).
#pragma once

#include <string>
#include <string_view>

namespace selene::curate {

// What is wrong with the text; empty: nothing, or it is too short to tell.
std::string quality_problem(std::string_view text);

}  // namespace selene::curate
