#include "check/plain_check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include "check/answers.h"
#include "check/json_schema.h"
#include "check/similarity.h"
#include "core/error.h"
#include "core/text.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;
using data::yaml_value;

// A text of the checks file, or a field of the answer.
struct Text {
  std::string text;
  std::string field;  // Empty: `text` itself.

  std::string of(const Json& fields) const {
    if (field.empty()) return text;
    const auto found = fields.find(field);
    if (found == fields.end()) throw Error(fmt::format("the field '{}' is missing", field));
    return field_text(*found);
  }
  // As of(), for a text that every answer would hold if it were empty.
  std::string something_of(const Json& fields) const {
    std::string found = of(fields);
    if (!field.empty() && trim(found).empty())
      throw Error(fmt::format("the field '{}' is empty, which every answer holds", field), "",
                  "fill it, or leave the answer out of the check with 'when'");
    return found;
  }
  std::string shown() const {
    return field.empty() ? fmt::format("'{}'", cut_to_columns(text, 60))
                         : fmt::format("its field '{}'", field);
  }
};

Text read_text(const YAML::Node& node, const YamlPlace& at) {
  if (node.IsMap()) {
    for (const auto& entry : node) {
      if (data::yaml_key(entry.first) != "field")
        throw data::unknown_yaml_key(data::yaml_key(entry.first), std::vector{"field"}, at.place);
    }
    if (!node["field"]) throw Error(fmt::format("the key '{}' is empty", at.key), at.place);
    return {"", yaml_value<std::string>(node["field"], "field", at.place)};
  }
  if (!node.IsScalar())
    throw Error(fmt::format("the key '{}' must be a text or {{field: NAME}}", at.key), at.place);
  return {yaml_value<std::string>(node, at.key, at.place), ""};
}

std::vector<Text> read_texts(const YAML::Node& node, const YamlPlace& at) {
  std::vector<Text> texts;
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) texts.push_back(read_text(item, at));
  } else {
    texts.push_back(read_text(node, at));
  }
  const auto is_empty = [](const Text& one) { return one.field.empty() && one.text.empty(); };
  if (texts.empty() || std::any_of(texts.begin(), texts.end(), is_empty))
    throw Error(fmt::format("the key '{}' has an empty text, which every answer holds", at.key),
                at.place);
  return texts;
}

RE2::Options regex_options(bool ignore_case, bool literal) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  options.set_literal(literal);
  options.set_dot_nl(true);
  options.set_max_mem(64 << 20);
  return options;
}

// A text that answers are searched for. Where case is ignored, one of the checks file is compiled
// once, one of a field for each answer.
class Literal {
 public:
  Literal(Text text, bool ignore_case) : text_(std::move(text)), ignore_case_(ignore_case) {
    if (ignore_case_ && text_.field.empty()) compiled_ = compile(text_.text);
  }

  const Text& text() const { return text_; }

  // `part` is text().of(…) of the answer at hand.
  bool is_in(std::string_view answer, const std::string& part, RE2::Anchor where) const {
    if (ignore_case_) {
      const re2::StringPiece whole(answer.data(), answer.size());
      const auto regex = compiled_ ? compiled_ : compile(part);
      return regex->Match(whole, 0, whole.size(), where, nullptr, 0);
    }
    if (where == RE2::ANCHOR_BOTH) return answer == part;
    if (where == RE2::ANCHOR_START) return answer.starts_with(part);
    return answer.find(part) != std::string_view::npos;
  }

 private:
  static std::shared_ptr<const RE2> compile(const std::string& text) {
    return std::make_shared<const RE2>(text, regex_options(/*ignore_case=*/true, /*literal=*/true));
  }

  Text text_;
  bool ignore_case_;
  std::shared_ptr<const RE2> compiled_;
};

// Whether all, any or none of some texts stand in the answer.
class Contains : public PlainCheck {
 public:
  enum class Wanted { All, Any, None };

  Contains(std::vector<Text> texts, Wanted wanted, bool ignore_case) : wanted_(wanted) {
    for (Text& text : texts) texts_.emplace_back(std::move(text), ignore_case);
  }

  std::string description() const override {
    std::vector<std::string> shown;
    for (const Literal& one : texts_) shown.push_back(one.text().shown());
    const char* verb = wanted_ == Wanted::None ? "does not contain" : "contains";
    const char* word = wanted_ == Wanted::All ? " and " : " or ";
    return fmt::format("{} {}", verb, fmt::join(shown, word));
  }

  std::vector<std::string> fields() const override {
    std::vector<std::string> names;
    for (const Literal& one : texts_) {
      if (!one.text().field.empty()) names.push_back(one.text().field);
    }
    return names;
  }

  PlainVerdict evaluate(std::string_view text, const Json& fields) const override {
    std::vector<std::string> found;
    std::vector<std::string> missing;
    for (const Literal& one : texts_) {
      const std::string part = one.text().something_of(fields);
      auto& list = one.is_in(text, part, RE2::UNANCHORED) ? found : missing;
      list.push_back(fmt::format("'{}'", cut_to_columns(part, 60)));
    }
    const auto says = [](const char* verb, const std::vector<std::string>& list) {
      return fmt::format("{} {}", verb, fmt::join(list, ", "));
    };
    switch (wanted_) {
      case Wanted::All:
        return missing.empty() ? PlainVerdict{true, says("contains", found)}
                               : PlainVerdict{false, says("does not contain", missing)};
      case Wanted::Any:
        return found.empty() ? PlainVerdict{false, says("contains none of", missing)}
                             : PlainVerdict{true, says("contains", found)};
      case Wanted::None:
        return found.empty() ? PlainVerdict{true, says("does not contain", missing)}
                             : PlainVerdict{false, says("contains", found)};
    }
    throw std::logic_error("a wish that is none");
  }

 private:
  std::vector<Literal> texts_;
  Wanted wanted_;
};

template <Contains::Wanted Wanted>
std::unique_ptr<PlainCheck> make_contains(const YAML::Node& node, const YamlPlace& at) {
  return std::make_unique<Contains>(read_texts(node, at), Wanted, at.ignore_case);
}

class Regex : public PlainCheck {
 public:
  Regex(const std::string& pattern, bool wanted, const YamlPlace& at)
      : regex_(pattern, regex_options(at.ignore_case, false)), wanted_(wanted) {
    if (regex_.ok()) return;
    throw Error(fmt::format("the regular expression '{}' does not compile: {}",
                            cut_to_columns(pattern, 60), regex_.error()),
                at.place, "the syntax is RE2's, without look-around and back-references");
  }

  std::string description() const override {
    return fmt::format("{} /{}/", wanted_ ? "matches" : "does not match",
                       cut_to_columns(regex_.pattern(), 60));
  }

  PlainVerdict evaluate(std::string_view text, const Json&) const override {
    re2::StringPiece match;
    const re2::StringPiece whole(text.data(), text.size());
    const bool found =
        regex_.Match(whole, 0, whole.size(), RE2::UNANCHORED, &match, /*nsubmatch=*/1);
    const std::string pattern = cut_to_columns(regex_.pattern(), 60);
    if (!found) return {!wanted_, fmt::format("does not match /{}/", pattern)};
    return {wanted_, fmt::format("matches /{}/ with '{}'", pattern,
                                 cut_to_columns({match.data(), match.size()}, 60))};
  }

 private:
  RE2 regex_;
  bool wanted_;
};

template <bool Wanted>
std::unique_ptr<PlainCheck> make_regex(const YAML::Node& node, const YamlPlace& at) {
  const auto pattern = yaml_value<std::string>(node, at.key, at.place);
  if (pattern.empty())
    throw Error(
        fmt::format("the key '{}' has an empty pattern, which every answer matches", at.key),
        at.place);
  return std::make_unique<Regex>(pattern, Wanted, at);
}

// Equal to a text, or beginning with it.
class Equals : public PlainCheck {
 public:
  Equals(const Text& wanted, bool whole, bool ignore_case)
      : wanted_({std::string(trim(wanted.text)), wanted.field}, ignore_case), whole_(whole) {}

  std::string description() const override {
    return fmt::format("{} {}", whole_ ? "equals" : "starts with", wanted_.text().shown());
  }

  std::vector<std::string> fields() const override {
    if (wanted_.text().field.empty()) return {};
    return {wanted_.text().field};
  }

  PlainVerdict evaluate(std::string_view text, const Json& fields) const override {
    const std::string wanted(
        trim(whole_ ? wanted_.text().of(fields) : wanted_.text().something_of(fields)));
    const bool passed =
        wanted_.is_in(trim(text), wanted, whole_ ? RE2::ANCHOR_BOTH : RE2::ANCHOR_START);
    const char* verb =
        whole_ ? (passed ? "equals" : "is not") : (passed ? "starts with" : "does not start with");
    return {passed, fmt::format("{} '{}'", verb, cut_to_columns(wanted, 60))};
  }

 private:
  Literal wanted_;
  bool whole_;
};

template <bool Whole>
std::unique_ptr<PlainCheck> make_equals(const YAML::Node& node, const YamlPlace& at) {
  const Text text = read_text(node, at);
  if (!Whole && text.field.empty() && trim(text.text).empty())
    throw Error(
        fmt::format("the key '{}' has an empty text, with which every answer starts", at.key),
        at.place);
  return std::make_unique<Equals>(text, Whole, at.ignore_case);
}

size_t count_words(std::string_view text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space && !inside) ++words;
    inside = !space;
  }
  return words;
}

struct Unit {
  std::string_view name;
  size_t (*count)(std::string_view text);
};
constexpr Unit kUnits[] = {{"characters", count_characters}, {"words", count_words}};

class Length : public PlainCheck {
 public:
  Length(const YAML::Node& node, const YamlPlace& at) {
    if (!node.IsMap()) throw Error("'length' must be {min: N, max: N, unit: …}", at.place);
    for (const auto& entry : node) {
      const std::string name = data::yaml_key(entry.first);
      if (name == "min") {
        min_ = read_count(entry.second, name, at);
      } else if (name == "max") {
        max_ = read_count(entry.second, name, at);
      } else if (name == "unit") {
        read_unit(yaml_value<std::string>(entry.second, name, at.place), at);
      } else {
        throw data::unknown_yaml_key(name, std::vector{"min", "max", "unit"}, at.place);
      }
    }
    if (!min_ && !max_) throw Error("'length' has neither min nor max", at.place);
    if (min_ && max_ && *min_ > *max_)
      throw Error(fmt::format("'length' has min {} above max {}", *min_, *max_), at.place);
  }

  std::string description() const override { return "has " + wanted(); }

  PlainVerdict evaluate(std::string_view text, const Json&) const override {
    const size_t length = unit_->count(text);
    const bool passed = length >= min_.value_or(0) && (!max_ || length <= *max_);
    return {passed, fmt::format("has {} {}, wanted {}", length, unit_->name, wanted())};
  }

 private:
  std::string wanted() const {
    if (!max_) return fmt::format("at least {} {}", *min_, unit_->name);
    if (!min_) return fmt::format("at most {} {}", *max_, unit_->name);
    return fmt::format("{} to {} {}", *min_, *max_, unit_->name);
  }

  static size_t read_count(const YAML::Node& node, const std::string& name, const YamlPlace& at) {
    const int count = yaml_value<int>(node, name, at.place);
    if (count < 0) throw Error(fmt::format("'{}' is below 0", name), at.place);
    return static_cast<size_t>(count);
  }

  void read_unit(const std::string& name, const YamlPlace& at) {
    for (const Unit& one : kUnits) {
      if (one.name != name) continue;
      unit_ = &one;
      return;
    }
    throw Error(
        fmt::format("unknown unit '{}'; known: characters, words", cut_to_columns(name, 60)),
        at.place);
  }

  std::optional<size_t> min_, max_;
  const Unit* unit_ = &kUnits[0];
};

std::unique_ptr<PlainCheck> make_length(const YAML::Node& node, const YamlPlace& at) {
  return std::make_unique<Length>(node, at);
}

class IsJson : public PlainCheck {
 public:
  explicit IsJson(std::optional<JsonSchema> schema) : schema_(std::move(schema)) {}

  std::string description() const override {
    return schema_ ? "is JSON of " + schema_->name() : "is JSON";
  }

  PlainVerdict evaluate(std::string_view text, const Json&) const override {
    const nlohmann::json value = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    if (value.is_discarded()) {
      const bool fenced = trim(text).starts_with("```");
      return {false, fenced ? "is not JSON: it stands in a code fence" : "is not JSON"};
    }
    const std::string wrong = schema_ ? schema_->what_is_wrong(value) : "";
    return {wrong.empty(), wrong.empty() ? description() : wrong};
  }

 private:
  std::optional<JsonSchema> schema_;
};

std::unique_ptr<PlainCheck> make_json(const YAML::Node& node, const YamlPlace& at) {
  if (!yaml_value<bool>(node, at.key, at.place))
    throw Error("'json: false' checks nothing", at.place, "leave the check out");
  return std::make_unique<IsJson>(std::nullopt);
}

std::unique_ptr<PlainCheck> make_json_schema(const YAML::Node& node, const YamlPlace& at) {
  return std::make_unique<IsJson>(JsonSchema::read(node, at));
}

class Similar : public PlainCheck {
 public:
  Similar(const YAML::Node& node, const YamlPlace& at) {
    if (!node.IsMap()) throw Error("'similarity' must be {to: FIELD, at_least: N}", at.place);
    for (const auto& entry : node) {
      const std::string name = data::yaml_key(entry.first);
      if (name == "to") {
        field_ = yaml_value<std::string>(entry.second, name, at.place);
      } else if (name == "at_least") {
        at_least_ = yaml_value<double>(entry.second, name, at.place);
      } else if (name == "measure") {
        read_measure(yaml_value<std::string>(entry.second, name, at.place), at);
      } else {
        throw data::unknown_yaml_key(name, std::vector{"to", "at_least", "measure"}, at.place);
      }
    }
    if (!(at_least_ > 0) || at_least_ > 1)
      throw Error("'similarity' needs 'at_least', above 0 and at most 1", at.place);
  }

  std::string description() const override {
    return fmt::format("is like its field '{}' ({} at least {})", field_, measure_->name,
                       at_least_);
  }

  std::vector<std::string> fields() const override { return {field_}; }

  PlainVerdict evaluate(std::string_view text, const Json& fields) const override {
    const double measured = measure_->measure(text, Text{"", field_}.of(fields));
    return {measured >= at_least_, fmt::format("{} with '{}' is {:.2f}, wanted at least {}",
                                               measure_->name, field_, measured, at_least_)};
  }

 private:
  void read_measure(const std::string& name, const YamlPlace& at) {
    std::vector<std::string_view> known;
    for (const Similarity& one : similarities()) {
      known.push_back(one.name);
      if (one.name == name) measure_ = &one;
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Error(fmt::format("unknown measure '{}'; known: {}", cut_to_columns(name, 60),
                              fmt::join(known, ", ")),
                  at.place);
    }
  }

  std::string field_ = "reference";
  double at_least_ = std::nan("");
  const Similarity* measure_ = &similarities().front();
};

std::unique_ptr<PlainCheck> make_similarity(const YAML::Node& node, const YamlPlace& at) {
  return std::make_unique<Similar>(node, at);
}

constexpr PlainKind kPlainKinds[] = {
    {"contains", "a text, or a list: each of them", make_contains<Contains::Wanted::All>},
    {"contains_any", "a list: one of them at least", make_contains<Contains::Wanted::Any>},
    {"not_contains", "a text, or a list: none of them", make_contains<Contains::Wanted::None>},
    {"regex", "an RE2 regular expression that matches somewhere", make_regex<true>},
    {"not_regex", "one that matches nowhere", make_regex<false>},
    {"equals", "a text, white space at both ends aside", make_equals<true>},
    {"starts_with", "a text", make_equals<false>},
    {"length", "{min: N, max: N, unit: characters|words}", make_length},
    {"json", "true: the whole answer is JSON", make_json},
    {"json_schema", "a JSON Schema here, or the name of its file", make_json_schema},
    {"similarity", "{to: FIELD, measure: token_f1|rouge_l|levenshtein, at_least: N}",
     make_similarity},
};

}  // namespace

std::span<const PlainKind> plain_kinds() { return kPlainKinds; }

}  // namespace selene::check
