#include "check/promptfoo_assertions.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include "check/answers.h"
#include "check/checks_file.h"
#include "check/promptfoo_text.h"
#include "check/yaml_json.h"
#include "core/error.h"
#include "core/text.h"
#include "data/yaml.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

// The part of a check that says what is checked, a line each; or why there is none.
struct Body {
  std::vector<std::string> lines;
  std::string why_not;

  static Body none(std::string why) { return {{}, std::move(why)}; }
};

struct Source {
  const PromptfooChecks::Kind& kind;
  const YAML::Node& value;
  const PromptfooTest& test;
  std::string_view file;
};

}  // namespace

struct PromptfooChecks::Kind {
  std::string_view type;
  Body (*make)(const Source& source);
  std::string_view key;      // Of the checks file.
  std::string_view words{};  // `ignore_case`; or of a judged check, what is asked.
  std::string_view pass{};
};

namespace {

using Kind = PromptfooChecks::Kind;

// A value that is a text: with its variables filled in, or the variable that it is.
struct Value {
  std::string text;
  std::string field;
  std::string why_not;

  std::string yaml() const {
    return field.empty() ? yaml_flow(text) : fmt::format("{{field: {}}}", yaml_flow(field));
  }
};

bool is_file(std::string_view text) {
  return text.starts_with("file://") || text.starts_with("package:");
}

Value text_of(const YAML::Node& node, const PromptfooTest& test) {
  if (!node || node.IsNull()) return {"", "", "it has no value"};
  if (!node.IsScalar()) return {"", "", "its value is no text"};
  const std::string& raw = node.Scalar();
  if (is_file(raw)) return {"", "", "its value is in a file"};
  const auto form = PlainTemplate::parse(raw);
  if (!form) return {"", "", "its value uses more than plain {{variables}}"};
  if (const std::string missing = form->missing_in(test.vars); !missing.empty())
    return {"", "", fmt::format("it uses the variable '{}', which is not set", missing)};
  Value value{form->render(test.vars), "", ""};
  if (value.text.empty()) value.why_not = "its value is empty";
  const std::string variable = form->only_variable();
  if (!variable.empty()) value.field = test.fields.at(variable);
  return value;
}

std::vector<std::string> with_case(const Kind& kind, std::string line) {
  std::vector<std::string> lines{std::move(line)};
  if (!kind.words.empty()) lines.emplace_back(kind.words);
  return lines;
}

Body make_text(const Source& source) {
  const Value value = text_of(source.value, source.test);
  if (!value.why_not.empty()) return Body::none(value.why_not);
  return {with_case(source.kind, fmt::format("{}: {}", source.kind.key, value.yaml())), ""};
}

// A list, or a text with commas.
Body make_texts(const Source& source) {
  std::vector<std::string> texts;
  if (source.value && source.value.IsSequence()) {
    for (const YAML::Node& item : source.value) {
      const Value value = text_of(item, source.test);
      if (!value.why_not.empty()) return Body::none(value.why_not);
      texts.push_back(value.yaml());
    }
  } else {
    const Value value = text_of(source.value, source.test);
    if (!value.why_not.empty()) return Body::none(value.why_not);
    const auto fields = split_list(value.text);
    if (!fields) return Body::none("a quote in its value is never closed");
    for (const std::string& field : *fields) texts.push_back(yaml_flow(field));
  }
  if (texts.empty()) return Body::none("its list is empty");
  return {with_case(source.kind, fmt::format("{}: [{}]", source.kind.key, fmt::join(texts, ", "))),
          ""};
}

Body make_regex(const Source& source) {
  const Value value = text_of(source.value, source.test);
  if (!value.why_not.empty()) return Body::none(value.why_not);
  // In JavaScript a dot is no line feed.
  const std::string pattern =
      value.text.find('.') == std::string::npos ? value.text : "(?-s)" + value.text;
  return {{fmt::format("{}: {}", source.kind.key, yaml_flow(pattern))}, ""};
}

// What there is no key for: equal to the text, or beginning with it, as an expression.
Body make_unlike(const Source& source) {
  const Value value = text_of(source.value, source.test);
  if (!value.why_not.empty()) return Body::none(value.why_not);
  const std::string pattern =
      fmt::format(R"(\A\s*{}{})", RE2::QuoteMeta(std::string(trim(value.text))), source.kind.words);
  return {{fmt::format("{}: {}", source.kind.key, yaml_flow(pattern))}, ""};
}

Body make_json(const Source& source) {
  if (!source.value || source.value.IsNull()) return {{"json: true"}, ""};
  Json schema;
  if (source.value.IsScalar()) {
    const std::string& text = source.value.Scalar();
    if (text.empty()) return {{"json: true"}, ""};
    if (is_file(text)) return Body::none("its schema is in a file");
    if (text.find("{{") != std::string::npos || text.find("{%") != std::string::npos)
      return Body::none("its schema is a template");
    schema = yaml_to_json(data::parse_yaml(text, data::yaml_place(source.value, source.file)),
                          data::yaml_place(source.value, source.file));
  } else {
    schema = yaml_to_json(source.value, source.file);
  }
  if (!schema.is_object()) return Body::none("its schema is no object");
  return {{"json_schema: " + yaml_flow(schema)}, ""};
}

Body make_words(const Source& source) {
  std::vector<std::string> limits;
  if (source.value && source.value.IsMap()) {
    for (const char* key : {"min", "max"}) {
      const YAML::Node limit = source.value[key];
      if (!limit) continue;
      if (!limit.IsScalar()) return Body::none("its limits are no numbers");
      limits.push_back(fmt::format("{}: {}", key, yaml_flow(yaml_to_json(limit, source.file))));
    }
  } else {
    const Value value = text_of(source.value, source.test);
    if (!value.why_not.empty()) return Body::none(value.why_not);
    const std::string number = yaml_flow(std::string(trim(value.text)));
    limits = {"min: " + number, "max: " + number};
  }
  if (limits.empty()) return Body::none("it has neither min nor max");
  return {{fmt::format("length: {{{}, unit: words}}", fmt::join(limits, ", "))}, ""};
}

Body judged(const Kind& kind, const std::string& question) {
  std::vector<std::string> lines{"task: classification", "criteria: " + yaml_flow(question)};
  if (!kind.pass.empty()) lines.push_back(fmt::format("pass: [{}]", kind.pass));
  return {lines, ""};
}

Body make_question(const Source& source) {
  const Value value = text_of(source.value, source.test);
  if (!value.why_not.empty()) return Body::none(value.why_not);
  return judged(source.kind, fmt::format("{}\n{}", source.kind.words, trim(value.text)));
}

Body make_relevance(const Source& source) {
  return judged(source.kind, std::string(source.kind.words));
}

constexpr std::string_view kNoCase = "ignore_case: true";
constexpr std::string_view kRubric = "Does the response meet this rubric?";
constexpr std::string_view kCriterion = "Does the response meet this criterion?";
constexpr std::string_view kFacts =
    "Are the facts in the response consistent with this reference answer? It may leave facts out "
    "or "
    "add others, as long as none contradicts it:";
constexpr std::string_view kRelevance = "Is the response relevant to what the input asks?";

constexpr Kind kKinds[] = {
    {"equals", make_text, "equals"},
    {"not-equals", make_unlike, "not_regex", R"(\s*\z)"},
    {"contains", make_text, "contains"},
    {"icontains", make_text, "contains", kNoCase},
    {"not-contains", make_text, "not_contains"},
    {"not-icontains", make_text, "not_contains", kNoCase},
    {"contains-all", make_texts, "contains"},
    {"icontains-all", make_texts, "contains", kNoCase},
    {"contains-any", make_texts, "contains_any"},
    {"icontains-any", make_texts, "contains_any", kNoCase},
    {"not-contains-any", make_texts, "not_contains"},
    {"not-icontains-any", make_texts, "not_contains", kNoCase},
    {"starts-with", make_text, "starts_with"},
    {"not-starts-with", make_unlike, "not_regex"},
    {"regex", make_regex, "regex"},
    {"not-regex", make_regex, "not_regex"},
    {"is-json", make_json, "json"},
    {"word-count", make_words, "length"},
    {"llm-rubric", make_question, "criteria", kRubric},
    {"not-llm-rubric", make_question, "criteria", kRubric, "No"},
    {"model-graded-closedqa", make_question, "criteria", kCriterion},
    {"factuality", make_question, "criteria", kFacts},
    {"model-graded-factuality", make_question, "criteria", kFacts},
    {"answer-relevance", make_relevance, "criteria", kRelevance},
};

// The others that promptfoo knows (its BaseAssertionTypes and SpecialAssertionTypes), without
// "not-".
constexpr std::string_view kOtherTypes[] = {"agent-rubric",
                                            "bleu",
                                            "character-count",
                                            "classifier",
                                            "contains-html",
                                            "contains-json",
                                            "contains-sql",
                                            "contains-xml",
                                            "context-faithfulness",
                                            "context-recall",
                                            "context-relevance",
                                            "conversation-relevance",
                                            "cost",
                                            "ends-with",
                                            "f-score",
                                            "finish-reason",
                                            "g-eval",
                                            "gleu",
                                            "guardrails",
                                            "human",
                                            "is-html",
                                            "is-refusal",
                                            "is-sql",
                                            "is-valid-function-call",
                                            "is-valid-openai-function-call",
                                            "is-valid-openai-tools-call",
                                            "is-xml",
                                            "javascript",
                                            "latency",
                                            "levenshtein",
                                            "max-score",
                                            "meteor",
                                            "moderation",
                                            "perplexity",
                                            "perplexity-score",
                                            "pi",
                                            "python",
                                            "rouge-n",
                                            "ruby",
                                            "search-rubric",
                                            "select-best",
                                            "similar",
                                            "similar:cosine",
                                            "similar:dot",
                                            "similar:euclidean",
                                            "skill-used",
                                            "tool-call-f1",
                                            "trace-error-spans",
                                            "trace-span-count",
                                            "trace-span-duration",
                                            "trajectory:goal-success",
                                            "trajectory:step-count",
                                            "trajectory:tool-args-match",
                                            "trajectory:tool-sequence",
                                            "trajectory:tool-used",
                                            "webhook"};

const Kind* find_kind(std::string_view type) {
  const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                   [&](const Kind& kind) { return kind.type == type; });
  return found == std::end(kKinds) ? nullptr : found;
}

bool is_promptfoos(std::string_view type) {
  if (type.starts_with("promptfoo:redteam:")) return true;
  if (type.starts_with("not-")) type.remove_prefix(4);
  return find_kind(type) != nullptr ||
         std::find(std::begin(kOtherTypes), std::end(kOtherTypes), type) != std::end(kOtherTypes);
}

std::vector<std::string> known_types() {
  std::vector<std::string> known;
  for (const Kind& kind : kKinds) known.emplace_back(kind.type);
  for (const std::string_view type : kOtherTypes) known.emplace_back(type);
  return known;
}

// As people read it in a report: "contains 'Bonjour'".
std::string shown_value(const YAML::Node& value) {
  constexpr size_t kColumns = 50;
  if (!value || value.IsNull()) return "";
  if (value.IsScalar()) return fmt::format(" '{}'", cut_to_columns(value.Scalar(), kColumns));
  if (!value.IsSequence()) return "";
  std::string list;
  for (const YAML::Node& item : value) {
    if (list.size() > kColumns) return fmt::format(" {}, …", list);
    if (!list.empty()) list += ", ";
    list += item.IsScalar() ? fmt::format("'{}'", cut_to_columns(item.Scalar(), kColumns)) : "…";
  }
  return " " + list;
}

// Why a checks file cannot have this check; else empty.
std::string what_is_wrong(const std::string& check) {
  try {
    parse_checks("checks:\n" + check, "checks.yaml");
  } catch (const Error& failure) {
    return failure.message();
  }
  return "";
}

}  // namespace

struct PromptfooChecks::Group {
  std::vector<std::string> lines;
  std::vector<size_t> tests;
};

struct PromptfooChecks::Common {
  std::string metric;
  std::string weight;  // A line, or empty.
  bool carries = true;
};

PromptfooChecks::Common PromptfooChecks::read_common(const YAML::Node& assertion,
                                                     const std::string& type) {
  Common common;
  const auto lose = [&](const YAML::Node& node, std::string_view why) {
    drop(node, fmt::format("{}: {}", type, why));
    common.carries = false;
  };
  for (const auto& entry : assertion) {
    const std::string key = data::yaml_key(entry.first);
    if (key == "type" || key == "value" || key == "config") continue;
    if (key == "metric") {
      if (entry.second.IsScalar()) common.metric = cut_to_columns(entry.second.Scalar(), 60);
    } else if (key == "weight") {
      const Json weight = yaml_to_json(entry.second, file_);
      if (weight == 0) {
        lose(entry.first, "weight 0, a figure that decides nothing");
      } else {
        common.weight = "weight: " + yaml_flow(weight);
      }
    } else if (key == "transform" || key == "contextTransform" || key == "metricOnly") {
      lose(entry.first, fmt::format("it has '{}'", key));
    } else if (key == "threshold") {
      drop(entry.first, type + ": its threshold; the check is passed or not");
    } else if (key == "provider") {
      drop(entry.first, type + ": its provider; the judge is the one of selene check --judge");
    } else {
      drop(entry.first, fmt::format("{}: its '{}'", type, cut_to_columns(key, 60)));
    }
  }
  return common;
}

std::string PromptfooChecks::distinct(const std::string& name) {
  std::string tried = name;
  for (int i = 2; !names_.insert(tried).second; ++i) tried = fmt::format("{} ({})", name, i);
  return tried;
}

std::string PromptfooChecks::tests_text(const std::vector<size_t>& tests) const {
  if (tests.size() == all_tests_) return "";
  if (tests.size() == 1) return fmt::format("test {}", tests[0]);
  if (tests.back() - tests.front() + 1 == tests.size())
    return fmt::format("tests {} to {}", tests.front(), tests.back());
  constexpr size_t kMost = 5;
  const std::vector<size_t> first(
      tests.begin(), tests.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, tests.size())));
  return fmt::format("tests {}{}", fmt::join(first, ", "), tests.size() > kMost ? " …" : "");
}

void PromptfooChecks::add(const YAML::Node& assertion,
                          std::span<const PromptfooTest* const> tests) {
  if (!assertion.IsMap())
    throw Error("an assertion must be a map", data::yaml_place(assertion, file_));
  if (assertion["$ref"]) return drop(assertion, "$ref: an assertion from a template");
  const YAML::Node named = assertion["type"];
  if (!named || !named.IsScalar())
    throw Error("an assertion without a type", data::yaml_place(assertion, file_),
                "give it a 'type'");
  const std::string type = named.Scalar();
  const Kind* kind = find_kind(type);
  if (kind == nullptr && type != "assert-set" && !is_promptfoos(type)) {
    const std::string near = nearest_name(type, known_types());
    throw Error(fmt::format("unknown assertion type '{}'", cut_to_columns(type, 60)),
                data::yaml_place(named, file_),
                near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
  if (kind == nullptr) return drop(named, type + ": there is no such check");
  const Common common = read_common(assertion, type);
  if (!common.carries) return;

  for (const Group& group : groups_of(*kind, assertion, tests)) add_group(group, assertion, common);
}

void PromptfooChecks::drop_for(const YAML::Node& assertion, const std::vector<size_t>& tests,
                               std::string_view why) {
  const std::string which = tests_text(tests);
  drop(assertion["type"],
       fmt::format("{}: {}{}", assertion["type"].Scalar(), why, which.empty() ? "" : ", " + which));
}

// Tests for which the assertion says the same make one check.
std::vector<PromptfooChecks::Group> PromptfooChecks::groups_of(
    const Kind& kind, const YAML::Node& assertion, std::span<const PromptfooTest* const> tests) {
  const YAML::Node value = assertion["value"];
  std::vector<Group> groups;
  std::map<std::vector<std::string>, size_t> group_of;
  std::map<std::string, std::vector<size_t>> failed;
  for (const PromptfooTest* test : tests) {
    Body body;
    try {
      body = kind.make({kind, value, *test, file_});
    } catch (const Error& failure) {
      throw failure.where().empty() ? failure.at(data::yaml_place(assertion, file_)) : failure;
    }
    if (!body.why_not.empty()) {
      failed[body.why_not].push_back(test->number);
      continue;
    }
    const auto [at, is_new] = group_of.emplace(body.lines, groups.size());
    if (is_new) groups.push_back({body.lines, {}});
    groups[at->second].tests.push_back(test->number);
  }
  for (const auto& [why, of] : failed) drop_for(assertion, of, why);
  return groups;
}

void PromptfooChecks::add_group(const Group& group, const YAML::Node& assertion,
                                const Common& common) {
  std::string lines;
  if (group.tests.size() != all_tests_)
    lines += fmt::format("    when: {{test: [\"{}\"]}}\n", fmt::join(group.tests, "\", \""));
  if (!common.weight.empty()) lines += fmt::format("    {}\n", common.weight);
  for (const std::string& line : group.lines) lines += fmt::format("    {}\n", line);
  if (const std::string wrong = what_is_wrong(fmt::format("  - name: x\n{}", lines));
      !wrong.empty()) {
    drop_for(assertion, group.tests, wrong);
    return;
  }
  std::vector<std::string> words;
  if (const std::string which = tests_text(group.tests); !which.empty()) words.push_back(which);
  if (!common.metric.empty()) words.push_back(common.metric);
  const std::string what = assertion["type"].Scalar() + shown_value(assertion["value"]);
  const std::string name =
      words.empty() ? what : fmt::format("{}: {}", fmt::join(words, ", "), what);
  yaml_ += fmt::format("  - name: {}\n{}", yaml_flow(distinct(name)), lines);
}

}  // namespace selene::check
