// Programs that are run and waited for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace selene {

struct Finished {
  int exit_code = 0;   // 128 where a signal ended it.
  std::string output;  // Standard output and error together.
};

// Runs a program found on PATH, without input. Ctrl-C ends it. Throws Error: it is not installed
// (with `remedy`), interrupted.
Finished run_program(const std::vector<std::string>& arguments, const std::string& remedy);

// The last lines, on which programs say what went wrong: 2,000 bytes at most, printable.
std::string last_lines(std::string_view output);

}  // namespace selene
