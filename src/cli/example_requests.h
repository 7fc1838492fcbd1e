// Work to try a judge on: a file of samples, or the examples that the program carries.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "data/input_rows.h"
#include "engine/engine.h"

namespace selene::cli {

struct ExampleFlags {
  std::string samples;  // A file; empty: the program's own examples.
  size_t rows = 16;
  int max_tokens = 24;
  int threads = 0;
  bool json = false;
};

// All but the file, which is a positional of one command and a flag of another.
void add_example_flags(CLI::App& command, ExampleFlags& flags);

// The program's own examples when `path` is empty; checked. Throws Error as InputRows does.
data::InputRows open_samples(const std::string& path);

// The first `rows` samples, each twice: critique and verdict alone; a pair in both orders.
std::vector<engine::Request> make_requests(const data::InputRows& input, size_t rows,
                                           int max_tokens);

}  // namespace selene::cli
