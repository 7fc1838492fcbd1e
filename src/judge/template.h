// Prompt templates: how a sample becomes a prompt and how the verdict is marked. One YAML file
// each.
//
// Two kinds, told apart by their keys (docs/formats.md, "Template"):
// - ours: name, task, labels?, label_words?, mark, answer_start?, criteria?, description?, turns?,
// user_template. Its text knows {fence}, the labels and the rubric as lists, and {?field}…{/field},
// which stays only when the sample has the field.
// - foreign: user_template alone, as atla-ai/selene-mini publishes them. Task and reference are
// inferred from the
//   placeholders, the mark is "**Result:**", and the text is rendered byte for byte.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/sample.h"

namespace selene::judge {

// A message before the prompt, rendered as it is.
struct Turn {
  std::string role;  // system, user, assistant
  std::string text;
};

struct Template {
  std::string name;
  std::string description;
  bool foreign = false;
  std::vector<data::Task> tasks;
  std::vector<std::string> labels;  // Empty: any set of labels.
  // What stands for each of `labels` in the prompt and after the mark; empty: they themselves.
  std::vector<std::string> label_words;
  bool needs_reference = false;
  std::string mark;
  std::string answer_start;  // The critique begins with this, e.g. "**Reasoning:**". May be empty.
  std::string
      criteria;  // Used when the sample has none. May be empty: then a sample must have one.
  std::vector<Turn> turns;
  std::string user_template;
  std::string fence;   // Of a foreign template: its own run of backticks; empty when it has none.
  std::string digest;  // SHA-256 of the YAML file.
};

// Parses and checks a template file's text. `name` is used where the file has none; `place` is what
// errors call it. Throws Error: not YAML, an unknown key, an unknown placeholder, a missing
// user_template, an unclosed {?field}, a response of its task that it does not show.
Template parse_template(std::string_view yaml, std::string_view name, std::string_view place);
Template load_template(const std::filesystem::path& path);

// The program's own, in the order of their names.
const std::vector<Template>& builtin_templates();
// Rewordings of the built-in pairwise one that keep its meaning (templates/formats/): named by
// --template, never picked for a sample.
const std::vector<Template>& format_templates();

// A sample's prompt text: of the last message. Throws Error that names the placeholder and the
// field that has no value.
std::string render(const Template& form, const data::Sample& sample);
// The template's turns, and render() as the user's.
std::vector<Turn> render_turns(const Template& form, const data::Sample& sample);

// What stands for each of the sample's labels after the mark, in their order.
std::vector<std::string> words_of(const Template& form, const std::vector<std::string>& labels);

// A known example as the turn that asked for it.
data::Sample example_as_sample(const data::Sample& sample, const data::Example& example);

// What of the sample's own data could be taken for the template's: `fence_in_data`, `mark_in_data`;
// and what the template leaves out: `reference_unused`.
std::vector<std::string> data_flags(const Template& form, const data::Sample& sample);

// The templates that a run may use; each sample takes the one that fits it.
class TemplateSet {
 public:
  // `spec`: empty (the built-in ones), a built-in name, a YAML file, or a folder of YAML files.
  // Throws Error naming the built-in ones.
  static TemplateSet open(std::string_view spec);

  // The one for the sample's task and labels: with a reference if the sample has one and such a
  // template is there, else without. Throws Error that says what was wanted and what there is.
  const Template& pick(const data::Sample& sample) const;
  std::span<const Template> all() const { return templates_; }

 private:
  std::vector<Template> templates_;
  std::string spec_;
};

}  // namespace selene::judge
