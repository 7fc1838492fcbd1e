// What `selene` and `selene-train` have in common: the command line, and the one place that turns
// an Error into a message and an exit code.
#pragma once

#include <functional>
#include <span>
#include <string>

#include <CLI/App.hpp>

namespace selene::cli {

using AddCommand = void (*)(CLI::App& app, int& exit_code);

struct Program {
  std::string description;
  std::function<std::string()> version;  // The text of --version.
  std::span<const AddCommand> commands;  // In the order of the help text.
  std::string examples;
};

// main() of a program named `selene`. Returns its exit code.
int run_program(const Program& program, int argc, char** argv);

// Of the program's own start: standard streams that are closed, waiting threads, the locale,
// Ctrl-C.
void start_program(char** argv);

}  // namespace selene::cli
