#include "cli/arguments.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::cli {
namespace {

bool takes_a_value(const CLI::Option* option) {
  return option != nullptr && option->get_items_expected_min() > 0;
}

}  // namespace

std::vector<std::string> words_for_cli11(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> words;
  const CLI::App* command = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (name.starts_with("--") && takes_a_value(command->get_option_no_throw(name))) {
      if (equals == std::string::npos && i + 1 < argc) {
        const std::string value = argv[++i];
        if (value.starts_with("--")) {
          throw UsageError(fmt::format("{} needs a value", name), "",
                           fmt::format("if {0} is the value, write {1}={0}", value, name));
        }
        words.insert(words.end(), {name, value});
        continue;
      }
      if (equals + 1 == word.size()) {
        words.insert(words.end(), {name, ""});
        continue;
      }
    }
    for (const CLI::App* next : command->get_subcommands({})) {
      if (next->check_name(word)) command = next;
    }
    words.push_back(word);
  }
  std::reverse(words.begin(), words.end());
  return words;
}

CLI::Validator not_empty() {
  const auto check = [](const std::string& value) {
    return value.empty() ? std::string("the value is empty; leave the flag out, or give one") : "";
  };
  return CLI::Validator(check, "");
}

CLI::Validator number_from(double least, double most) {
  const auto is_number = [](const std::string& value) {
    return std::isnan(std::strtod(value.c_str(), nullptr)) ? value + " is not a number"
                                                           : std::string();
  };
  return CLI::Validator(is_number, "") & CLI::Range(least, most);
}

}  // namespace selene::cli
