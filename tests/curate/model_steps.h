// Steps that run a model, on scripted judges, and rows for them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "curate/steps.h"
#include "data/yaml.h"
#include "data/yaml_map.h"
#include "judge/samples.h"
#include "judge/scripted_judge.h"

namespace selene::testing {

using Json = nlohmann::ordered_json;

inline data::Entry step_options(const std::string& name, const std::string& yaml) {
  return {name, data::parse_yaml(yaml, "recipe.yaml"), "recipe.yaml", "recipe.yaml:1"};
}

// Judges by the value that a recipe names them with.
struct ScriptedJudges {
  std::map<std::string, engine::Script> scripts{};
  std::int64_t context_limit = 0;
  std::map<std::string, ScriptedJudge::Requests> asked{};
  std::vector<std::string> opened{};

  curate::Resources resources() {
    curate::Resources resources;
    resources.open_judge = [this](const std::string& name) {
      opened.push_back(name);
      ScriptedJudge one(scripts.at(name), {judge::Policy{}}, "", {}, context_limit);
      asked[name] = one.asked;
      return std::move(one.judge);
    };
    return resources;
  }
};

// The step as a recipe with the seed 1 makes it.
inline curate::StepPointer made_step(const std::string& name, const std::string& yaml) {
  for (const curate::StepKind& kind : curate::step_kinds()) {
    if (kind.name == name) return kind.make(step_options(name, yaml), 1);
  }
  throw Error("no step of this name", name);
}

inline curate::StepPointer begun_step(const std::string& name, const std::string& yaml,
                                      ScriptedJudges& judges) {
  curate::StepPointer made = made_step(name, yaml);
  curate::Resources resources = judges.resources();
  made->begin(resources);
  return made;
}

// What its maker says of wrong options; empty: they are right.
inline std::string options_error(const std::string& name, const std::string& yaml) {
  try {
    made_step(name, yaml);
  } catch (const Error& failure) {
    return failure.what();
  }
  return "";
}

inline curate::Row row_of(const std::string& id, const std::string& sample_json) {
  curate::Row row;
  row.id = id;
  row.source = id.substr(0, id.find('/'));
  row.sample = sample_of(sample_json);
  return row;
}

inline curate::Row rated_row(const std::string& id, const std::string& label = "4") {
  return row_of(id, R"({"task": "absolute", "input": "Name a prime.", "response": "It is 7.",
                        "label": )" +
                        quoted(label) + "}");
}

inline curate::Row pair_row(const std::string& id, const std::string& label = "A") {
  return row_of(id, R"({"task": "pairwise", "input": "Name a prime.", "response_a": "Seven",
                        "response_b": "Eight", "label": )" +
                        quoted(label) + "}");
}

// What the teacher is asked to argue for.
inline std::string argued_word(const engine::Request& request) {
  const std::string& text = request.messages.back().content;
  const std::string before = "the verdict is settled: ";
  const size_t at = text.find(before) + before.size();
  return text.substr(at, text.find_first_of(".(", at) - at);
}

inline bool is_argument(const engine::Request& request) {
  return request.messages.back().content.find("the verdict is settled") != std::string::npos;
}

}  // namespace selene::testing
