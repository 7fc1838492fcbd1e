#include "curate/row.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;

Json sample_json(const data::Sample& sample) {
  Json json = Json::object();
  json["id"] = data::id_to_json(sample.id, sample.id_is_integer);
  json["task"] = data::task_name(sample.task);
  json["input"] = sample.input;
  if (sample.context) json["context"] = *sample.context;
  if (sample.task == data::Task::Pairwise) {
    json["response_a"] = sample.response_a;
    json["response_b"] = sample.response_b;
  } else {
    json["response"] = sample.response;
  }
  if (sample.reference) json["reference"] = *sample.reference;
  if (sample.criteria) json["criteria"] = *sample.criteria;
  if (!sample.rubric.empty()) {
    json["rubric"] = Json::object();
    for (const auto& [label, text] : sample.rubric) json["rubric"][label] = text;
  }
  json["labels"] = sample.labels;
  if (sample.label) json["label"] = *sample.label;
  if (sample.group) json["group"] = *sample.group;
  for (const auto& [key, value] : sample.extra.items()) json[key] = value;
  return json;
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> optional_number(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

Json pair_json(const Pair& pair) {
  return {{"kind", pair.kind},
          {"template", pair.template_name},
          {"prompt", messages_json(pair.prompt)},
          {"chosen", pair.chosen},
          {"rejected", pair.rejected},
          {"label", pair.label},
          {"rejected_label", pair.rejected_label},
          {"chosen_origin", pair.chosen_origin},
          {"rejected_origin", pair.rejected_origin},
          {"word", pair.word},
          {"rejected_word", pair.rejected_word},
          {"mark", pair.mark},
          {"words", pair.words},
          {"template_digest", pair.template_digest},
          {"chosen_score", optional_json(pair.chosen_score)},
          {"rejected_score", optional_json(pair.rejected_score)},
          {"split", pair.split}};
}

Pair pair_from_json(const Json& json) {
  Pair pair;
  pair.kind = json.at("kind").get<std::string>();
  pair.template_name = json.at("template").get<std::string>();
  for (const Json& message : json.at("prompt")) {
    pair.prompt.push_back(
        {message.at("role").get<std::string>(), message.at("content").get<std::string>()});
  }
  pair.chosen = json.at("chosen").get<std::string>();
  pair.rejected = json.at("rejected").get<std::string>();
  pair.label = json.at("label").get<std::string>();
  pair.rejected_label = json.at("rejected_label").get<std::string>();
  pair.chosen_origin = json.at("chosen_origin").get<std::string>();
  pair.rejected_origin = json.at("rejected_origin").get<std::string>();
  pair.word = json.at("word").get<std::string>();
  pair.rejected_word = json.at("rejected_word").get<std::string>();
  pair.mark = json.at("mark").get<std::string>();
  pair.words = json.at("words").get<std::vector<std::string>>();
  pair.template_digest = json.at("template_digest").get<std::string>();
  pair.chosen_score = optional_number(json, "chosen_score");
  pair.rejected_score = optional_number(json, "rejected_score");
  pair.split = json.at("split").get<std::string>();
  return pair;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

Json to_json(const Row& row) {
  Json json = {{"id", row.id}, {"source", row.source}, {"sample", sample_json(row.sample)}};
  if (!row.critiques.empty()) {
    Json& list = json["critiques"] = Json::array();
    for (const Critique& one : row.critiques)
      list.push_back({{"label", one.label}, {"text", one.text}, {"origin", one.origin}});
  }
  if (row.agreement) json["agreement"] = *row.agreement;
  if (!row.topic.empty()) json["topic"] = row.topic;
  if (!row.judged.empty()) json["judged"] = data::to_json(row.judged);
  if (!row.history.empty()) {
    Json& list = json["history"] = Json::array();
    for (const Change& one : row.history) list.push_back({one.step, one.what});
  }
  if (row.pair) json["pair"] = pair_json(*row.pair);
  return json;
}

Row row_from_json(const Json& json) {
  try {
    Row row;
    row.id = json.at("id").get<std::string>();
    row.source = json.at("source").get<std::string>();
    row.sample = data::sample_from_json(json.at("sample"), 0);
    if (const auto list = json.find("critiques"); list != json.end()) {
      for (const Json& one : *list) {
        row.critiques.push_back({one.at("label").get<std::string>(),
                                 one.at("text").get<std::string>(),
                                 one.at("origin").get<std::string>()});
      }
    }
    row.agreement = optional_number(json, "agreement");
    row.topic = json.value("topic", "");
    if (const auto judged = json.find("judged"); judged != json.end()) {
      for (const auto& [label, probability] : judged->items())
        row.judged.emplace_back(label, probability.get<double>());
    }
    if (const auto list = json.find("history"); list != json.end()) {
      for (const Json& one : *list)
        row.history.push_back({one.at(0).get<std::string>(), one.at(1).get<std::string>()});
    }
    if (const auto pair = json.find("pair"); pair != json.end()) row.pair = pair_from_json(*pair);
    return row;
  } catch (const Json::exception&) {
    throw Error("this is no row of a curation");
  }
}

Json messages_json(const std::vector<engine::Message>& messages) {
  Json json = Json::array();
  for (const engine::Message& message : messages)
    json.push_back({{"role", message.role}, {"content", message.content}});
  return json;
}

void swap_sides(Row& row) {
  row.sample = data::swapped(row.sample);
  for (Critique& one : row.critiques) {
    one.label = data::swapped_label(one.label);
    replace_all(one.text, "{A}", "{\x01}");
    replace_all(one.text, "{B}", "{A}");
    replace_all(one.text, "{\x01}", "{B}");
  }
  for (auto& [label, probability] : row.judged) label = data::swapped_label(label);
}

std::string shown(const Row& row, std::string_view critique) {
  std::string text(critique);
  if (row.sample.task != data::Task::Pairwise) return text;
  replace_all(text, "{A}", "A");
  replace_all(text, "{B}", "B");
  return text;
}

std::vector<std::string_view> judged_texts(const data::Sample& sample) {
  std::vector<std::string_view> texts{sample.input};
  if (sample.context) texts.push_back(*sample.context);
  if (sample.task == data::Task::Pairwise) {
    texts.push_back(sample.response_a);
    texts.push_back(sample.response_b);
  } else {
    texts.push_back(sample.response);
  }
  if (sample.reference) texts.push_back(*sample.reference);
  return texts;
}

std::string excerpt(const data::Sample& sample, size_t columns) {
  const auto start = [](std::string_view text) { return text.substr(0, 2000); };
  const std::string responses =
      sample.task == data::Task::Pairwise
          ? fmt::format("{} | {}", start(sample.response_a), start(sample.response_b))
          : std::string(start(sample.response));
  const std::string input = cut_to_columns(start(sample.input), columns / 2);
  return cut_to_columns(replace_invalid_utf8(fmt::format("{} | {}", input, responses)), columns);
}

}  // namespace selene::curate
