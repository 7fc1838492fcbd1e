#include "data/yaml.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::data {
namespace {

// yaml-cpp keeps both of two equal keys and finds the first. `seen` has the positions of the nodes
// looked at, so that an alias costs nothing.
void check_keys(const YAML::Node& node, std::string_view place, std::set<int>& seen) {
  if (!(node.IsMap() || node.IsSequence()) || !seen.insert(node.Mark().pos).second) return;
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) check_keys(item, place, seen);
    return;
  }
  std::set<std::string> keys;
  for (const auto& entry : node) {
    if (entry.first.IsScalar() && !keys.insert(entry.first.Scalar()).second) {
      throw Error(
          fmt::format("the key '{}' stands twice", cut_to_columns(entry.first.Scalar(), 60)),
          fmt::format("{}:{}", place, entry.first.Mark().line + 1), "keep one of the two");
    }
    check_keys(entry.second, place, seen);
  }
}

// Documents that hold something. By their lines, since YAML::LoadAll() does not end on ",".
size_t count_documents(std::string_view text) {
  size_t documents = 0;
  bool has_content = false;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const bool is_marker =
        (line.starts_with("---") || line.starts_with("...")) &&
        (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
    if (is_marker) {
      documents += has_content ? 1 : 0;
      has_content = false;
      line.remove_prefix(3);
    }
    const std::string_view content = trim(line);
    if (!content.empty() && content.front() != '#') has_content = true;
  }
  return documents + (has_content ? 1 : 0);
}

}  // namespace

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
    if (const size_t documents = count_documents(text); documents > 1)
      throw Error(fmt::format("{} YAML documents in one file", documents), place,
                  "keep one: the others would not be read");
    YAML::Node root = YAML::Load(std::string(text));
    std::set<int> seen;
    check_keys(root, place, seen);
    return root;
  } catch (const YAML::Exception& failure) {
    throw Error(fmt::format("not YAML: {}", cut_to_columns(failure.what(), 200)), place);
  }
}

}  // namespace selene::data
