#include "check/json_schema.h"

#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "check/yaml_json.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "judge/yaml_values.h"

namespace selene::check {
namespace {

using nlohmann::json;

json read_schema_file(const std::string& name, const YamlPlace& at) {
  const std::filesystem::path path = at.file.parent_path() / name;
  if (!std::filesystem::exists(path))
    throw Error(fmt::format("there is no file '{}'", path.string()), at.place);
  const std::string text = read_file(path);
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw Error("not JSON, so no JSON schema", path.string());
  return value;
}

// valijson takes a `type` that is none, a pattern that does not compile and a misspelt keyword.
void check_schema(const json& schema, const std::string& place) {
  if (!schema.is_object()) return;
  if (const auto type = schema.find("type"); type != schema.end()) {
    constexpr std::string_view kTypes[] = {"array",  "boolean", "integer", "null",
                                           "number", "object",  "string"};
    for (const json& one : type->is_array() ? *type : json::array({*type})) {
      if (one.is_string() && std::find(std::begin(kTypes), std::end(kTypes),
                                       one.get<std::string>()) != std::end(kTypes))
        continue;
      throw Error(fmt::format("this is no JSON schema: the type {} is none of {}",
                              cut_to_columns(one.dump(), 60), fmt::join(kTypes, ", ")),
                  place);
    }
  }
  if (const auto pattern = schema.find("pattern");
      pattern != schema.end() && pattern->is_string()) {
    try {
      const std::regex regex(pattern->get<std::string>());
    } catch (const std::regex_error&) {
      throw Error(fmt::format("this is no JSON schema: the pattern {} does not compile",
                              cut_to_columns(pattern->dump(), 60)),
                  place);
    }
  }
  for (const auto& [key, value] : schema.items()) {
    const bool holds_schemas =
        key == "properties" || key == "patternProperties" || key == "definitions";
    if (holds_schemas && value.is_object()) {
      for (const json& inner : value) check_schema(inner, place);
    } else if (key == "items" || key == "additionalProperties" || key == "not") {
      check_schema(value, place);
    } else if (key == "allOf" || key == "anyOf" || key == "oneOf") {
      for (const json& inner : value) check_schema(inner, place);
    }
  }
}

}  // namespace

struct JsonSchema::Parsed {
  valijson::Schema schema;
};

JsonSchema JsonSchema::read(const YAML::Node& node, const YamlPlace& at) {
  const bool is_file = node.IsScalar();
  const std::string file =
      is_file ? judge::yaml_value<std::string>(node, at.key, at.place) : std::string();
  const json text =
      is_file ? read_schema_file(file, at) : json(yaml_to_json(node, at.file.string()));
  const std::string place = is_file ? (at.file.parent_path() / file).string() : at.place;
  if (!text.is_object()) throw Error("this is no JSON schema, which is an object", place);
  check_schema(text, place);
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
