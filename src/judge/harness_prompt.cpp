#include "judge/harness_prompt.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "judge/template.h"

namespace selene::judge {

std::string python_text(std::string_view source, std::string_view name) {
  constexpr std::string_view kQuotes = "\"\"\"";
  const std::string begin = fmt::format("\n{} = {}", name, kQuotes);
  const std::string whole = fmt::format("\n{}", source);
  const size_t at = whole.find(begin);
  if (at == std::string::npos || whole.find(begin, at + 1) != std::string::npos)
    throw Error(fmt::format("'{}' is not assigned one text in the Python file", name));
  const size_t start = at + begin.size();
  const size_t end = whole.find(kQuotes, start);
  if (end == std::string::npos) throw Error(fmt::format("the text of '{}' does not end", name));
  std::string text = whole.substr(start, end - start);
  if (text.find('\\') != std::string::npos)
    throw Error(fmt::format("the text of '{}' has a backslash, which is not read", name));
  return text;
}

std::string foreign_template(std::string_view text) {
  if (text.find("{{") != std::string_view::npos || text.find("}}") != std::string_view::npos)
    throw Error("a prompt with a doubled brace has no template");
  std::string yaml = "user_template: |-\n";
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    yaml += line.empty() ? "\n" : fmt::format("  {}\n", line);
    begin = end + 1;
  }
  if (parse_template(yaml, "", "").user_template != text)
    throw Error("a prompt with white space at an end has no template");
  return yaml;
}

}  // namespace selene::judge
