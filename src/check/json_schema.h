// JSON Schema (draft 7), read by valijson.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "check/plain_check.h"

namespace selene::check {

class JsonSchema {
 public:
  // A schema written in YAML, or the name of a JSON file in the folder of the checks file. Throws
  // Error for what is no schema.
  static JsonSchema read(const YAML::Node& node, const YamlPlace& at);

  // The title or the file, else "a schema".
  const std::string& name() const { return name_; }
  // The first thing that is wrong with `value`, and where; empty when nothing is.
  std::string what_is_wrong(const nlohmann::json& value) const;

 private:
  struct Parsed;
  std::string name_;
  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace selene::check
