#include "cli/help.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "core/text.h"

namespace selene::cli {
namespace {

constexpr size_t kColumns = 110;
constexpr size_t kLeastColumns = 40;

// Line breaks in place of spaces, so that no line has more than `columns` characters where words
// allow.
std::string wrapped(std::string_view text, size_t columns) {
  std::istringstream words{std::string(text)};
  std::string lines;
  size_t used = 0;
  for (std::string word; words >> word;) {
    if (used > 0 && used + 1 + word.size() > columns) {
      lines += '\n';
      used = 0;
    } else if (used > 0) {
      lines += ' ';
      ++used;
    }
    lines += word;
    used += word.size();
  }
  return lines;
}

// CLI11 calls a choice "TEXT:{a,b}", a range "INT:INT in [0 - 9]", a file "TEXT:FILE".
std::string value_hint(const std::string& type) {
  const size_t begin = type.find('{');
  const size_t end = type.rfind('}');
  if (begin != std::string::npos && end > begin) {
    std::string choices = type.substr(begin + 1, end - begin - 1);
    std::replace(choices.begin(), choices.end(), ',', '|');
    return choices;
  }
  if (type.ends_with(":FILE")) return "FILE";
  return type.starts_with("INT") || type.starts_with("UINT") || type.starts_with("FLOAT") ? "N"
                                                                                          : "TEXT";
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
    text.replace(at, from.size(), to);
}

// The commands that were typed: the program, "judge".
std::vector<const CLI::App*> typed_commands(const CLI::App& app) {
  std::vector<const CLI::App*> typed{&app};
  while (!typed.back()->get_subcommands().empty())
    typed.push_back(typed.back()->get_subcommands().front());
  return typed;
}

// "selene judge" when that is the command that was typed.
std::string typed_command(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : typed_commands(app)) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, " "));
}

std::string known_commands(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands({})) names.push_back(one->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

// What is said of words that no flag and no command took: "b.jsonl" or "--colour".
std::string not_taken(const CLI::App& command, const std::string& words) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) names.push_back(option->get_name());
  }
  if (names.empty() || words.starts_with("-")) return "not known here: " + words;
  return fmt::format("only one {} is taken; not known here: {}", fmt::join(names, " and one "),
                     words);
}

// CLI11's words where they are clear, ours where they are not.
std::string what_is_wrong(const CLI::App& app, const CLI::Error& failure) {
  if (std::string unknown = unknown_command(app); !unknown.empty()) return unknown;
  std::string text = failure.what();
  constexpr std::string_view kTwice = ": At Most 1 required but received ";
  if (const size_t at = text.find(kTwice); at != std::string::npos)
    return text.substr(0, at) + " is given more than once";
  constexpr std::string_view kMissing = ": 1 required ";
  if (const size_t at = text.find(kMissing); at != std::string::npos)
    return text.substr(0, at) + " needs a value";
  if (text.starts_with("The following argument"))
    return not_taken(*typed_commands(app).back(), text.substr(text.find(": ") + 2));
  if (text == "A subcommand is required")
    return "a command is needed: " + known_commands(*typed_commands(app).back());
  return text;
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
  replace_all(text, "\n\n\n", "\n\n");
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || option->get_type_name().empty()) return "";
  return " " + value_hint(option->get_type_name());
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  if (!option->get_default_str().empty()) text += fmt::format(" [{}]", option->get_default_str());
  return wrapped(text, std::max(kLeastColumns, kColumns - column_width_));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  std::ostringstream line;
  CLI::detail::format_help(line, command->get_name(),
                           wrapped(command->get_description(), kColumns - column_width_),
                           column_width_);
  return line.str();
}

std::string unknown_command(const CLI::App& app) {
  const CLI::App& last = *typed_commands(app).back();
  if (last.get_subcommands({}).empty()) return "";
  for (const std::string& word : last.remaining()) {
    if (word.starts_with("-")) continue;
    return fmt::format("unknown command '{}'; known: {}", cut_to_columns(word, 60),
                       known_commands(last));
  }
  return "";
}

std::string usage_message(const CLI::App& app, const CLI::Error& failure) {
  return fmt::format("error: {}; see {} --help\n", what_is_wrong(app, failure), typed_command(app));
}

}  // namespace selene::cli
