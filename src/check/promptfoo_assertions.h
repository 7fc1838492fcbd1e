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

#include "check/promptfoo_text.h"

namespace selene::check {

// One test, its lists of values expanded.
struct PromptfooTest {
  size_t number = 0;                          // From 1; the answers' field `test`.
  nlohmann::ordered_json vars;                // With their templates filled in.
  std::map<std::string, std::string> fields;  // Of the answers, by variable.
};

class PromptfooChecks {
 public:
  struct Kind;

  // `file`: the configuration's name. `all_tests`: how many there are.
  PromptfooChecks(std::string file, size_t all_tests, NotCarried& dropped)
      : file_(std::move(file)), all_tests_(all_tests), dropped_(dropped) {}

  // Adds what an assertion becomes for these tests. What does not carry over is named. Throws Error
  // with file and line: no assertion, no type, an unknown type.
  void add(const YAML::Node& assertion, std::span<const PromptfooTest* const> tests);

  // The entries of the list `checks`, as YAML.
  const std::string& yaml() const { return yaml_; }
  size_t count() const { return names_.size(); }

 private:
  struct Common;
  struct Group;
  std::vector<Group> groups_of(const Kind& kind, const YAML::Node& assertion,
                               std::span<const PromptfooTest* const> tests);
  void add_group(const Group& group, const YAML::Node& assertion, const Common& common);
  void drop(const YAML::Node& node, std::string_view what) { dropped_.add(node, what); }
  void drop_for(const YAML::Node& assertion, const std::vector<size_t>& tests,
                std::string_view why);
  Common read_common(const YAML::Node& assertion, const std::string& type);
  std::string distinct(const std::string& name);
  std::string tests_text(const std::vector<size_t>& tests) const;

  std::string file_;
  size_t all_tests_;
  std::string yaml_;
  std::set<std::string> names_;
  NotCarried& dropped_;
};

}  // namespace selene::check
