// A template file as anyone may write it, rendered on fixed samples; and the same bytes as the data
// of a sample, rendered with the program's own templates: they stay between fences that they cannot
// close.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "data/sample.h"
#include "judge/template.h"

namespace {

using namespace selene;

std::vector<data::Sample> samples() {
  std::vector<data::Sample> all;
  for (
      const char* row :
      {R"({"task": "absolute", "input": "I", "response": "R"})",
       R"({"task": "absolute", "input": "I", "response": "R", "context": "C", "reference": "F", "criteria": "Q",
            "rubric": {"1": "a", "2": "b", "3": "c", "4": "d", "5": "e"}})",
       R"({"task": "classification", "input": "{input}", "response": "```", "criteria": "Q", "reference": "{?context}",
            "rubric": {"Yes": "y", "No": "n"}, "examples": [{"input": "E", "response": "", "label": "No"}]})",
       R"({"task": "pairwise", "input": "I", "response_a": "", "response_b": "B", "labels": ["A", "B", "Tie"]})"}) {
    all.push_back(data::sample_from_json(data::parse_object(row), 1));
  }
  return all;
}

void as_template(std::string_view yaml) {
  static const std::vector<data::Sample> all = samples();
  const judge::Template form = judge::parse_template(yaml, "fuzz", "fuzz.yaml");
  ensure(!form.mark.empty() && !form.tasks.empty(), "a template without a mark or a task");
  ensure(form.labels.empty() || form.labels.size() >= 2, "a template with one label");
  for (const data::Sample& sample : all) {
    judge::data_flags(form, sample);
    try {
      const std::string prompt = judge::render(form, sample);
      ensure(is_valid_utf8(prompt), "a prompt is invalid UTF-8");
      ensure(prompt == judge::render(form, sample), "a prompt differs the second time");
    } catch (const Error& failure) {
      ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
    }
  }
}

void as_data(const std::string& text) {
  const judge::TemplateSet set = judge::TemplateSet::open("");
  for (data::Sample sample : samples()) {
    (sample.task == data::Task::Pairwise ? sample.response_b : sample.response) = text;
    const judge::Template& form = set.pick(sample);
    const std::string prompt = judge::render(form, sample);
    const std::string fence(longest_run(prompt, '`'), '`');
    ensure(fence.size() > longest_run(text, '`'), "data holds the fence");
    ensure(prompt.find("\n" + fence + "\n" + text + "\n" + fence + "\n") != std::string::npos,
           "data is not whole between two fences");
    const auto flags = judge::data_flags(form, sample);
    ensure((text.find(form.mark) == std::string::npos) == flags.empty(),
           "a mark in data is not said");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  as_data(replace_invalid_utf8(text));
  try {
    as_template(text);
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
