// Fields of a JSON object from a file that may hold anything: checked, and named in the Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace selene::model {

using Json = nlohmann::json;

// Throws Error (without a place) when `text` is not a JSON object, or is nested more than `depth`
// deep.
Json parse_object(std::string_view text, std::string_view what, int depth = 64);

// nullptr when it is absent or null.
const Json* find_field(const Json& object, const char* key);

// Each throws Error when the field is there and of another type.
std::optional<std::uint64_t> whole_field(const Json& object, const char* key);
std::optional<double> number_field(const Json& object, const char* key);
std::optional<bool> flag_field(const Json& object, const char* key);
std::optional<std::string> text_field(const Json& object, const char* key);

// The shortest decimal of a float as a double: 1e-05 and not 9.999999747378752e-06.
double shortest(float number);

}  // namespace selene::model
