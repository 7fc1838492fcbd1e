// promptfoo's assertions as checks of a checks file. What each becomes is the table of
// docs/from-promptfoo.md.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace YAML {
class Node;
}

namespace selene::check {

// One test, its lists of values expanded.
struct PromptfooTest {
  size_t number = 0;                          // From 1; the answers' field `test`.
  nlohmann::ordered_json vars;                // With their templates filled in.
  std::map<std::string, std::string> fields;  // Of the answers, by variable.
};

class PromptfooChecks {
 public:
  // `file`: the configuration's name. `all_tests`: how many there are.
  PromptfooChecks(std::string file, size_t all_tests)
      : file_(std::move(file)), all_tests_(all_tests) {}

  // Adds what an assertion becomes for these tests. What does not carry over is named. Throws Error
  // with file and line: no assertion, no type, an unknown type.
  void add(const YAML::Node& assertion, std::span<const PromptfooTest* const> tests);
  // Names something that does not carry over.
  void drop(const YAML::Node& node, std::string_view what);

  // The entries of the list `checks`, as YAML.
  const std::string& yaml() const { return yaml_; }
  size_t count() const { return names_.size(); }
  // "promptfooconfig.yaml:12: javascript: …", a line each.
  const std::vector<std::string>& dropped() const { return dropped_; }

 private:
  struct Common;
  Common read_common(const YAML::Node& assertion, const std::string& type);
  std::string distinct(const std::string& name);
  std::string tests_text(const std::vector<size_t>& tests) const;

  std::string file_;
  size_t all_tests_;
  std::string yaml_;
  std::set<std::string> names_;
  std::vector<std::string> dropped_;
};

}  // namespace selene::check
