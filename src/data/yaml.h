// YAML text into yaml-cpp's nodes, for templates and judge files.
#pragma once

#include <string_view>

namespace YAML {
class Node;
}

namespace selene::data {

// Throws Error with `place`: invalid UTF-8, a control character that YAML does not allow, not YAML,
// a key twice in one map (with its line), a second document.
YAML::Node parse_yaml(std::string_view text, std::string_view place);

}  // namespace selene::data
