// Values out of yaml-cpp's nodes, with errors that name file, line and key.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::data {

template <typename Value>
inline constexpr std::string_view kYamlType = "a text";
template <>
inline constexpr std::string_view kYamlType<double> = "a number";
template <>
inline constexpr std::string_view kYamlType<int> = "a whole number";
template <>
inline constexpr std::string_view kYamlType<std::uint64_t> = "a whole number of at least 0";
template <>
inline constexpr std::string_view kYamlType<bool> = "true or false";
template <>
inline constexpr std::string_view kYamlType<std::vector<std::string>> = "a list of texts";

// Throws Error when the node has no value or none of this type.
template <typename Value>
Value yaml_value(const YAML::Node& node, std::string_view key, std::string_view place) {
  if (node.IsNull()) throw Error(fmt::format("the key '{}' has no value", key), place);
  try {
    return node.as<Value>();
  } catch (const YAML::Exception&) {
    throw Error(fmt::format("the key '{}' must be {}", key, kYamlType<Value>), place);
  }
}

// The file and the line of a node.
inline std::string yaml_place(const YAML::Node& node, std::string_view file) {
  return fmt::format("{}:{}", file, node.Mark().line + 1);
}

inline std::string yaml_key(const YAML::Node& key) {
  return key.IsScalar() ? key.Scalar() : std::string("(not a text)");
}

// For a key that is not among `known`, a range of names.
template <typename Names>
Error unknown_yaml_key(std::string_view name, const Names& known, std::string_view place) {
  return Error(
      fmt::format("unknown key '{}'; known: {}", cut_to_columns(name, 60), fmt::join(known, ", ")),
      place);
}

}  // namespace selene::data
