// Maps of YAML read by a table of keys: what each key does with its value. An unknown key is an
// error that names the known ones.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/yaml_values.h"

namespace selene::data {

// One key of a map, where it stands, and its value.
struct Entry {
  std::string key;
  YAML::Node value;
  std::string file;
  std::string place;  // "file:line"

  template <typename Value>
  Value as() const {
    return yaml_value<Value>(value, key, place);
  }
  std::string text() const { return as<std::string>(); }
};

// Throws Error where the node, called `what`, is no map.
inline std::vector<Entry> entries_of(const YAML::Node& node, std::string_view what,
                                     const std::string& file) {
  if (!node.IsMap()) throw Error(fmt::format("{} must be a map", what), yaml_place(node, file));
  std::vector<Entry> entries;
  for (const auto& entry : node)
    entries.push_back({yaml_key(entry.first), entry.second, file, yaml_place(entry.first, file)});
  return entries;
}

// One key of `Read`'s map and what to do with its value.
template <typename Read>
struct Key {
  std::string_view name;
  void (*read)(Read& read, const Entry& entry);
};

template <typename Read, size_t kCount>
void read_keys(Read& read, const std::vector<Entry>& entries, const Key<Read> (&keys)[kCount]) {
  for (const Entry& entry : entries) {
    const auto found = std::find_if(std::begin(keys), std::end(keys),
                                    [&](const auto& key) { return key.name == entry.key; });
    if (found == std::end(keys)) {
      std::vector<std::string_view> names;
      for (const auto& key : keys) names.push_back(key.name);
      throw unknown_yaml_key(entry.key, names, entry.place);
    }
    found->read(read, entry);
  }
}

// The value of `names` that the entry names.
template <typename Value>
Value choice(const Entry& entry, std::initializer_list<std::pair<std::string_view, Value>> names) {
  const std::string text = entry.text();
  std::vector<std::string_view> known;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    known.push_back(name);
  }
  throw Error(fmt::format("'{}' must be one of {}, not '{}'", entry.key, fmt::join(known, ", "),
                          cut_to_columns(text, 60)),
              entry.place);
}

}  // namespace selene::data
