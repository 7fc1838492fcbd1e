#include "judge/template.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "core/digest.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/yaml.h"

namespace selene::judge {
namespace {

using data::Sample;
using data::Task;
using Value = std::optional<std::string>;

constexpr std::string_view kForeignMark = "**Result:**";
constexpr size_t kMaxTemplateBytes = 1 << 20;

Value described(const Sample& sample, std::string_view label) {
  for (const auto& [name, description] : sample.rubric) {
    if (name == label) return description;
  }
  return std::nullopt;
}

// "1, 2, 3, 4 or 5"
std::string label_list(const std::vector<std::string>& labels) {
  std::string text = labels.front();
  for (size_t i = 1; i < labels.size(); ++i)
    text += (i + 1 == labels.size() ? " or " : ", ") + labels[i];
  return text;
}

std::string rubric_lines(const Template& form, const Sample& sample) {
  const std::vector<std::string> words = words_of(form, sample.labels);
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!text.empty()) text += '\n';
    text += words[i];
    if (const Value description = described(sample, sample.labels[i])) text += ": " + *description;
  }
  return text;
}

// Everything in a prompt that is data and not the template's own words.
std::vector<std::string_view> data_texts(const Sample& sample) {
  std::vector<std::string_view> texts{sample.input, sample.response, sample.response_a,
                                      sample.response_b};
  for (const Value* value : {&sample.context, &sample.reference, &sample.criteria}) {
    if (*value) texts.push_back(**value);
  }
  for (const auto& [label, description] : sample.rubric) texts.push_back(description);
  return texts;
}

// The same with the examples, which are turns of their own.
std::vector<std::string_view> all_data_texts(const Sample& sample) {
  std::vector<std::string_view> texts = data_texts(sample);
  for (const data::Example& example : sample.examples) {
    texts.insert(texts.end(), {example.input, example.response, example.response_a,
                               example.response_b, example.critique});
    for (const Value* value : {&example.context, &example.reference}) {
      if (*value) texts.push_back(**value);
    }
  }
  return texts;
}

// Longer than any run of backticks in the data, so that no data can close it.
std::string fence_for(const Sample& sample) {
  size_t longest = 2;
  for (std::string_view text : data_texts(sample))
    longest = std::max(longest, longest_run(text, '`'));
  return std::string(longest + 1, '`');
}

bool mentions(const Template& form, std::string_view name);

std::string input_text(const Template& form, const Sample& sample) {
  // A context that the template has no place for goes before the input.
  const bool placed = mentions(form, "context");
  return sample.context && !placed ? *sample.context + "\n\n" + sample.input : sample.input;
}

enum class Kind { Both, Ours, Foreign };

struct Placeholder {
  std::string_view name;
  Kind kind;
  std::string_view field;  // What a sample lacks when there is no value.
  Value (*value)(const Template&, const Sample&);
};

template <auto Member>
Value member(const Template&, const Sample& sample) {
  return sample.*Member;
}

Value criteria_text(const Template& form, const Sample& sample) {
  if (sample.criteria) return sample.criteria;
  return form.criteria.empty() ? std::nullopt : Value(form.criteria);
}

template <char Label>
Value score_description(const Template&, const Sample& sample) {
  return described(sample, std::string_view(&"0123456789"[Label - '0'], 1));
}

Value yes_description(const Template&, const Sample& sample) { return described(sample, "Yes"); }
Value no_description(const Template&, const Sample& sample) { return described(sample, "No"); }
Value input_value(const Template& form, const Sample& sample) { return input_text(form, sample); }
Value rubric_value(const Template& form, const Sample& sample) {
  return rubric_lines(form, sample);
}
Value labels_value(const Template& form, const Sample& sample) {
  return label_list(words_of(form, sample.labels));
}
Value fence_value(const Template&, const Sample& sample) { return fence_for(sample); }

constexpr Placeholder kPlaceholders[] = {
    {"input", Kind::Ours, "input", input_value},
    {"context", Kind::Both, "context", member<&Sample::context>},
    {"response", Kind::Ours, "response", member<&Sample::response>},
    {"response_a", Kind::Ours, "response_a", member<&Sample::response_a>},
    {"response_b", Kind::Ours, "response_b", member<&Sample::response_b>},
    {"reference", Kind::Ours, "reference", member<&Sample::reference>},
    {"criteria", Kind::Ours, "criteria", criteria_text},
    {"rubric", Kind::Ours, "rubric", rubric_value},
    {"labels", Kind::Ours, "labels", labels_value},
    {"fence", Kind::Ours, "fence", fence_value},
    {"user_input", Kind::Foreign, "input", input_value},
    {"assistant_response", Kind::Foreign, "response", member<&Sample::response>},
    {"assistant_response_a", Kind::Foreign, "response_a", member<&Sample::response_a>},
    {"assistant_response_b", Kind::Foreign, "response_b", member<&Sample::response_b>},
    {"reference_response", Kind::Foreign, "reference", member<&Sample::reference>},
    {"rubric_objective", Kind::Foreign, "criteria", criteria_text},
    {"rubric_yes_description", Kind::Foreign, "rubric.Yes", yes_description},
    {"rubric_no_description", Kind::Foreign, "rubric.No", no_description},
    {"rubric_score_1_description", Kind::Foreign, "rubric.1", score_description<'1'>},
    {"rubric_score_2_description", Kind::Foreign, "rubric.2", score_description<'2'>},
    {"rubric_score_3_description", Kind::Foreign, "rubric.3", score_description<'3'>},
    {"rubric_score_4_description", Kind::Foreign, "rubric.4", score_description<'4'>},
    {"rubric_score_5_description", Kind::Foreign, "rubric.5", score_description<'5'>},
};

const Placeholder* find_placeholder(std::string_view name, bool foreign) {
  for (const Placeholder& placeholder : kPlaceholders) {
    const bool here =
        placeholder.kind == Kind::Both || (placeholder.kind == Kind::Foreign) == foreign;
    if (here && placeholder.name == name) return &placeholder;
  }
  return nullptr;
}

// A template's text as pieces: words, {name}, {?name}, {/name}. A brace that opens none of these is
// a word.
struct Piece {
  enum class Type { Words, Field, Begin, End } type = Type::Words;
  std::string_view text;  // The words, or the name.
};

bool is_name(std::string_view text) {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::vector<Piece> split(std::string_view text, bool foreign) {
  std::vector<Piece> pieces;
  size_t words = 0;
  for (size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const size_t close = text.find('}', at);
    if (close == std::string_view::npos) break;
    std::string_view name = text.substr(at + 1, close - at - 1);
    Piece::Type type = Piece::Type::Field;
    if (!foreign && name.starts_with('?')) type = Piece::Type::Begin;
    if (!foreign && name.starts_with('/')) type = Piece::Type::End;
    if (type != Piece::Type::Field) name.remove_prefix(1);
    if (!is_name(name)) continue;
    if (at > words) pieces.push_back({Piece::Type::Words, text.substr(words, at - words)});
    pieces.push_back({type, name});
    words = close + 1;
    at = close;
  }
  if (words < text.size()) pieces.push_back({Piece::Type::Words, text.substr(words)});
  return pieces;
}

// The texts of all messages, in their order.
std::vector<std::string_view> texts_of(const Template& form) {
  std::vector<std::string_view> texts;
  for (const Turn& turn : form.turns) texts.push_back(turn.text);
  texts.push_back(form.user_template);
  return texts;
}

bool mentions(const Template& form, std::string_view name) {
  for (const std::string_view text : texts_of(form)) {
    for (const Piece& piece : split(text, form.foreign)) {
      if (piece.type == Piece::Type::Field && piece.text == name) return true;
    }
  }
  return false;
}

// Unknown names, and {?field} blocks that do not close or lie in one another.
void check_placeholders(std::string_view text, bool foreign, std::string_view place) {
  std::string_view open;
  for (const Piece& piece : split(text, foreign)) {
    if (piece.type == Piece::Type::Words) continue;
    if (find_placeholder(piece.text, foreign) == nullptr) {
      std::vector<std::string_view> known;
      for (const Placeholder& placeholder : kPlaceholders) {
        if (find_placeholder(placeholder.name, foreign) != nullptr)
          known.push_back(placeholder.name);
      }
      throw Error(fmt::format("unknown placeholder '{{{}}}'; known: {}", piece.text,
                              fmt::join(known, ", ")),
                  place);
    }
    if (piece.type == Piece::Type::Begin) {
      if (!open.empty())
        throw Error(fmt::format("'{{?{}}}' opens inside '{{?{}}}'", piece.text, open), place);
      open = piece.text;
    } else if (piece.type == Piece::Type::End) {
      if (open != piece.text)
        throw Error(fmt::format("'{{/{}}}' closes nothing", piece.text), place);
      open = {};
    }
  }
  if (!open.empty()) throw Error(fmt::format("'{{?{0}}}' has no '{{/{0}}}'", open), place);
}

// A template that leaves out what is judged would give a verdict on nothing.
void check_responses(const Template& form, std::string_view place) {
  for (const Task task : form.tasks) {
    const bool pair = task == Task::Pairwise;
    for (const char* field :
         pair ? std::vector{"response_a", "response_b"} : std::vector{"response"}) {
      const std::string name = (form.foreign ? "assistant_" : "") + std::string(field);
      if (mentions(form, name)) continue;
      throw Error(fmt::format("the placeholder '{{{}}}' is missing", name), place,
                  fmt::format("a prompt for the task {} must show it", data::task_name(task)));
    }
  }
}

std::string scalar(const YAML::Node& node, std::string_view key, std::string_view place) {
  if (!node.IsScalar()) throw Error(fmt::format("'{}' must be a text", key), place);
  return node.Scalar();
}

std::vector<std::string> scalars(const YAML::Node& node, std::string_view key,
                                 std::string_view place) {
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence())
    throw Error(fmt::format("'{}' must be a text or a list of texts", key), place);
  std::vector<std::string> values;
  for (const YAML::Node& item : node) values.push_back(scalar(item, key, place));
  return values;
}

void infer_foreign(Template& form, std::string_view place) {
  form.mark = kForeignMark;
  form.fence = std::string(longest_run(form.user_template, '`'), '`');
  if (form.fence.size() < 3) form.fence.clear();
  form.needs_reference = mentions(form, "reference_response");
  if (mentions(form, "assistant_response_a") && mentions(form, "assistant_response_b")) {
    form.tasks = {Task::Pairwise};
    form.labels = data::default_labels(Task::Pairwise);
  } else if (mentions(form, "rubric_yes_description")) {
    form.tasks = {Task::Classification};
    form.labels = data::default_labels(Task::Classification);
  } else if (mentions(form, "rubric_score_1_description")) {
    form.tasks = {Task::Absolute};
    form.labels = data::default_labels(Task::Absolute);
  } else {
    throw Error("the task cannot be inferred from the placeholders", place,
                "give the keys name, task and mark (see docs/formats.md)");
  }
}

// An Error of `action` happened at `place`.
template <typename Action>
void at_place(std::string_view place, Action&& action) {
  try {
    action();
  } catch (const Error& failure) {
    throw failure.at(place);
  }
}

// A list in the order of `labels`, or a map of label and word.
void read_label_words(Template& form, const YAML::Node& node, std::string_view place) {
  if (!node.IsMap() || form.labels.empty() || node.size() != form.labels.size()) {
    throw Error("'label_words' must be a map with a word for each of 'labels'", place);
  }
  for (const std::string& label : form.labels) {
    if (!node[label])
      throw Error(fmt::format("'label_words' has no word for the label '{}'", label), place);
    form.label_words.push_back(scalar(node[label], "label_words", place));
  }
  // Any task but pairwise, which asks for A and B.
  at_place(place, [&] { data::check_labels(form.label_words, Task::Classification); });
}

void read_turns(Template& form, const YAML::Node& node, std::string_view place) {
  if (!node.IsSequence()) throw Error("'turns' must be a list of {role, text}", place);
  for (const YAML::Node& turn : node) {
    if (!turn.IsMap() || turn.size() != 2 || !turn["role"] || !turn["text"])
      throw Error("an entry of 'turns' has the keys 'role' and 'text'", place);
    form.turns.push_back(
        {scalar(turn["role"], "role", place), scalar(turn["text"], "text", place)});
    const std::string& role = form.turns.back().role;
    if (role != "system" && role != "user" && role != "assistant")
      throw Error(fmt::format("the role '{}' is none of system, user and assistant",
                              cut_to_columns(role, 60)),
                  place);
    if (role == "system" && form.turns.size() > 1)
      throw Error("the system's turn must be the first", place);
    check_placeholders(form.turns.back().text, /*foreign=*/false, place);
  }
}

void read_own(Template& form, const YAML::Node& root, std::string_view place) {
  const auto text = [&](const char* key) {
    return root[key] ? scalar(root[key], key, place) : std::string();
  };
  if (root["name"]) form.name = text("name");
  form.description = text("description");
  form.mark = text("mark");
  form.answer_start = text("answer_start");
  form.criteria = text("criteria");
  if (form.mark.empty())
    throw Error("the key 'mark' is missing: the text that the label follows", place);
  if (trim(form.mark) != form.mark || trim(form.answer_start) != form.answer_start) {
    throw Error("'mark' and 'answer_start' must not begin or end with white space", place);
  }
  if (!root["task"])
    throw Error("the key 'task' is missing: absolute, classification or pairwise", place);
  for (const std::string& task : scalars(root["task"], "task", place)) {
    at_place(place, [&] { form.tasks.push_back(data::task_from_name(task)); });
  }
  if (root["labels"]) {
    form.labels = scalars(root["labels"], "labels", place);
    at_place(place, [&] {
      for (const Task task : form.tasks) data::check_labels(form.labels, task);
    });
  }
  if (root["label_words"]) read_label_words(form, root["label_words"], place);
  for (const std::string_view words : texts_of(form)) {
    std::string_view inside;
    for (const Piece& piece : split(words, /*foreign=*/false)) {
      if (piece.type == Piece::Type::Begin) inside = piece.text;
      if (piece.type == Piece::Type::End) inside = {};
      if (piece.type == Piece::Type::Field && piece.text == "reference" && inside != "reference") {
        form.needs_reference = true;
      }
    }
  }
}

bool fits(const Template& form, const Sample& sample) {
  return std::find(form.tasks.begin(), form.tasks.end(), sample.task) != form.tasks.end() &&
         (form.labels.empty() || std::is_permutation(form.labels.begin(), form.labels.end(),
                                                     sample.labels.begin(), sample.labels.end()));
}

bool uses_reference(const Template& form) {
  return mentions(form, form.foreign ? "reference_response" : "reference");
}

// Whether a sample may fit both and nothing decides between them (TemplateSet::pick).
bool are_rivals(const Template& one, const Template& other) {
  const bool share_a_task = std::any_of(one.tasks.begin(), one.tasks.end(), [&](const Task task) {
    return std::find(other.tasks.begin(), other.tasks.end(), task) != other.tasks.end();
  });
  return share_a_task && one.needs_reference == other.needs_reference &&
         uses_reference(one) == uses_reference(other) &&
         std::is_permutation(one.labels.begin(), one.labels.end(), other.labels.begin(),
                             other.labels.end());
}

// The templates of a folder's YAML files, none of which stands in another's way.
std::vector<Template> load_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml") files.push_back(entry.path());
  }
  if (files.empty()) throw Error("no *.yaml in the folder", folder.string());
  std::sort(files.begin(), files.end());
  std::vector<Template> templates;
  for (const std::filesystem::path& file : files) {
    templates.push_back(load_template(file));
    const Template& form = templates.back();
    for (size_t i = 0; i + 1 < templates.size(); ++i) {
      const bool same_name = templates[i].name == form.name;
      if (!same_name && !are_rivals(templates[i], form)) continue;
      throw Error(
          fmt::format("{} and {} {}", files[i].filename().string(), file.filename().string(),
                      same_name ? fmt::format("have the same name, '{}'", form.name)
                                : "are for the same samples (task, labels, reference)"),
          folder.string(), "keep one of them there, or name a file instead of the folder");
    }
  }
  return templates;
}

// The templates right in a folder of the embedded files, in the order of their names.
std::vector<Template> embedded_templates(const std::filesystem::path& folder) {
  std::vector<Template> found;
  for (const EmbeddedFile& file : embedded_files()) {
    const std::filesystem::path path(file.name);
    if (path.parent_path() != folder || path.extension() != ".yaml") continue;
    found.push_back(parse_template(file.text, path.stem().string(), file.name));
  }
  std::sort(found.begin(), found.end(),
            [](const Template& a, const Template& b) { return a.name < b.name; });
  return found;
}

std::string render_text(const Template& form, std::string_view words, const Sample& sample) {
  std::string text;
  bool left_out = false;
  for (const Piece& piece : split(words, form.foreign)) {
    if (piece.type == Piece::Type::Words) {
      if (!left_out) text += piece.text;
      continue;
    }
    if (piece.type == Piece::Type::End) {
      left_out = false;
      continue;
    }
    const Placeholder& placeholder = *find_placeholder(piece.text, form.foreign);
    const Value value = left_out ? std::nullopt : placeholder.value(form, sample);
    if (piece.type == Piece::Type::Begin) {
      left_out = !value.has_value();
    } else if (!left_out) {
      if (!value) {
        throw Error(
            fmt::format("the template '{}' has the placeholder '{{{}}}' and the sample no '{}'",
                        form.name, piece.text, placeholder.field));
      }
      text += *value;
    }
  }
  return text;
}

}  // namespace

Template parse_template(std::string_view yaml, std::string_view name, std::string_view place) {
  if (yaml.size() > kMaxTemplateBytes) throw Error("a template of more than 1 MiB", place);
  const YAML::Node root = data::parse_yaml(yaml, place);
  if (!root.IsMap()) throw Error("a template is a YAML map with the key 'user_template'", place);
  constexpr std::array<std::string_view, 10> kKeys{
      "user_template", "name",         "task",     "labels",      "label_words",
      "mark",          "answer_start", "criteria", "description", "turns"};
  for (const auto& entry : root) {
    if (!entry.first.IsScalar() ||
        std::find(kKeys.begin(), kKeys.end(), entry.first.Scalar()) == kKeys.end()) {
      throw Error(fmt::format("unknown key '{}'; known: {}",
                              entry.first.IsScalar() ? cut_to_columns(entry.first.Scalar(), 60)
                                                     : "(not a text)",
                              fmt::join(kKeys, ", ")),
                  place);
    }
  }
  Template form;
  form.name = name;
  form.digest = sha256(yaml);
  if (!root["user_template"]) throw Error("the key 'user_template' is missing", place);
  form.user_template = scalar(root["user_template"], "user_template", place);
  form.foreign = root.size() == 1;
  check_placeholders(form.user_template, form.foreign, place);
  if (root["turns"]) read_turns(form, root["turns"], place);
  if (form.foreign) {
    infer_foreign(form, place);
  } else {
    read_own(form, root, place);
  }
  check_responses(form, place);
  return form;
}

Template load_template(const std::filesystem::path& path) {
  return parse_template(read_file(path), path.stem().string(), path.string());
}

const std::vector<Template>& builtin_templates() {
  static const std::vector<Template> templates = embedded_templates("templates");
  return templates;
}

const std::vector<Template>& format_templates() {
  static const std::vector<Template> templates = embedded_templates("templates/formats");
  return templates;
}

std::vector<std::string> words_of(const Template& form, const std::vector<std::string>& labels) {
  if (form.label_words.empty()) return labels;
  std::vector<std::string> words;
  for (const std::string& label : labels) {
    const auto found = std::find(form.labels.begin(), form.labels.end(), label);
    ensure(found != form.labels.end(), "a label that the template is not for");
    words.push_back(form.label_words[static_cast<size_t>(found - form.labels.begin())]);
  }
  return words;
}

std::string render(const Template& form, const Sample& sample) {
  return render_text(form, form.user_template, sample);
}

std::vector<Turn> render_turns(const Template& form, const Sample& sample) {
  std::vector<Turn> turns;
  for (const Turn& turn : form.turns)
    turns.push_back({turn.role, render_text(form, turn.text, sample)});
  turns.push_back({"user", render(form, sample)});
  return turns;
}

Sample example_as_sample(const Sample& sample, const data::Example& example) {
  Sample turn;
  turn.id = sample.id;
  turn.task = sample.task;
  turn.input = example.input;
  turn.context = example.context;
  turn.response = example.response;
  turn.response_a = example.response_a;
  turn.response_b = example.response_b;
  turn.reference = example.reference;
  turn.criteria = sample.criteria;
  turn.rubric = sample.rubric;
  turn.labels = sample.labels;
  return turn;
}

std::vector<std::string> data_flags(const Template& form, const Sample& sample) {
  std::vector<std::string> flags;
  const auto any_holds = [&](const std::string& text) {
    const auto texts = all_data_texts(sample);
    return std::any_of(texts.begin(), texts.end(), [&](std::string_view data) {
      return data.find(text) != std::string_view::npos;
    });
  };
  if (!form.fence.empty() && any_holds(form.fence)) flags.emplace_back("fence_in_data");
  if (any_holds(form.mark)) flags.emplace_back("mark_in_data");
  if (sample.reference && !uses_reference(form)) flags.emplace_back("reference_unused");
  return flags;
}

TemplateSet TemplateSet::open(std::string_view spec) {
  TemplateSet set;
  set.spec_ = spec;
  if (spec.empty()) {
    set.templates_ = builtin_templates();
    return set;
  }
  for (const auto* templates : {&builtin_templates(), &format_templates()}) {
    for (const Template& form : *templates) {
      if (form.name != spec) continue;
      set.templates_ = {form};
      return set;
    }
  }
  const std::filesystem::path path(spec);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    set.templates_ = load_folder(path);
    std::sort(set.templates_.begin(), set.templates_.end(),
              [](const Template& a, const Template& b) { return a.name < b.name; });
    return set;
  }
  if (path_exists(path)) {
    set.templates_ = {load_template(path)};
    return set;
  }
  for (const char* name : {"atla", "rewardbench"}) {
    if (!path.empty() && *path.begin() == fmt::format("templates-{}", name)) {
      throw Error(fmt::format("there is no template '{}'", cut_to_columns(spec, 80)), "",
                  fmt::format("get it here with: selene templates pull {}", name));
    }
  }
  std::vector<std::string_view> names;
  for (const Template& form : builtin_templates()) names.push_back(form.name);
  throw Error(fmt::format("unknown template '{}'; built in: {}", cut_to_columns(spec, 80),
                          fmt::join(names, ", ")),
              "", "or give a YAML file or a folder of them");
}

const Template& TemplateSet::pick(const Sample& sample) const {
  // A template made for exactly these labels goes before one for any; then the reference decides.
  const Template* best = nullptr;
  int best_rank = -1;
  for (const Template& form : templates_) {
    if (!fits(form, sample)) continue;
    if (form.needs_reference && !sample.reference && templates_.size() > 1) continue;
    const int rank = (form.labels.empty() ? 0 : 4) +
                     (sample.reference && uses_reference(form) ? 2 : 0) +
                     (form.needs_reference == sample.reference.has_value() ? 1 : 0);
    if (rank > best_rank) {
      best = &form;
      best_rank = rank;
    }
  }
  if (best != nullptr) return *best;
  std::vector<std::string_view> names;
  for (const Template& form : templates_) names.push_back(form.name);
  throw Error(fmt::format("no template for task {} with the labels {}; there are: {}",
                          data::task_name(sample.task), fmt::join(sample.labels, ", "),
                          fmt::join(names, ", ")),
              "", "give one with --template FILE (no 'labels' key: any labels)");
}

}  // namespace selene::judge
