// What Hugging Face's transformers says of a model: golden/*_logits.json, made beforehand by
// golden/make_golden.py.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "train/model.h"
#include "train/packing.h"

namespace selene::testing {

inline std::string golden_path(const std::string& name) {
  return SELENE_SOURCE_DIR "/tests/train/golden/" + name;
}

inline nlohmann::json golden(const std::string& name) {
  std::ifstream file(golden_path(name));
  return nlohmann::json::parse(file);
}

struct GoldenPosition {
  std::int64_t position = 0;                           // Index of a token of the prompt.
  std::vector<std::pair<std::int64_t, float>> logits;  // Token and logit.
};

struct GoldenPrompt {
  std::vector<train::Token> tokens;
  std::vector<GoldenPosition> positions;
};

inline std::vector<GoldenPrompt> golden_prompts(const std::string& name) {
  std::vector<GoldenPrompt> prompts;
  for (const nlohmann::json& row : golden(name)) {
    GoldenPrompt prompt{row.at("tokens"), {}};
    for (const nlohmann::json& place : row.at("positions"))
      prompt.positions.push_back({place.at("position"), place.at("logits")});
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

// One text that nothing follows.
inline train::Row row_of(const std::vector<train::Token>& tokens) {
  train::Row row;
  row.tokens = tokens;
  row.segments.push_back({0, static_cast<std::int32_t>(tokens.size()), -1, 0});
  return row;
}

// The largest difference from the golden logits; not a number where there are none.
inline double worst_difference(train::Model& model, const std::vector<GoldenPrompt>& prompts) {
  double worst = std::nan("");
  for (const GoldenPrompt& prompt : prompts) {
    const at::Tensor logits = model.logits(row_of(prompt.tokens));
    for (const GoldenPosition& place : prompt.positions) {
      const at::Tensor at_place = logits[place.position];
      for (const auto& [token, expected] : place.logits)
        worst = std::fmax(worst, std::abs(at_place[token].item<double>() - expected));
    }
  }
  return worst;
}

}  // namespace selene::testing
