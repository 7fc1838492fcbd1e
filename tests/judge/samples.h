// Samples for tests, from JSON as a user writes it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/jsonl.h"
#include "data/sample.h"

namespace selene::testing {

inline data::Sample sample_of(const std::string& json) {
  return data::sample_from_json(data::parse_object(json), 1);
}

// A JSON string, quoted.
inline std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// All rows of a file of samples; `line` counts from 1.
inline std::vector<data::Sample> samples_of(const std::filesystem::path& path) {
  data::JsonlReader reader(path);
  std::vector<data::Sample> samples;
  for (data::Row row; reader.next(row);)
    samples.push_back(data::sample_from_json(row.value, row.line));
  return samples;
}

}  // namespace selene::testing
