// The words of the command line, made ready for CLI11.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace selene::cli {

// In CLI11's order, the last first. It would take any word for a flag's value and none for an empty
// one: a value that begins with "--" without an equals sign before it is a UsageError, and
// `--flag=` is an empty value.
std::vector<std::string> words_for_cli11(const CLI::App& app, int argc, char** argv);

// Refuses an empty value, which is most often a variable that is not set.
CLI::Validator not_empty();

// CLI::Range of numbers lets NaN pass.
CLI::Validator number_from(double least, double most);

}  // namespace selene::cli
