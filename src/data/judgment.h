// Judgment: critique + verdict + what produced it. The row format is docs/formats.md, "Judgment".
//
// It holds no times and no machine facts, so that the same work gives the same bytes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/sample.h"

namespace selene::data {

// label → probability, in the order of the sample's labels; sums to 1. Empty where an engine gives
// none.
using Distribution = std::vector<std::pair<std::string, double>>;

// What produced a judgment.
struct JudgeId {
  std::string name;     // As the user said it: a model's name or its file name.
  std::string model;    // SHA-256 of the weights.
  std::string adapter;  // SHA-256 of the LoRA adapter; empty when there is none.
  std::string template_name;
  std::string mode;  // critique, verdict
};

// One request's share of a judgment: one order of a pair, one sample of several, one member of a
// jury.
struct Part {
  std::string judge;
  std::string order;  // "ab" or "ba"; empty where the task has no order.
  int sample = 0;
  std::optional<std::string> label;  // Mapped back to A and B as stored.
  std::string unreadable;            // The reason, when there is no label.
  Distribution probabilities;        // Mapped back.
  std::string critique;              // As written: it may speak of A and B as shown.
  std::vector<std::string> flags;
  std::string key;
  double weight = 1;  // Of its member in a jury; not written.
};

struct Judgment {
  std::string id;
  bool id_is_integer = false;
  Task task = Task::Absolute;
  std::optional<std::string> label;
  std::string unreadable;
  bool skipped = false;  // Not judged; `unreadable` says why.
  Distribution probabilities;
  std::optional<double> score;    // Expected value, when every label is a number.
  std::optional<double> margin;   // Largest probability minus the second.
  std::optional<double> entropy;  // Of the distribution, in bits.
  std::string critique;
  std::vector<std::string> flags;  // Sorted, distinct.
  JudgeId judge;
  std::string key;
  std::vector<Part> parts;  // Only with several orders, samples or members.
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();
};

nlohmann::ordered_json to_json(const Judgment& judgment);
// label → probability; null for an empty one.
nlohmann::ordered_json to_json(const Distribution& probabilities);
// A sample's id as it came.
nlohmann::ordered_json id_to_json(const std::string& id, bool is_integer);

// A value as a label: "4" and "0.5" are numbers, "Yes" is not.
std::optional<double> label_number(std::string_view label);

// The statistics of a distribution; nothing for an empty one.
std::optional<double> expected_score(const Distribution& probabilities);
std::optional<double> margin(const Distribution& probabilities);
std::optional<double> entropy_bits(const Distribution& probabilities);
// The label of the largest probability, the first of equals.
std::optional<std::string> most_probable(const Distribution& probabilities);

}  // namespace selene::data
