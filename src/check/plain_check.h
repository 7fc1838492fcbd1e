// Checks that need no model. Each is a row of the table kPlainChecks: its key in a checks file and
// the function that makes it.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace YAML {
class Node;
}

namespace selene::check {

struct PlainVerdict {
  bool passed = false;
  std::string reason;  // Why, in one sentence.
};

class PlainCheck {
 public:
  virtual ~PlainCheck() = default;
  // Such as "contains 'refund'".
  virtual std::string description() const = 0;
  // The fields of the answer that it reads beside the one that it checks.
  virtual std::vector<std::string> fields() const { return {}; }
  // `text` is what is checked, `fields` the whole answer. Throws Error (without a place) when a
  // field that it compares with is absent. Safe to call from several threads at once.
  virtual PlainVerdict evaluate(std::string_view text,
                                const nlohmann::ordered_json& fields) const = 0;
};

// Where a check's value stands, for errors and for the files that it names.
struct YamlPlace {
  std::string place;           // "checks.yaml:12"
  std::string_view key;        // "contains"
  std::filesystem::path file;  // The checks file.
  bool ignore_case = false;    // The check's `ignore_case`.
};

struct PlainKind {
  std::string_view key;
  std::string_view help;
  std::unique_ptr<PlainCheck> (*make)(const YAML::Node& value, const YamlPlace& place);
};

std::span<const PlainKind> plain_kinds();

}  // namespace selene::check
