#include "data/judgment.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace selene::data {
namespace {

using Json = nlohmann::ordered_json;

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Part& part) {
  Json row = Json::object();
  row["judge"] = part.judge;
  row["order"] = part.order.empty() ? Json(nullptr) : Json(part.order);
  row["sample"] = part.sample;
  row["label"] = or_null(part.label);
  if (!part.label) row["unreadable"] = part.unreadable;
  row["probabilities"] = data::to_json(part.probabilities);
  row["critique"] = part.critique;
  row["flags"] = part.flags;
  row["key"] = part.key;
  return row;
}

}  // namespace

Json to_json(const Distribution& probabilities) {
  if (probabilities.empty()) return nullptr;
  Json object = Json::object();
  for (const auto& [label, probability] : probabilities) object[label] = probability;
  return object;
}

Json id_to_json(const std::string& id, bool is_integer) {
  return is_integer ? Json::parse(id) : Json(id);
}

Json to_json(const Judgment& judgment) {
  Json row = Json::object();
  row["id"] = id_to_json(judgment.id, judgment.id_is_integer);
  row["task"] = task_name(judgment.task);
  row["label"] = or_null(judgment.label);
  if (!judgment.label) row["unreadable"] = judgment.unreadable;
  if (judgment.skipped) row["skipped"] = true;
  row["probabilities"] = to_json(judgment.probabilities);
  if (judgment.score) row["score"] = *judgment.score;
  row["margin"] = or_null(judgment.margin);
  row["entropy"] = or_null(judgment.entropy);
  row["critique"] = judgment.critique;
  row["flags"] = judgment.flags;
  Json judge = Json::object();
  judge["name"] = judgment.judge.name;
  judge["model"] = judgment.judge.model;
  if (!judgment.judge.adapter.empty()) judge["adapter"] = judgment.judge.adapter;
  judge["template"] = judgment.judge.template_name;
  judge["mode"] = judgment.judge.mode;
  row["judge"] = std::move(judge);
  row["key"] = judgment.key;
  if (!judgment.parts.empty()) {
    row["parts"] = Json::array();
    for (const Part& part : judgment.parts) row["parts"].push_back(to_json(part));
  }
  row["extra"] = judgment.extra;
  return row;
}

std::optional<double> label_number(std::string_view label) {
  double value = 0;
  const auto [end, failure] = std::from_chars(label.data(), label.data() + label.size(), value);
  if (failure != std::errc() || end != label.data() + label.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<double> expected_score(const Distribution& probabilities) {
  if (probabilities.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [label, probability] : probabilities) {
    const std::optional<double> value = label_number(label);
    if (!value) return std::nullopt;
    sum += *value * probability;
  }
  return sum;
}

std::optional<double> margin(const Distribution& probabilities) {
  if (probabilities.size() < 2) return std::nullopt;
  double first = -1;
  double second = -1;
  for (const auto& [label, probability] : probabilities) {
    if (probability > first) {
      second = first;
      first = probability;
    } else {
      second = std::max(second, probability);
    }
  }
  return first - second;
}

std::optional<double> entropy_bits(const Distribution& probabilities) {
  if (probabilities.empty()) return std::nullopt;
  double bits = 0;
  for (const auto& [label, probability] : probabilities) {
    if (probability > 0) bits -= probability * std::log2(probability);
  }
  return bits;
}

std::optional<std::string> most_probable(const Distribution& probabilities) {
  if (probabilities.empty()) return std::nullopt;
  const auto best =
      std::max_element(probabilities.begin(), probabilities.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return best->first;
}

}  // namespace selene::data
