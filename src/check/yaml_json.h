// YAML values as JSON.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace YAML {
class Node;
}

namespace selene::check {

// By the core schema of YAML 1.2: unquoted null, booleans and numbers are those.
// Throws Error with file and line for what is nested too deep, or too large with its aliases
// written out.
nlohmann::ordered_json yaml_to_json(const YAML::Node& node, std::string_view file);

}  // namespace selene::check
