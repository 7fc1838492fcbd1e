#include "check/promptfoo.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "check/answers.h"
#include "check/checks_file.h"
#include "check/promptfoo_assertions.h"
#include "check/promptfoo_prompts.h"
#include "check/promptfoo_text.h"
#include "check/yaml_json.h"
#include "core/error.h"
#include "core/text.h"
#include "data/yaml.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostTests = 100'000;
constexpr size_t kMostAnswers = 1'000'000;
constexpr size_t kMostBytes = 256 << 20;  // Of the rendered prompts together.

// A test of the file; its lists of values make several of them.
struct TestCase {
  YAML::Node node;
  YAML::Node assertions;
  bool has_default_assertions = true;
  std::vector<size_t> tests;  // Indices.
};

struct Test {
  PromptfooTest facts;
  std::optional<std::string> output;  // Its providerOutput.
  std::vector<std::string> prompts;   // Labels that it is for; empty: all.
  std::string prefix;
  std::string suffix;
};

// Keys of the configuration that are about running promptfoo and say nothing about answers.
constexpr std::string_view kSilentKeys[] = {
    "$schema", "description", "tags",  "prompts",    "providers",       "targets",
    "tests",   "defaultTest", "env",   "outputPath", "evaluateOptions", "commandLineOptions",
    "sharing", "metadata",    "author"};

bool is_silent(std::string_view key) {
  return std::find(std::begin(kSilentKeys), std::end(kSilentKeys), key) != std::end(kSilentKeys);
}

class Import {
 public:
  explicit Import(const PromptfooSource& source)
      : source_(source),
        root_(data::parse_yaml(source.config, source.name)),
        dropped_(source.name) {
    if (!root_.IsMap())
      throw Error("a promptfoo configuration is a map with prompts and tests", source.name);
  }

  PromptfooImport run() {
    prompts_ = read_promptfoo_prompts(root_, source_.name, source_.read, dropped_);
    read_default();
    read_tests();
    read_rest();
    PromptfooImport result;
    result.answers = answers();
    add_assertions();
    result.dropped = dropped_.by_line();
    result.check_count = checks_->count();
    if (result.check_count > 0) result.checks = checks_text(result.dropped);
    return result;
  }

 private:
  Error error(const YAML::Node& node, std::string_view what, std::string_view remedy = "") const {
    return Error(what, data::yaml_place(node, source_.name), remedy);
  }
  void drop(const YAML::Node& node, std::string_view what) { dropped_.add(node, what); }
  std::string scalar(const YAML::Node& node, std::string_view key) const {
    if (!node.IsScalar()) throw error(node, fmt::format("'{}' must be a text", key));
    return node.Scalar();
  }

  void read_default();
  void read_tests();
  void read_test(const YAML::Node& node);
  void read_options(const YAML::Node& options, Test& test, TestCase& of, bool& expands);
  void read_test_keys(const YAML::Node& node, Test& test, TestCase& of, bool& expands);
  std::optional<Json> read_vars(const YAML::Node& node);
  std::vector<Json> expanded(const Json& vars, bool expands, const YAML::Node& node) const;
  bool add_test(Test test, const Json& vars, const YAML::Node& node);
  void read_threshold(const YAML::Node& node, std::string_view what);
  void read_rest();
  bool is_echo() const;
  std::vector<Json> answers();
  std::optional<Json> answer(const Test& test, const PromptfooPrompt& prompt,
                             const PromptfooResult* result, size_t& bytes);
  std::map<std::pair<size_t, size_t>, const PromptfooResult*> results_by_place() const;
  std::map<size_t, size_t> prompts_by_column() const;
  void check_vars(const PromptfooResult& result) const;
  void add_assertions();
  std::string checks_text(const std::vector<std::string>& dropped) const;

  const PromptfooSource& source_;
  YAML::Node root_;
  std::vector<PromptfooPrompt> prompts_;
  Json default_vars_ = Json::object();
  YAML::Node default_;
  std::vector<TestCase> cases_;
  std::vector<Test> tests_;
  YAML::Node uncounted_;  // What may stand for any number of tests.
  bool has_uncounted_ = false;
  std::map<std::string, std::string> renamed_;          // Fields, by variable.
  std::vector<std::optional<std::string>> thresholds_;  // One a test case.
  std::set<std::string> unset_;                         // Variables of prompts, said once.
  std::optional<PromptfooChecks> checks_;
  NotCarried dropped_;
};

// The variables, or none where they are in a file.
std::optional<Json> Import::read_vars(const YAML::Node& node) {
  if (!node || node.IsNull()) return Json::object();
  if (!node.IsMap()) return std::nullopt;
  Json vars = Json::object();
  const Json given = yaml_to_json(node, source_.name);
  for (const auto& [name, value] : given.items()) {
    if (!value.is_null()) vars[name] = value;
  }
  const auto is_file = [](const Json& value) {
    return value.is_string() && value.get_ref<const std::string&>().starts_with("file://");
  };
  for (const Json& value : vars) {
    if (is_file(value)) return std::nullopt;
    if (value.is_array() && std::any_of(value.begin(), value.end(), is_file)) return std::nullopt;
  }
  return vars;
}

void Import::read_default() {
  default_.reset(YAML::Node(YAML::NodeType::Map));
  const YAML::Node node = root_["defaultTest"];
  if (!node || node.IsNull()) return;
  if (node.IsScalar()) return drop(node, "defaultTest: it is in a file");
  if (!node.IsMap()) throw error(node, "'defaultTest' must be a map");
  default_.reset(node);
  if (const auto vars = read_vars(default_["vars"])) {
    default_vars_ = *vars;
  } else {
    drop(default_["vars"], "defaultTest: its vars are in a file");
  }
}

void Import::read_tests() {
  const YAML::Node tests = root_["tests"];
  if (!tests || tests.IsNull())
    throw Error("there are no tests", source_.name, "give a list 'tests'");
  if (!tests.IsSequence()) {
    throw error(tests, "the tests are not in this file",
                "write them under 'tests', or give a config that has them");
  }
  for (const YAML::Node& test : tests) read_test(test);
  if (tests_.empty()) throw error(tests, "there are no tests that can be read", "write their vars");
  checks_.emplace(source_.name, tests_.size(), dropped_);
}

void Import::read_options(const YAML::Node& options, Test& test, TestCase& of, bool& expands) {
  if (!options || options.IsNull()) return;
  if (!options.IsMap()) throw error(options, "'options' must be a map");
  for (const auto& entry : options) {
    const std::string key = data::yaml_key(entry.first);
    const auto is_true = [&] { return yaml_to_json(entry.second, source_.name) == true; };
    if (key == "prefix") {
      test.prefix = scalar(entry.second, key);
    } else if (key == "suffix") {
      test.suffix = scalar(entry.second, key);
    } else if (key == "disableVarExpansion") {
      expands = !is_true();
    } else if (key == "disableDefaultAsserts") {
      of.has_default_assertions = !is_true();
    } else if (key != "runSerially" && key != "disableConversationVar") {
      drop(entry.first,
           key == "provider" || key == "rubricPrompt"
               ? fmt::format("options.{}: the judge is asked in its own way; another "
                             "one: --judge",
                             key)
               : fmt::format("options.{}: answers are taken as they are", cut_to_columns(key, 60)));
    }
  }
}

void Import::read_threshold(const YAML::Node& node, std::string_view what) {
  const Json value = yaml_to_json(node, source_.name);
  if (!value.is_number()) throw error(node, "'threshold' must be a number");
  const double threshold = value.get<double>();
  if (threshold > 0 && threshold <= 1) {
    thresholds_.back() = yaml_flow(value);
  } else {
    drop(node, fmt::format("{}threshold {}: it must be above 0 and at most 1", what, value.dump()));
  }
}

void Import::read_test_keys(const YAML::Node& node, Test& test, TestCase& of, bool& expands) {
  for (const auto& entry : node) {
    const std::string key = data::yaml_key(entry.first);
    const YAML::Node& value = entry.second;
    if (key == "description" || key == "metadata" || key == "vars" || value.IsNull()) continue;
    if (key == "assert") {
      of.assertions = value;
    } else if (key == "options") {
      read_options(value, test, of, expands);
    } else if (key == "threshold") {
      read_threshold(value, "");
    } else if (key == "providerOutput") {
      test.output = field_text(yaml_to_json(value, source_.name));
    } else if (key == "prompts" && value.IsSequence()) {
      for (const YAML::Node& label : value) test.prompts.push_back(scalar(label, key));
    } else {
      drop(entry.first, fmt::format("a test's '{}'", cut_to_columns(key, 60)));
    }
  }
}

// One test for each combination of the values of its lists, the last list turning fastest, as
// promptfoo makes them: only lists of texts count.
std::vector<Json> Import::expanded(const Json& vars, bool expands, const YAML::Node& node) const {
  std::vector<Json> made{Json::object()};
  for (const auto& [name, value] : vars.items()) {
    const bool is_list = expands && value.is_array() && !value.empty() && value[0].is_string();
    std::vector<Json> next;
    if (made.size() * (is_list ? value.size() : 1) > kMostTests)
      throw error(node, fmt::format("a test of more than {} combinations", kMostTests));
    for (const Json& one : made) {
      for (size_t i = 0; i < (is_list ? value.size() : 1); ++i) {
        next.push_back(one);
        next.back()[name] = is_list ? value[i] : value;
      }
    }
    made = std::move(next);
  }
  return made;
}

// False when a variable is more than text and plain variables.
bool Import::add_test(Test test, const Json& vars, const YAML::Node& node) {
  constexpr std::string_view kTaken[] = {"id",    "test",     "prompt", "provider",
                                         "input", "response", "label"};
  test.facts.number = tests_.size() + 1;
  test.facts.vars = vars;
  for (auto& [name, value] : test.facts.vars.items()) {
    if (value.is_string()) {
      const auto form = PlainTemplate::parse(value.get_ref<const std::string&>());
      if (!form) return false;
      try {
        if (form->has_variables()) value = form->render(test.facts.vars);
      } catch (const Error& failure) {
        throw failure.at(data::yaml_place(node, source_.name));
      }
    }
    std::string field = name;
    while (field.starts_with("label.") ||
           std::find(std::begin(kTaken), std::end(kTaken), field) != std::end(kTaken) ||
           (field != name && vars.contains(field)))
      field = "var_" + field;
    if (field != name) renamed_[name] = field;
    test.facts.fields[name] = field;
  }
  tests_.push_back(std::move(test));
  return true;
}

void Import::read_test(const YAML::Node& node) {
  const auto uncounted = [&](const YAML::Node& at, std::string_view why) {
    drop(at, why);
    if (!has_uncounted_) uncounted_.reset(at);
    has_uncounted_ = true;
  };
  if (node.IsScalar() || (node.IsMap() && node["path"]))
    return uncounted(node, "tests from a file or a program");
  if (!node.IsMap()) throw error(node, "a test must be a map");
  const auto own = read_vars(node["vars"]);
  if (!own) return uncounted(node["vars"], "a test: its vars are in a file");

  Test test;
  TestCase of{.node = node, .assertions = {}, .has_default_assertions = true, .tests = {}};
  bool expands = true;
  thresholds_.emplace_back();
  read_options(default_["options"], test, of, expands);
  if (const YAML::Node threshold = default_["threshold"]; threshold && !threshold.IsNull())
    read_threshold(threshold, "defaultTest: ");
  read_test_keys(node, test, of, expands);

  Json vars = default_vars_;
  for (const auto& [name, value] : own->items()) vars[name] = value;
  for (const Json& combination : expanded(vars, expands, node)) {
    if (tests_.size() == kMostTests)
      throw error(node, fmt::format("more than {} tests", kMostTests));
    if (!add_test(test, combination, node)) {
      thresholds_.pop_back();
      return uncounted(node, "a test: a variable uses more than plain {{variables}}");
    }
    of.tests.push_back(tests_.size() - 1);
  }
  cases_.push_back(std::move(of));
}

void Import::read_rest() {
  for (const auto& entry : root_) {
    const std::string key = data::yaml_key(entry.first);
    if (!is_silent(key)) drop(entry.first, fmt::format("'{}'", cut_to_columns(key, 60)));
  }
  for (const auto& entry : default_) {
    const std::string key = data::yaml_key(entry.first);
    constexpr std::string_view kRead[] = {"vars",      "assert",      "options",
                                          "threshold", "description", "metadata"};
    if (std::find(std::begin(kRead), std::end(kRead), key) == std::end(kRead))
      drop(entry.first, fmt::format("defaultTest: its '{}'", cut_to_columns(key, 60)));
  }
}

// Whether all answers are the prompts themselves.
bool Import::is_echo() const {
  const YAML::Node providers = root_["providers"] ? root_["providers"] : root_["targets"];
  if (!providers) return false;
  const bool one = providers.IsSequence() && providers.size() == 1;
  const YAML::Node only = one ? providers[0] : providers;
  const YAML::Node id = only.IsMap() ? only["id"] : only;
  return id && id.IsScalar() && id.Scalar() == "echo";
}

void Import::check_vars(const PromptfooResult& result) const {
  const Json& vars = tests_[result.test].facts.vars;
  if (!result.vars.is_object()) return;
  for (const auto& [name, value] : vars.items()) {
    const auto found = result.vars.find(name);
    if (found != result.vars.end() && field_text(*found) == field_text(value)) continue;
    throw Error(fmt::format("these are results of another configuration: test {} has another '{}'",
                            result.test + 1, cut_to_columns(name, 60)),
                source_.results->name, "run promptfoo eval again");
  }
}

// Our prompt's index, by the column of the results.
std::map<size_t, size_t> Import::prompts_by_column() const {
  std::map<size_t, size_t> prompts;
  for (const PromptfooResult& result : source_.results->results) prompts[result.column] = 0;
  const bool all = prompts.size() == prompts_.size();
  std::set<size_t> used;
  size_t position = 0;
  for (auto& [column, prompt] : prompts) {
    const auto& texts = source_.results->prompts;
    size_t found = prompts_.size();
    for (size_t i = 0; i < prompts_.size() && column < texts.size(); ++i) {
      if (!used.contains(i) && prompts_[i].text == texts[column]) {
        found = i;
        break;
      }
    }
    if (found == prompts_.size() && all && !used.contains(position) &&
        (column >= texts.size() || prompts_[position].text.empty()))
      found = position;
    if (found == prompts_.size()) {
      throw Error(fmt::format("these are results of another configuration: none of its prompts is "
                              "the one of promptIdx {}",
                              column),
                  source_.results->name, "run promptfoo eval again");
    }
    prompt = found;
    used.insert(found);
    ++position;
  }
  return prompts;
}

std::map<std::pair<size_t, size_t>, const PromptfooResult*> Import::results_by_place() const {
  std::map<std::pair<size_t, size_t>, const PromptfooResult*> results;
  if (source_.results == nullptr) return results;
  if (has_uncounted_) {
    throw error(uncounted_,
                "--results cannot be used: these tests are not known, and results are "
                "found by the number of their test",
                "write the tests in the configuration");
  }
  const std::map<size_t, size_t> prompts = prompts_by_column();
  for (const PromptfooResult& result : source_.results->results) {
    if (result.test >= tests_.size()) {
      throw Error(fmt::format("these are results of another configuration, or repeated ones: they "
                              "have a test {}, the configuration has {}",
                              result.test + 1, tests_.size()),
                  source_.results->name, "run promptfoo eval again, without --repeat");
    }
    check_vars(result);
    results[{result.test, prompts.at(result.column)}] = &result;
  }
  return results;
}

std::optional<Json> Import::answer(const Test& test, const PromptfooPrompt& prompt,
                                   const PromptfooResult* result, size_t& bytes) {
  std::string input;
  if (result != nullptr && !result->prompt.empty()) {
    input = result->prompt;
  } else {
    const bool framed = !test.prefix.empty() || !test.suffix.empty();
    const auto form = framed && prompt.form
                          ? PlainTemplate::parse(test.prefix + prompt.text + test.suffix)
                          : prompt.form;
    if (!form) return std::nullopt;
    const std::string missing = form->missing_in(test.facts.vars);
    if (!missing.empty() && unset_.insert(missing).second) {
      drop(prompt.node, fmt::format("prompt {}: the variable '{}', which test {} does not set, is "
                                    "left empty",
                                    prompt.number, missing, test.facts.number));
    }
    try {
      input = form->render(test.facts.vars);
    } catch (const Error& failure) {
      throw failure.at(data::yaml_place(prompt.node, source_.name));
    }
  }
  bytes += input.size();
  if (bytes > kMostBytes) throw error(prompt.node, "more than 256 MB of prompts");

  Json row = Json::object();
  row["id"] = prompts_.size() == 1
                  ? fmt::format("test-{}", test.facts.number)
                  : fmt::format("test-{}/prompt-{}", test.facts.number, prompt.number);
  row["test"] = test.facts.number;
  row["prompt"] = prompt.number;
  if (result != nullptr) row["provider"] = source_.results->provider;
  for (const auto& [name, value] : test.facts.vars.items()) row[test.facts.fields.at(name)] = value;
  row["input"] = input;
  if (result != nullptr && result->has_output) {
    row["response"] = result->output;
  } else if (result == nullptr && test.output) {
    row["response"] = *test.output;
  } else if (result == nullptr && is_echo()) {
    row["response"] = input;
  }
  return row;
}

std::vector<Json> Import::answers() {
  const auto results = results_by_place();
  std::vector<Json> rows;
  size_t bytes = 0;
  std::set<size_t> unread;  // Prompts.
  for (size_t t = 0; t < tests_.size(); ++t) {
    for (size_t p = 0; p < prompts_.size(); ++p) {
      const Test& test = tests_[t];
      const PromptfooPrompt& prompt = prompts_[p];
      const auto is_for = [&](const std::string& label) { return prompt.is_called(label); };
      if (!test.prompts.empty() && std::none_of(test.prompts.begin(), test.prompts.end(), is_for))
        continue;
      const auto found = results.find({t, p});
      const PromptfooResult* result = found == results.end() ? nullptr : found->second;
      auto row = answer(test, prompt, result, bytes);
      if (!row) {
        unread.insert(p);
        continue;
      }
      if (result != nullptr && !result->has_output) {
        drop(prompt.node,
             fmt::format("{}: no output in {}{}", row->at("id").get<std::string>(),
                         source_.results->name, result->error.empty() ? "" : ": " + result->error));
      }
      rows.push_back(std::move(*row));
      if (rows.size() > kMostAnswers)
        throw error(root_["tests"], fmt::format("more than {} answers", kMostAnswers));
    }
  }
  for (const size_t p : unread)
    drop(prompts_[p].node, fmt::format("prompt {}: {}", prompts_[p].number, prompts_[p].why_not));
  if (rows.empty() && !unread.empty()) {
    const PromptfooPrompt& first = prompts_[*unread.begin()];
    throw error(first.node, fmt::format("no prompt can be rendered: {}", first.why_not),
                "give --results, which has the prompts as they were sent");
  }
  if (rows.empty()) throw error(root_["tests"], "no test is for any of the prompts");
  return rows;
}

void Import::add_assertions() {
  const auto add = [&](const YAML::Node& list, const std::vector<const PromptfooTest*>& tests) {
    if (!list || list.IsNull() || tests.empty()) return;
    if (!list.IsSequence()) throw error(list, "'assert' must be a list");
    for (const YAML::Node& assertion : list) checks_->add(assertion, tests);
  };
  std::vector<const PromptfooTest*> with_default;
  for (const TestCase& of : cases_) {
    for (const size_t index : of.tests) {
      if (of.has_default_assertions) with_default.push_back(&tests_[index].facts);
    }
  }
  add(default_["assert"], with_default);
  for (const TestCase& of : cases_) {
    std::vector<const PromptfooTest*> tests;
    for (const size_t index : of.tests) tests.push_back(&tests_[index].facts);
    add(of.assertions, tests);
  }
  const auto differs = [&](const auto& one) { return one != thresholds_.front(); };
  const auto other = std::find_if(thresholds_.begin(), thresholds_.end(), differs);
  if (other != thresholds_.end()) {
    drop(cases_[static_cast<size_t>(other - thresholds_.begin())].node,
         "threshold: the tests have different ones; every check must pass");
  }
}

std::string Import::checks_text(const std::vector<std::string>& dropped) const {
  std::string text = fmt::format("# Imported from {}.\n", cut_to_columns(source_.name, 200));
  for (const auto& [name, field] : renamed_)
    text += fmt::format("# The variable '{}' is the field '{}'.\n", cut_to_columns(name, 60),
                        cut_to_columns(field, 60));
  const auto same = [&](const auto& one) { return one == thresholds_.front(); };
  if (thresholds_.front() && std::all_of(thresholds_.begin(), thresholds_.end(), same))
    text += fmt::format("threshold: {}\n", *thresholds_.front());
  text += "checks:\n" + checks_->yaml();
  if (!dropped.empty()) text += "\n# Not carried over:\n";
  for (const std::string& one : dropped) text += fmt::format("#   {}\n", cut_to_columns(one, 300));
  return text;
}

}  // namespace

size_t PromptfooImport::unanswered() const {
  return static_cast<size_t>(std::count_if(
      answers.begin(), answers.end(), [](const Json& row) { return !row.contains("response"); }));
}

PromptfooImport import_promptfoo(const PromptfooSource& source) { return Import(source).run(); }

}  // namespace selene::check
