// The prompt that a benchmark's own harness has for Selene, as a template: taken out of the Python
// file that holds it.
#pragma once

#include <string>
#include <string_view>

namespace selene::judge {

// The text that a Python module assigns to `name` between """ and """, once and at the start of a
// line. Throws Error without a place: there is none or several, it does not end, it has a
// backslash, whose meaning is Python's.
std::string python_text(std::string_view source, std::string_view name);

// A foreign template's YAML (template.h) with this text as it is, made for str.format(). Throws
// Error without a place where no template says the same: a doubled brace, an unknown placeholder.
std::string foreign_template(std::string_view text);

}  // namespace selene::judge
