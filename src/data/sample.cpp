#include "data/sample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

struct TaskRow {
  std::string_view name;
  Task task;
};
constexpr std::array<TaskRow, 3> kTasks{{{"absolute", Task::Absolute},
                                         {"classification", Task::Classification},
                                         {"pairwise", Task::Pairwise}}};

constexpr size_t kMaxLabels = 256;
constexpr size_t kMaxLabelBytes = 256;

// An object's fields by name, remembering which were read, so that the rest can travel through.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  // Null and absent are the same: not given.
  const Json* find(const char* name) {
    read_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::optional<std::string> text(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) throw wrong_type(name, "a string", *value);
    return value->get<std::string>();
  }

  std::string required_text(const char* name) {
    std::optional<std::string> value = text(name);
    if (!value) throw missing(name);
    return *std::move(value);
  }

  Error missing(const char* name) const {
    return Error(fmt::format("the field '{}{}' is missing", prefix_, name), "",
                 "add it (docs/formats.md, Sample)");
  }

  // A label or an id: a string, or a number read as its shortest decimal.
  std::string token(std::string_view name, const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_float()) return fmt::format("{}", value.get<double>());  // 4.0 is "4".
    if (value.is_number()) return value.dump();
    throw wrong_type(name, "a string or a number", value);
  }

  Error wrong_type(std::string_view name, std::string_view wanted, const Json& value) const {
    return Error(fmt::format("the field '{}{}' must be {}, this is {}: {}", prefix_, name, wanted,
                             value.type_name(), cut_to_columns(value.dump(), 60)));
  }

  Json rest() const {
    Json others = Json::object();
    for (const auto& [key, value] : object_.items()) {
      if (!read_.contains(key)) others[key] = value;
    }
    return others;
  }

  std::vector<std::string> unread() const {
    std::vector<std::string> names;
    for (const auto& [key, value] : object_.items()) {
      if (!read_.contains(key)) names.push_back(key);
    }
    return names;
  }

 private:
  const Json& object_;
  std::string prefix_;
  std::set<std::string, std::less<>> read_;
};

void check_label(std::string_view label) {
  if (trim(label).empty()) throw Error("a label is empty");
  if (trim(label).size() != label.size() || label.find_first_of("\r\n") != std::string_view::npos) {
    // As JSON, whose quotes and escapes show the white space.
    throw Error(fmt::format("the label {} has white space at an end or a line break",
                            cut_to_columns(Json(label).dump(), 60)));
  }
  if (label.size() > kMaxLabelBytes) {
    throw Error(fmt::format("a label is longer than {} bytes: {}", kMaxLabelBytes,
                            cut_to_columns(label, 60)));
  }
}

bool holds(const std::vector<std::string>& labels, std::string_view label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

std::vector<std::string> read_labels(Fields& fields, Task task) {
  const Json* value = fields.find("labels");
  if (value == nullptr) return default_labels(task);
  if (!value->is_array()) throw fields.wrong_type("labels", "a list", *value);
  std::vector<std::string> labels;
  for (const Json& item : *value)
    labels.push_back(fields.token(fmt::format("labels[{}]", labels.size()), item));
  check_labels(labels, task);
  return labels;
}

void read_rubric(Fields& fields, Sample& sample) {
  const Json* value = fields.find("rubric");
  if (value == nullptr) return;
  if (!value->is_object())
    throw fields.wrong_type("rubric", "an object of label and description", *value);
  for (const auto& [label, description] : value->items()) {
    if (!description.is_string()) throw fields.wrong_type("rubric", "an object of strings", *value);
    if (!holds(sample.labels, label)) {
      throw Error(fmt::format("the rubric describes '{}', which is not one of the labels {}",
                              cut_to_columns(label, 60), fmt::join(sample.labels, ", ")));
    }
    sample.rubric.emplace_back(label, description.get<std::string>());
  }
}

// Only one of the two shapes fits a task; a field of the other shape is a mistake, not extra data.
template <typename Judged>
void read_responses(Fields& fields, Task task, Judged& judged) {
  if (task == Task::Pairwise) {
    if (fields.find("response") != nullptr) {
      throw Error("a pairwise row has 'response_a' and 'response_b', this one has 'response'");
    }
    judged.response_a = fields.required_text("response_a");
    judged.response_b = fields.required_text("response_b");
    return;
  }
  for (const char* other : {"response_a", "response_b"}) {
    if (fields.find(other) != nullptr) {
      throw Error(
          fmt::format("only a pairwise row has '{}', this task is {}", other, task_name(task)));
    }
  }
  judged.response = fields.required_text("response");
}

std::vector<Example> read_examples(Fields& fields, const Sample& sample) {
  const Json* list = fields.find("examples");
  if (list == nullptr) return {};
  if (!list->is_array()) throw fields.wrong_type("examples", "a list of objects", *list);
  std::vector<Example> examples;
  for (const Json& item : *list) {
    if (!item.is_object()) throw fields.wrong_type("examples", "a list of objects", item);
    Fields inner(item, fmt::format("examples[{}].", examples.size()));
    Example example;
    example.input = inner.required_text("input");
    example.context = inner.text("context");
    read_responses(inner, sample.task, example);
    example.reference = inner.text("reference");
    example.critique = inner.text("critique").value_or("");
    const Json* label = inner.find("label");
    if (label == nullptr) throw inner.missing("label");
    example.label = inner.token("label", *label);
    if (!holds(sample.labels, example.label)) {
      throw Error(fmt::format("examples[{}].label is '{}', not one of the labels {}",
                              examples.size(), cut_to_columns(example.label, 60),
                              fmt::join(sample.labels, ", ")));
    }
    if (const auto unread = inner.unread(); !unread.empty()) {
      throw Error(fmt::format("unknown field 'examples[{}].{}'", examples.size(),
                              cut_to_columns(unread.front(), 60)));
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

void read_known_label(Fields& fields, Sample& sample) {
  const Json* value = fields.find("label");
  if (value == nullptr) return;
  sample.label = fields.token("label", *value);
  if (holds(sample.labels, *sample.label)) return;
  throw Error(fmt::format("the field 'label' is '{}', not one of the labels {}",
                          cut_to_columns(*sample.label, 60), fmt::join(sample.labels, ", ")));
}

void read_id(Fields& fields, size_t line, Sample& sample) {
  const Json* id = fields.find("id");
  if (id == nullptr) {
    sample.id = std::to_string(line);
    sample.id_is_integer = true;
  } else if (id->is_number_integer()) {
    sample.id = id->dump();
    sample.id_is_integer = true;
  } else if (id->is_string()) {
    sample.id = id->get<std::string>();
    if (sample.id.empty()) throw Error("the field 'id' is empty");
  } else {
    throw fields.wrong_type("id", "a string or an integer", *id);
  }
}

}  // namespace

std::string_view task_name(Task task) {
  for (const TaskRow& row : kTasks) {
    if (row.task == task) return row.name;
  }
  throw std::logic_error("a task without a name");
}

Task task_from_name(std::string_view name) {
  for (const TaskRow& row : kTasks) {
    if (row.name == name) return row.task;
  }
  throw Error(fmt::format("unknown task '{}'; known: absolute, classification, pairwise",
                          cut_to_columns(name, 60)));
}

std::vector<std::string> default_labels(Task task) {
  switch (task) {
    case Task::Absolute:
      return {"1", "2", "3", "4", "5"};
    case Task::Classification:
      return {"Yes", "No"};
    case Task::Pairwise:
      return {"A", "B"};
  }
  throw std::logic_error("a task without labels");
}

void check_labels(const std::vector<std::string>& labels, Task task) {
  if (labels.size() < 2) {
    throw Error(fmt::format("'labels' has {} label{}, a verdict needs at least two", labels.size(),
                            labels.size() == 1 ? "" : "s"));
  }
  if (labels.size() > kMaxLabels) {
    throw Error(
        fmt::format("'labels' has {} labels, at most {} can be scored", labels.size(), kMaxLabels));
  }
  std::set<std::string_view> distinct;
  for (const std::string& label : labels) {
    check_label(label);
    if (!distinct.insert(label).second)
      throw Error(fmt::format("the label '{}' stands twice in 'labels'", label));
  }
  if (task == Task::Pairwise && (!distinct.contains("A") || !distinct.contains("B"))) {
    throw Error(fmt::format("the labels of the task pairwise must hold A and B, these are {}",
                            fmt::join(labels, ", ")));
  }
}

Sample sample_from_json(const Json& row, size_t line) {
  Fields fields(row, "");
  Sample sample;
  read_id(fields, line, sample);
  sample.task = task_from_name(fields.required_text("task"));
  sample.input = fields.required_text("input");
  sample.context = fields.text("context");
  read_responses(fields, sample.task, sample);
  sample.reference = fields.text("reference");
  sample.criteria = fields.text("criteria");
  sample.labels = read_labels(fields, sample.task);
  read_rubric(fields, sample);
  sample.examples = read_examples(fields, sample);
  read_known_label(fields, sample);
  sample.group = fields.text("group");
  sample.extra = fields.rest();
  return sample;
}

std::string swapped_label(std::string_view label) {
  if (label == "A") return "B";
  if (label == "B") return "A";
  return std::string(label);
}

Sample swapped(const Sample& sample) {
  ensure(sample.task == Task::Pairwise, "only a pairwise sample can be swapped");
  Sample other = sample;
  std::swap(other.response_a, other.response_b);
  for (Example& example : other.examples) {
    std::swap(example.response_a, example.response_b);
    example.label = swapped_label(example.label);
  }
  for (auto& [label, description] : other.rubric) label = swapped_label(label);
  if (other.label) other.label = swapped_label(*other.label);
  return other;
}

}  // namespace selene::data
