#include "data/sample_row.h"

#include "data/judgment.h"

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

void add(Json& row, const char* name, const std::optional<std::string>& text) {
  if (text) row[name] = *text;
}

// The responses of a sample or an example.
template <typename Row>
void add_responses(Json& json, Task task, const Row& row) {
  if (task == Task::Pairwise) {
    json["response_a"] = row.response_a;
    json["response_b"] = row.response_b;
  } else {
    json["response"] = row.response;
  }
}

Json to_json(const Example& example, Task task) {
  Json json = {{"input", example.input}};
  add(json, "context", example.context);
  add_responses(json, task, example);
  add(json, "reference", example.reference);
  if (!example.critique.empty()) json["critique"] = example.critique;
  json["label"] = example.label;
  return json;
}

}  // namespace

Json to_json(const Sample& sample) {
  Json row = Json::object();
  row["id"] = id_to_json(sample.id, sample.id_is_integer);
  row["task"] = task_name(sample.task);
  row["input"] = sample.input;
  add(row, "context", sample.context);
  add_responses(row, sample.task, sample);
  add(row, "reference", sample.reference);
  add(row, "criteria", sample.criteria);
  if (!sample.rubric.empty()) {
    row["rubric"] = Json::object();
    for (const auto& [label, description] : sample.rubric) row["rubric"][label] = description;
  }
  if (sample.labels != default_labels(sample.task)) row["labels"] = sample.labels;
  if (!sample.examples.empty()) {
    row["examples"] = Json::array();
    for (const Example& example : sample.examples)
      row["examples"].push_back(to_json(example, sample.task));
  }
  add(row, "label", sample.label);
  add(row, "group", sample.group);
  row.update(sample.extra);
  return row;
}

}  // namespace selene::data
