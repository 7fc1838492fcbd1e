#include "check/yaml_json.h"

#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "data/yaml_values.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 64;
constexpr size_t kMostValues = 100'000;

Json plain_scalar(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const Json value = Json::parse(text, nullptr, false);
  if (!value.is_number()) return text;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) return text;
    if (number == std::floor(number) && std::abs(number) < 1e15)
      return static_cast<std::int64_t>(number);
  }
  return value;
}

Json to_json(const YAML::Node& node, std::string_view file, int depth, size_t& values) {
  if (depth > kDeepest) throw Error("nested too deep", data::yaml_place(node, file));
  if (++values > kMostValues)
    throw Error(fmt::format("a value of more than {} parts", kMostValues),
                data::yaml_place(node, file));
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const YAML::Node& item : node) list.push_back(to_json(item, file, depth + 1, values));
    return list;
  }
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node)
      object[data::yaml_key(entry.first)] = to_json(entry.second, file, depth + 1, values);
    return object;
  }
  if (!node.IsScalar()) return nullptr;
  return node.Tag() == "!" ? Json(node.Scalar()) : plain_scalar(node.Scalar());
}

}  // namespace

Json yaml_to_json(const YAML::Node& node, std::string_view file) {
  size_t values = 0;
  return to_json(node, file, 0, values);
}

}  // namespace selene::check
