// The fixtures that make_chat_ids.py makes: conversations and their token ids, by Hugging Face's
// transformers.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/chat_template.h"
#include "engine/tokens.h"

namespace selene::testing {

// The rows of a JSONL file, one object a line.
inline std::vector<nlohmann::json> json_rows(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

inline std::vector<nlohmann::json> fixture_rows(const std::string& name) {
  return json_rows(std::filesystem::path(SELENE_SOURCE_DIR) / "tests/engine" / name);
}

inline std::vector<engine::Message> messages_of(const nlohmann::json& row) {
  std::vector<engine::Message> messages;
  for (const auto& message : row.at("messages"))
    messages.push_back({message.at("role"), message.at("content")});
  return messages;
}

inline std::string joined(const std::vector<engine::TextPart>& parts) {
  std::string text;
  for (const engine::TextPart& part : parts) text += part.text;
  return text;
}

}  // namespace selene::testing
