// What makes one offline HTML page of a template with holes: data as JSON in a script element, and
// the digests by which its Content-Security-Policy knows the page's own scripts and style.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace selene::report {

// JSON that no HTML parser takes for an end of its element, and that is JavaScript too. Invalid
// UTF-8 is replaced.
std::string script_json(const nlohmann::ordered_json& json);

// The SHA-256 of `text` in base64, as a Content-Security-Policy has it.
std::string policy_digest(std::string_view text);

// What stands between the first `start` and the `end` after it; both have to be there.
std::string_view between(std::string_view text, std::string_view start, std::string_view end);

struct Hole {
  std::string_view name;  // As it stands in the page: "@DATA@".
  std::string text;
};

// Fills the holes, given in the order of the page; each has to be there. A text that names a hole
// fills none.
std::string fill_holes(std::string_view page, std::span<const Hole> holes);

}  // namespace selene::report
