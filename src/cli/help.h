// What the program says of its own command line: help texts and the message for wrong usage.
#pragma once

#include <string>

#include <CLI/App.hpp>
#include <CLI/Formatter.hpp>

namespace selene::cli {

// CLI11's layout with readable value hints: `--mode critique|verdict`, the default in brackets
// after the description.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

// What is wrong with a word in a command's place, also where --help was asked for; else "".
std::string unknown_command(const CLI::App& app);

// "error: …; see selene judge --help" for what the user typed. `app` is the program's.
std::string usage_message(const CLI::App& app, const CLI::Error& failure);

}  // namespace selene::cli
