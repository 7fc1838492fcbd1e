#include "model/json_fields.h"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::model {
namespace {

Error wrong_type(const char* key, const char* expected) {
  return Error(fmt::format("'{}' is not {}", key, expected));
}

}  // namespace

Json parse_object(std::string_view text, std::string_view what, int depth) {
  const auto look = [&](int at, Json::parse_event_t, const Json&) {
    if (at > depth) throw Error(fmt::format("{} is nested too deeply", what));
    return true;
  };
  try {
    Json json = Json::parse(text, look);
    if (!json.is_object()) throw Error(fmt::format("{} is no JSON object", what));
    return json;
  } catch (const Json::exception&) {
    throw Error(fmt::format("{} is not valid JSON", what), "", "fetch or copy the file again");
  }
}

const Json* find_field(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::uint64_t> whole_field(const Json& object, const char* key) {
  const Json* field = find_field(object, key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_number_unsigned()) throw wrong_type(key, "a whole number of at least 0");
  return field->get<std::uint64_t>();
}

std::optional<double> number_field(const Json& object, const char* key) {
  const Json* field = find_field(object, key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_number() || !std::isfinite(field->get<double>()))
    throw wrong_type(key, "a number");
  return field->get<double>();
}

std::optional<bool> flag_field(const Json& object, const char* key) {
  const Json* field = find_field(object, key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_boolean()) throw wrong_type(key, "true or false");
  return field->get<bool>();
}

std::optional<std::string> text_field(const Json& object, const char* key) {
  const Json* field = find_field(object, key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_string()) throw wrong_type(key, "a text");
  return field->get<std::string>();
}

double shortest(float number) { return std::strtod(fmt::format("{}", number).c_str(), nullptr); }

}  // namespace selene::model
