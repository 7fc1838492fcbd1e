// Ledger records as JSON: the same form in the database, in exports and in imports.
#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"
#include "judge/ledger.h"
#include "judge/prompt.h"

namespace selene::judge {
namespace {

using Json = nlohmann::ordered_json;

Json engine_json(const engine::EngineId& id) {
  return {{"name", id.name},
          {"model", id.model},
          {"adapter", id.adapter},
          {"version", id.version},
          {"options", id.options}};
}

Json request_json(const engine::Request& request) {
  Json messages = Json::array();
  for (const engine::Message& message : request.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  return {{"messages", messages},
          {"answer_start", request.answer_start},
          {"max_tokens", request.max_tokens},
          {"stop", request.stop},
          {"temperature", request.sampling.temperature},
          {"seed", request.sampling.seed},
          {"mark", request.mark},
          {"labels", request.labels}};
}

Json result_json(const engine::Result& result) {
  Json row = {{"text", result.text},
              {"truncated", result.truncated},
              {"invalid_utf8", result.invalid_utf8},
              {"label_log_probs", result.label_log_probs},
              {"label_read", result.label_read ? Json(*result.label_read) : Json(nullptr)},
              {"unreadable", result.unreadable},
              {"prompt_tokens", result.prompt_tokens},
              {"generated_tokens", result.generated_tokens}};
  return row;
}

// An impossible label has the log-probability -inf, which JSON writes as null.
std::vector<double> read_log_probs(const Json& list) {
  std::vector<double> values;
  for (const Json& item : list) {
    values.push_back(item.is_null() ? -std::numeric_limits<double>::infinity()
                                    : item.get<double>());
  }
  return values;
}

Json record_json(const Record& record) {
  const Json result = result_json(record.result);
  const Json row = {
      {"key", record.key},
      {"engine", engine_json(record.engine)},
      {"template", {{"name", record.template_name}, {"digest", record.template_digest}}},
      {"request", request_json(record.request)},
      {"result", result},
      {"result_sha256", sha256(result.dump())}};
  return row;
}

// The first key of `given`, at any depth, that `known` has not.
std::optional<std::string> unknown_key(const Json& given, const Json& known) {
  if (given.is_array() && known.is_array()) {
    for (size_t i = 0; i < std::min(given.size(), known.size()); ++i) {
      if (auto key = unknown_key(given[i], known[i])) return key;
    }
  }
  if (!given.is_object() || !known.is_object()) return std::nullopt;
  for (const auto& [key, value] : given.items()) {
    if (!known.contains(key)) return key;
    if (auto inner = unknown_key(value, known.at(key))) return inner;
  }
  return std::nullopt;
}

void check_result(const Record& record) {
  const size_t labels = record.request.labels.size();
  const std::vector<double>& log_probs = record.result.label_log_probs;
  const bool fits = (log_probs.empty() || log_probs.size() == labels) &&
                    (!record.result.label_read || *record.result.label_read < labels);
  if (!fits) throw Error("not a ledger record: the result does not fit the labels");
  constexpr double kRounding = 1e-6;
  if (std::any_of(log_probs.begin(), log_probs.end(), [](double p) { return p > kRounding; }))
    throw Error("not a ledger record: a log-probability is above 0");
}

}  // namespace

std::string record_to_json(const Record& record) { return record_json(record).dump(); }

Record record_from_json(std::string_view text) {
  const Json row = data::parse_object(text);
  Record record;
  std::string result_sha256;
  try {
    record.key = row.at("key").get<std::string>();
    const Json& engine = row.at("engine");
    record.engine = {.name = engine.at("name"),
                     .model = engine.at("model"),
                     .adapter = engine.at("adapter"),
                     .version = engine.at("version"),
                     .options = engine.at("options")};
    record.template_name = row.at("template").at("name").get<std::string>();
    record.template_digest = row.at("template").at("digest").get<std::string>();
    const Json& request = row.at("request");
    for (const Json& message : request.at("messages")) {
      record.request.messages.push_back({message.at("role"), message.at("content")});
    }
    record.request.answer_start = request.at("answer_start").get<std::string>();
    record.request.max_tokens = request.at("max_tokens").get<int>();
    record.request.stop = request.at("stop").get<std::string>();
    record.request.sampling.temperature = request.at("temperature").get<double>();
    record.request.sampling.seed = request.at("seed").get<std::uint64_t>();
    record.request.mark = request.at("mark").get<std::string>();
    record.request.labels = request.at("labels").get<std::vector<std::string>>();
    const Json& result = row.at("result");
    record.result.text = result.at("text").get<std::string>();
    record.result.truncated = result.at("truncated").get<bool>();
    record.result.invalid_utf8 = result.at("invalid_utf8").get<bool>();
    record.result.label_log_probs = read_log_probs(result.at("label_log_probs"));
    if (!result.at("label_read").is_null())
      record.result.label_read = result.at("label_read").get<size_t>();
    record.result.unreadable = result.at("unreadable").get<std::string>();
    record.result.prompt_tokens = result.at("prompt_tokens").get<std::int64_t>();
    record.result.generated_tokens = result.at("generated_tokens").get<std::int64_t>();
    result_sha256 = row.value("result_sha256", "");
  } catch (const Json::exception& failure) {
    throw Error("not a ledger record: " + data::json_reason(failure), "",
                "give what selene ledger export wrote");
  }
  const Json known = record_json(record);
  if (const auto key = unknown_key(row, known)) {
    throw Error(fmt::format("not a ledger record: unknown key '{}'", cut_to_columns(*key, 60)), "",
                "give what selene ledger export wrote");
  }
  check_result(record);
  if (request_key(record.engine, record.template_digest, record.request) != record.key) {
    throw Error("the record's key is not the digest of its request", "",
                "it was changed or made by another version");
  }
  // Records of earlier versions have none.
  if (!result_sha256.empty() && result_sha256 != known.at("result_sha256"))
    throw Error("the record's result was changed: it has another digest");
  return record;
}

}  // namespace selene::judge
