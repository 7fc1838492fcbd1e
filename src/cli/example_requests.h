// Work to try a judge on: a file of samples, or the examples that the program carries.
#pragma once

#include <string>
#include <vector>

#include "data/input_rows.h"
#include "engine/engine.h"

namespace selene::cli {

// The program's own examples when `path` is empty; checked. Throws Error as InputRows does.
data::InputRows open_samples(const std::string& path);

// The first `rows` samples, each twice: critique and verdict alone; a pair in both orders.
std::vector<engine::Request> make_requests(const data::InputRows& input, size_t rows,
                                           int max_tokens);

}  // namespace selene::cli
