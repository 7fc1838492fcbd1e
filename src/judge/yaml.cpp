#include "judge/yaml.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::judge {

YAML::Node parse_yaml(std::string_view text, std::string_view place) {
  if (!is_valid_utf8(text)) throw Error("invalid UTF-8", place, "save the file as UTF-8");
  // YAML 1.2, section 5.1. yaml-cpp takes a NUL for an escape and makes invalid UTF-8 of what
  // follows it.
  const auto forbidden = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
           c == 0x7F;
  });
  if (forbidden != text.end()) {
    throw Error(
        fmt::format("not YAML: a control character at byte {}", forbidden - text.begin() + 1),
        place);
  }
  try {
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& failure) {
    throw Error(fmt::format("not YAML: {}", cut_to_columns(failure.what(), 200)), place);
  }
}

}  // namespace selene::judge
