// The texts of a promptfoo configuration: templates of plain variables, and lists in one text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace YAML {
class Node;
}

namespace selene::check {

// A Nunjucks template of nothing but text and {{ variables }}.
class PlainTemplate {
 public:
  // None where the text uses more: a filter, a property, a tag, a comment.
  static std::optional<PlainTemplate> parse(std::string_view text);

  bool has_variables() const;
  // The variable, where the whole text is one; else empty.
  std::string only_variable() const;
  // The first variable that `vars` has no value for; else empty.
  std::string missing_in(const nlohmann::ordered_json& vars) const;
  // A variable without a value is an empty text, as in Nunjucks. Throws Error (without a place)
  // when the text would be longer than 1 MB.
  std::string render(const nlohmann::ordered_json& vars) const;

 private:
  struct Piece {
    std::string text;
    bool is_variable = false;
  };
  std::vector<Piece> pieces_;
};

// The fields of a list that is written as one text: "a, b", with quotes around a field that holds a
// comma. None where a quote is never closed.
std::optional<std::vector<std::string>> split_list(std::string_view text);

// JSON in one line, which is YAML too.
std::string yaml_flow(const nlohmann::ordered_json& value);

// What does not carry over.
class NotCarried {
 public:
  explicit NotCarried(std::string file) : file_(std::move(file)) {}

  void add(const YAML::Node& node, std::string_view what);
  // "promptfooconfig.yaml:12: javascript: …", a line each.
  std::vector<std::string> by_line() const;

 private:
  struct Part {
    int line = 0;
    std::string text;
  };
  std::string file_;
  std::vector<Part> parts_;
};

}  // namespace selene::check
