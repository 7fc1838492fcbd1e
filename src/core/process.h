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

// Threads that wait for one another, as those of llama.cpp do several hundred times a pass, spin
// for milliseconds by default, and on a machine with other work, or where two libraries have
// threads of their own, each wait then costs a time slice (measured: 10 times as slow and more).
// OpenMP and OpenBLAS read their settings when a program is loaded, so they are set and the program
// is loaded again, once; where that is not possible it goes on as it is. First thing in main().
void limit_spinning(char** argv);

// The last lines, on which programs say what went wrong: 2,000 bytes at most, printable.
std::string last_lines(std::string_view output);

}  // namespace selene
