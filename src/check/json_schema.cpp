// valijson 1.0 matches `pattern`, `patternProperties` and `format` with std::regex, which recurses
// for each character and can take exponential time. In its namespace the name `std` finds ours
// first: std::regex is RE2 there, everything else is as ever.
#include "check/json_schema.h"

#include <algorithm>
#include <charconv>
#include <regex>
#include <set>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>
#include <valijson/internal/uri.hpp>  // Before the following: its pattern is none of RE2's.

namespace valijson::std {

using namespace ::std;

class regex {
 public:
  explicit regex(const string& pattern) : compiled_(make_shared<const RE2>(pattern, options())) {}
  bool ok() const { return compiled_->ok(); }
  const string& error() const { return compiled_->error(); }
  const RE2& get() const { return *compiled_; }

 private:
  static RE2::Options options() {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(64 << 20);
    return options;
  }
  shared_ptr<const RE2> compiled_;
};

class smatch {
 public:
  struct Group {
    re2::StringPiece text;
    string str() const { return string(text.data(), text.size()); }
  };
  const Group& operator[](size_t index) const { return groups_.at(index); }
  void set(vector<Group> groups) { groups_ = move(groups); }

 private:
  vector<Group> groups_;
};

inline bool regex_search(const string& text, const regex& pattern) {
  return RE2::PartialMatch(text, pattern.get());
}

inline bool regex_match(const string& text, const regex& pattern) {
  return RE2::FullMatch(text, pattern.get());
}

inline bool regex_match(const string& text, smatch& match, const regex& pattern) {
  vector<re2::StringPiece> pieces(static_cast<size_t>(pattern.get().NumberOfCapturingGroups()) + 1);
  if (!pattern.get().Match(text, 0, text.size(), RE2::ANCHOR_BOTH, pieces.data(),
                           static_cast<int>(pieces.size())))
    return false;
  vector<smatch::Group> groups;
  for (const re2::StringPiece& piece : pieces) groups.push_back({piece});
  match.set(move(groups));
  return true;
}

}  // namespace valijson::std

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/internal/json_pointer.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "check/answers.h"
#include "check/similarity.h"
#include "check/yaml_json.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

using nlohmann::json;

json read_schema_file(const std::string& name, const YamlPlace& at) {
  const std::filesystem::path path = at.file.parent_path() / name;
  if (!path_exists(path))
    throw Error(fmt::format("there is no file '{}'", path.string()), at.place);
  const std::string text = read_file(path);
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw Error("not JSON, so no JSON schema", path.string());
  return value;
}

// Deeper ones could exhaust the stack: valijson follows schemas and values by recursion.
constexpr int kDeepestSchema = 64;
constexpr int kDeepestValue = 256;

// Keywords of draft 7 that say something against a value.
constexpr std::string_view kAsserting[] = {"additionalItems",
                                           "additionalProperties",
                                           "allOf",
                                           "anyOf",
                                           "const",
                                           "contains",
                                           "dependencies",
                                           "else",
                                           "enum",
                                           "exclusiveMaximum",
                                           "exclusiveMinimum",
                                           "format",
                                           "if",
                                           "items",
                                           "maxItems",
                                           "maxLength",
                                           "maxProperties",
                                           "maximum",
                                           "minItems",
                                           "minLength",
                                           "minProperties",
                                           "minimum",
                                           "multipleOf",
                                           "not",
                                           "oneOf",
                                           "pattern",
                                           "patternProperties",
                                           "properties",
                                           "propertyNames",
                                           "required",
                                           "then",
                                           "type",
                                           "uniqueItems"};
// Those that say nothing against one, of this draft and of others.
constexpr std::string_view kDescribing[] = {
    "$anchor",         "$comment",         "$defs",   "$id",         "$ref",       "$schema",
    "contentEncoding", "contentMediaType", "default", "definitions", "deprecated", "description",
    "example",         "examples",         "id",      "readOnly",    "title",      "writeOnly"};
constexpr std::string_view kLater[] = {
    "$dynamicRef", "$recursiveRef", "dependentRequired", "dependentSchemas",     "maxContains",
    "minContains", "prefixItems",   "unevaluatedItems",  "unevaluatedProperties"};

bool is_in(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The keyword that was meant by a slip of the keyboard; empty for a name of another kind.
std::string meant_keyword(const std::string& name) {
  std::vector<std::string> known(std::begin(kAsserting), std::end(kAsserting));
  known.insert(known.end(), std::begin(kDescribing), std::end(kDescribing));
  const std::string near = nearest_name(name, known);
  if (near.size() < 4) return "";  // "note" is no slip of "not".
  return edit_distance(name, near) <= (near.size() < 8 ? 1U : 2U) ? near : "";
}

bool is_deeper_than(const json& value, int levels) {
  if (!value.is_structured()) return false;
  return levels == 0 || std::any_of(value.begin(), value.end(), [&](const json& inner) {
           return is_deeper_than(inner, levels - 1);
         });
}

// Refuses what valijson takes though it is no schema, or one that it would follow without end.
class SchemaCheck {
 public:
  SchemaCheck(const json& root, const std::string& place) : root_(root), place_(place) {}

  void run() {
    if (is_deeper_than(root_, kDeepestSchema)) fail("it is nested too deep");
    open_.push_back(&root_);
    while (!open_.empty()) {
      const json* schema = open_.back();
      open_.pop_back();
      follow(*schema);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("this is no JSON schema: " + what, place_);
  }

  // Goes through the schemas that are asked of the same value as this one; those of its parts
  // become open.
  void follow(const json& schema) {
    if (!schema.is_object() || done_.contains(&schema)) return;
    if (std::find(path_.begin(), path_.end(), &schema) != path_.end())
      fail("a $ref in it leads back to itself, so that it never comes to an end");
    if (path_.size() >= kDeepestSchema) fail("it is nested too deep");
    path_.push_back(&schema);
    check_keywords(schema);
    if (const auto ref = schema.find("$ref"); ref != schema.end() && ref->is_string()) {
      follow(target_of(ref->get<std::string>()));
    } else {
      check_type(schema);
      check_multiple(schema);
      if (const auto pattern = schema.find("pattern"); pattern != schema.end())
        check_pattern(*pattern);
      for (const auto& [key, value] : schema.items()) go_into(key, value);
    }
    path_.pop_back();
    done_.insert(&schema);
  }

  void go_into(const std::string& key, const json& value) {
    const auto is_one_of = [&](std::initializer_list<std::string_view> keys) {
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    if (is_one_of({"not", "if", "then", "else"})) {
      follow(value);
    } else if (is_one_of({"allOf", "anyOf", "oneOf", "dependencies"})) {
      if (value.is_structured()) {
        for (const json& inner : value) follow(inner);
      }
    } else if (is_one_of({"additionalItems", "additionalProperties", "contains", "items",
                          "propertyNames"})) {
      open_.push_back(&value);
      if (value.is_array()) open_all(value);
    } else if (is_one_of({"definitions", "patternProperties", "properties"})) {
      if (key == "patternProperties" && value.is_object()) {
        for (const auto& entry : value.items()) check_pattern(entry.key());
      }
      if (value.is_object()) open_all(value);
    }
  }

  void open_all(const json& schemas) {
    for (const json& one : schemas) open_.push_back(&one);
  }

  // As valijson reads a JSON pointer.
  const json& target_of(const std::string& ref) const {
    const auto nowhere = [&] {
      fail(fmt::format("the $ref '{}' leads nowhere in it", cut_to_columns(ref, 60)));
    };
    if (!ref.starts_with('#')) nowhere();
    const json* at = &root_;
    for (auto from = ref.begin() + 1; from != ref.end();) {
      const auto to = std::find(from, ref.end(), '/');
      const std::string step = valijson::internal::json_pointer::extractReferenceToken(from, to);
      from = to == ref.end() ? to : to + 1;
      if (step.empty()) continue;
      if (at->is_object() && at->contains(step)) {
        at = &(*at)[step];
      } else if (size_t index = 0;
                 at->is_array() && parse_index(step, index) && index < at->size()) {
        at = &(*at)[index];
      } else {
        nowhere();
      }
    }
    return *at;
  }

  static bool parse_index(const std::string& text, size_t& index) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
    return failure == std::errc() && end == text.data() + text.size();
  }

  void check_type(const json& schema) const {
    const auto type = schema.find("type");
    if (type == schema.end()) return;
    constexpr std::string_view kTypes[] = {"array",  "boolean", "integer", "null",
                                           "number", "object",  "string"};
    for (const json& one : type->is_array() ? *type : json::array({*type})) {
      if (one.is_string() && std::find(std::begin(kTypes), std::end(kTypes),
                                       one.get<std::string>()) != std::end(kTypes))
        continue;
      fail(fmt::format("the type {} is none of {}", cut_to_columns(one.dump(), 60),
                       fmt::join(kTypes, ", ")));
    }
  }

  // valijson divides by it.
  void check_multiple(const json& schema) const {
    const auto multiple = schema.find("multipleOf");
    if (multiple == schema.end()) return;
    if (!multiple->is_number() || !(multiple->get<double>() > 0))
      fail(fmt::format("multipleOf must be a number above 0, not {}",
                       cut_to_columns(multiple->dump(), 60)));
  }

  // A keyword that is not applied would let every value pass. Notes of other names are allowed.
  void check_keywords(const json& schema) const {
    const bool refers = schema.contains("$ref") && schema["$ref"].is_string();
    for (const auto& entry : schema.items()) {
      const std::string& key = entry.key();
      const std::string shown = cut_to_columns(key, 60);
      if (refers && is_in(kAsserting, key)) {
        throw Error(
            fmt::format("the schema's '{}' stands beside a $ref, where it says nothing", shown),
            place_, "write allOf: [{$ref: …}, …]");
      }
      if (is_in(kLater, key)) {
        throw Error(fmt::format("the schema's '{}' is of a later draft than 7", shown), place_,
                    "it would not be applied: write it in draft 7, or leave it out");
      }
      if (is_in(kAsserting, key) || is_in(kDescribing, key)) continue;
      if (const std::string meant = meant_keyword(key); !meant.empty()) {
        throw Error(fmt::format("the schema's '{}' is no keyword", shown), place_,
                    fmt::format("did you mean '{}'?", meant));
      }
    }
  }

  void check_pattern(const json& pattern) const {
    if (!pattern.is_string()) return;  // valijson says it.
    const valijson::std::regex regex(pattern.get<std::string>());
    if (regex.ok()) return;
    throw Error(fmt::format("this is no JSON schema: the pattern {} does not compile: {}",
                            cut_to_columns(pattern.dump(), 60), regex.error()),
                place_, "the syntax is RE2's, without look-around and back-references");
  }

  const json& root_;
  const std::string& place_;
  std::vector<const json*> open_;
  std::vector<const json*> path_;
  std::set<const json*> done_;
};

}  // namespace

struct JsonSchema::Parsed {
  valijson::Schema schema;
};

JsonSchema JsonSchema::read(const YAML::Node& node, const YamlPlace& at) {
  const bool is_file = node.IsScalar();
  const std::string file =
      is_file ? data::yaml_value<std::string>(node, at.key, at.place) : std::string();
  const json text =
      is_file ? read_schema_file(file, at) : json(yaml_to_json(node, at.file.string()));
  const std::string place = is_file ? (at.file.parent_path() / file).string() : at.place;
  if (!text.is_object()) throw Error("this is no JSON schema, which is an object", place);
  SchemaCheck(text, place).run();
  JsonSchema schema;
  schema.name_ = text.contains("title") && text["title"].is_string()
                     ? fmt::format("'{}'", cut_to_columns(text["title"].get<std::string>(), 60))
                 : is_file ? file
                           : "the schema";
  auto parsed = std::make_shared<Parsed>();
  try {
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(text), parsed->schema);
  } catch (const std::exception& failure) {
    throw Error(fmt::format("this is no JSON schema: {}", cut_to_columns(failure.what(), 200)),
                place);
  }
  schema.parsed_ = std::move(parsed);
  return schema;
}

std::string JsonSchema::what_is_wrong(const json& value) const {
  if (is_deeper_than(value, kDeepestValue))
    return fmt::format("is nested deeper than {} levels", kDeepestValue);
  valijson::Validator validator;
  valijson::ValidationResults results;
  const valijson::adapters::NlohmannJsonAdapter target(value);
  if (validator.validate(parsed_->schema, target, &results)) return "";
  valijson::ValidationResults::Error first;
  std::string where;
  std::string what = "is not JSON of " + name_;
  if (results.popError(first)) {
    for (const std::string& step : first.context) where += step == "<root>" ? "" : step;
    what = first.description;
  }
  return where.empty() ? what : fmt::format("{}: {}", where, what);
}

}  // namespace selene::check
