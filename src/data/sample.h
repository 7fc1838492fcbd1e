// Sample: what is judged. The row format is docs/formats.md, "Sample".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::data {

enum class Task { Absolute, Classification, Pairwise };

std::string_view task_name(Task task);
// Throws Error naming the known tasks.
Task task_from_name(std::string_view name);
// Throws Error where these cannot be the labels of the task: fewer than two, more than 256, one
// that is empty or longer than 256 bytes, has white space at an end or a line break, or stands
// twice; of pairwise, without A and B.
void check_labels(const std::vector<std::string>& labels, Task task);
// 1..5, Yes/No, A/B.
std::vector<std::string> default_labels(Task task);

// A judged case shown to the judge before the sample (few-shot), rendered as an earlier turn.
struct Example {
  std::string input;
  std::optional<std::string> context;
  std::string response;    // absolute, classification
  std::string response_a;  // pairwise
  std::string response_b;
  std::optional<std::string> reference;
  std::string critique;  // May be empty: the turn then holds the verdict alone.
  std::string label;
};

struct Sample {
  std::string id;
  bool id_is_integer = false;  // Written back as it came.
  Task task = Task::Absolute;
  std::string input;
  std::optional<std::string> context;
  std::string response;    // absolute, classification
  std::string response_a;  // pairwise
  std::string response_b;
  std::optional<std::string> reference;
  std::optional<std::string> criteria;
  std::vector<std::pair<std::string, std::string>>
      rubric;                       // label → description, as written; a subset of `labels`.
  std::vector<std::string> labels;  // At least two, distinct, never empty.
  std::vector<Example> examples;
  std::optional<std::string> label;  // The known truth.
  std::optional<std::string> group;
  nlohmann::ordered_json extra = nlohmann::ordered_json::object();  // Every other field, untouched.
};

// Reads and checks one row. `line` becomes the id when the row has none. Throws Error (without a
// place) that names the field, what it holds and what it may hold.
Sample sample_from_json(const nlohmann::ordered_json& row, size_t line);

// The pairwise sample with A and B changed places in responses, examples, rubric and known label.
Sample swapped(const Sample& sample);

// "A" for "B" and "B" for "A"; every other label is its own mirror.
std::string swapped_label(std::string_view label);

}  // namespace selene::data
