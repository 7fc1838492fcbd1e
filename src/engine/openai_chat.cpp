#include "engine/openai_chat.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"

namespace selene::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShownColumns = 300;
constexpr size_t kGarbageColumns = 80;

// Field by field: who owns the models, our name, continues, takes a grammar, takes any name,
// alternatives and the most of them, the field of the limit.
constexpr std::array<ServerKind, 6> kServerKinds{{
    {"llamacpp", "llama-server", true, true, true, 100, 5000, "max_tokens"},
    {"vllm", "vllm", true, false, false, 20, 20, "max_tokens"},
    {"sglang", "sglang", true, false, false, 20, 20, "max_tokens"},
    {"system", "openai", false, false, false, 20, 20, "max_completion_tokens"},
    {"openai", "openai", false, false, false, 20, 20, "max_completion_tokens"},
    {"", "other", false, false, false, 20, 20, "max_tokens"},
}};

const ServerKind& kind_of(std::string_view owned_by) {
  const auto found =
      std::find_if(kServerKinds.begin(), kServerKinds.end() - 1,
                   [&](const ServerKind& kind) { return kind.owned_by == owned_by; });
  return *found;
}

// Bytes that are no UTF-8 become U+FFFD: a server may cut a token's text inside of a character.
Json parse(std::string_view body) {
  return Json::parse(replace_invalid_utf8(body), nullptr, /*allow_exceptions=*/false);
}

const Json& null() {
  static const Json value;
  return value;
}

// Null when it is not there or `json` is no object.
const Json& field(const Json& json, const char* name) {
  if (!json.is_object()) return null();
  const auto found = json.find(name);
  return found == json.end() ? null() : *found;
}

std::string text_of(const Json& json) {
  return json.is_string() ? json.get<std::string>() : std::string();
}

std::int64_t count_of(const Json& json) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // So that sums stay numbers.
  return json.is_number_integer() ? std::clamp<std::int64_t>(json.get<std::int64_t>(), 0, kMost)
                                  : 0;
}

std::string not_json(std::string_view body) {
  return fmt::format("the answer is no JSON: '{}'", cut_to_columns(body, kGarbageColumns));
}

std::string wrong_shape(std::string_view what, std::string_view body) {
  return fmt::format("the answer is not {}: '{}'", what, cut_to_columns(body, kGarbageColumns));
}

// A path without its folders, which differ from machine to machine; "owner/model" stays.
std::string without_folders(const std::string& name) {
  const bool is_path = name.starts_with('/') || name.starts_with('.') || name.starts_with('~') ||
                       name.ends_with(".gguf");
  return is_path ? name.substr(name.find_last_of("/\\") + 1) : name;
}

std::string details_of(const Json& model, const std::string& name) {
  const std::string id = text_of(field(model, "id"));
  const std::string root = text_of(field(model, "root"));
  std::string details = without_folders(root.empty() ? id : root);
  if (details == name) details.clear();
  const Json& meta = field(model, "meta");
  for (const char* key : {"n_params", "size"}) {
    const Json& value = field(meta, key);
    if (!value.is_number()) continue;
    details += fmt::format("{}{} {}", details.empty() ? "" : ", ", key, count_of(value));
  }
  return details;
}

bool has_name(const Json& model, const std::string& name) {
  const Json& aliases = field(model, "aliases");
  return text_of(field(model, "id")) == name ||
         (aliases.is_array() &&
          std::find(aliases.begin(), aliases.end(), Json(name)) != aliases.end());
}

std::string bytes_or_text(const Json& token) {
  const Json& bytes = field(token, "bytes");
  if (!bytes.is_array()) return text_of(field(token, "token"));
  std::string text;
  for (const Json& byte : bytes) text += static_cast<char>(count_of(byte));
  return text;
}

std::optional<Alternative> parse_alternative(const Json& json) {
  const Json& log_prob = field(json, "logprob");
  if (!log_prob.is_number()) return std::nullopt;
  return Alternative{bytes_or_text(json), std::min(0.0, log_prob.get<double>())};
}

AnswerToken parse_token(const Json& json) {
  AnswerToken token{.text = bytes_or_text(json), .alternatives = {}};
  const Json& others = field(json, "top_logprobs");
  if (!others.is_array()) return token;
  bool listed = false;
  double least = 0;
  for (const Json& other : others) {
    auto alternative = parse_alternative(other);
    if (!alternative) continue;
    listed |= alternative->text == token.text;
    least = std::min(least, alternative->log_prob);
    token.alternatives.push_back(std::move(*alternative));
  }
  // A token that is not among the most probable is less probable than they are; llama-server says 1
  // of one that its grammar forced.
  auto itself = parse_alternative(json);
  if (itself && !listed && !token.alternatives.empty() && itself->log_prob <= least) {
    token.alternatives.push_back(std::move(*itself));
  }
  return token;
}

std::string quoted_for_grammar(std::string_view choice) {
  std::string text = "\"";
  for (char c : choice) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += std::string("\\") + c;
    } else if (byte < 0x20) {
      text += fmt::format("\\x{:02X}", byte);
    } else {
      text += c;
    }
  }
  return text + "\"";
}

}  // namespace

std::span<const ServerKind> server_kinds() { return kServerKinds; }

ServedModel unlisted_model(const std::string& asked) {
  if (asked.empty()) throw Error("the server has no list of its models", "", "name one: URL#model");
  return {.kind = &kServerKinds.back(), .model = asked, .name = without_folders(asked)};
}

bool is_same_model(std::string_view asked, std::string_view answered) {
  if (!answered.starts_with(asked)) return false;
  const std::string_view rest = answered.substr(asked.size());
  const bool is_date = rest.starts_with('-') && rest.size() > 1 &&
                       rest.find_first_not_of("0123456789-") == std::string_view::npos;
  return rest.empty() || rest == ":latest" || is_date;
}

ServedModel parse_models(std::string_view body, const std::string& asked) {
  const Json json = parse(body);
  if (json.is_discarded()) return {.unclear = not_json(body)};
  const Json& models = field(json, "data");
  if (!models.is_array()) return {.unclear = wrong_shape("a list of models", body)};
  if (models.empty()) return unlisted_model(asked);
  if (asked.empty() && models.size() > 1) {
    std::string names;
    for (const Json& model : models) {
      names += (names.empty() ? "" : ", ") + text_of(field(model, "id"));
    }
    throw Error(
        fmt::format("the server has several models: {}", cut_to_columns(names, kShownColumns)), "",
        "name one: URL#model");
  }
  auto model = models.begin();
  if (!asked.empty()) {
    model = std::find_if(models.begin(), models.end(),
                         [&](const Json& one) { return has_name(one, asked); });
  }
  const bool listed = model != models.end();
  const ServerKind& kind = kind_of(text_of(field(listed ? *model : models.front(), "owned_by")));
  const bool known = listed || (models.size() == 1 && kind.takes_any_name);
  ServedModel served{.kind = &kind, .model = asked};
  if (asked.empty()) served.model = text_of(field(*model, "id"));
  if (served.model.empty()) return {.unclear = wrong_shape("a list of models", body)};
  served.name = without_folders(served.model);
  if (known && !listed) served.instead = without_folders(text_of(field(models.front(), "id")));
  if (known) served.details = details_of(listed ? *model : models.front(), served.name);
  return served;
}

std::string chat_body(const ServedModel& served, const ChatCall& call) {
  Json body{{"model", served.model}, {"messages", Json::array()}};
  for (const Message& message : call.messages) {
    body["messages"].push_back({{"role", message.role}, {"content", message.content}});
  }
  if (call.continues_last) {
    body["continue_final_message"] = true;
    body["add_generation_prompt"] = false;
  }
  body[std::string(served.kind->max_tokens_field)] = call.max_tokens;
  if (!call.stop.empty()) body["stop"] = Json::array({call.stop});
  body["temperature"] = call.sampling.temperature;
  if (call.sampling.temperature > 0) {
    body["seed"] = call.sampling.seed & 0x7FFFFFFF;  // What every server takes.
  }
  if (call.alternatives > 0) {
    body["logprobs"] = true;
    body["top_logprobs"] = call.alternatives;
  }
  if (!call.grammar.empty()) body["grammar"] = call.grammar;
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string short_body(std::string_view chat_body) {
  constexpr int kMostTokens = 4;
  Json body = parse(chat_body);
  for (Json& message : body["messages"]) message["content"] = "Hello";
  for (const char* limit : {"max_tokens", "max_completion_tokens"}) {
    if (body.contains(limit)) body[limit] = std::min(body[limit].get<int>(), kMostTokens);
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string choice_grammar(std::span<const std::string> choices) {
  std::string grammar;
  for (const std::string& choice : choices) {
    grammar += (grammar.empty() ? "root ::= " : " | ") + quoted_for_grammar(choice);
  }
  return grammar;
}

ChatAnswer parse_chat_answer(std::string_view body) {
  ChatAnswer answer;
  const Json json = parse(body);
  if (json.is_discarded()) {
    answer.unclear = not_json(body);
    return answer;
  }
  const Json& choices = field(json, "choices");
  const Json& choice = choices.is_array() && !choices.empty() ? choices.front() : null();
  const Json& message = field(choice, "message");
  const Json& content = field(message, "content");
  if (!message.is_object() || !(content.is_string() || content.is_null())) {
    answer.unclear = wrong_shape("a chat completion", body);
    return answer;
  }
  answer.text = content.is_string() ? text_of(content) : text_of(field(message, "refusal"));
  answer.invalid_utf8 = !is_valid_utf8(body) && answer.text.find("\uFFFD") != std::string::npos;
  answer.cut = text_of(field(choice, "finish_reason")) == "length";
  answer.model = text_of(field(json, "model"));
  const Json& tokens = field(field(choice, "logprobs"), "content");
  if (tokens.is_array()) {
    for (const Json& token : tokens) answer.tokens.push_back(parse_token(token));
  }
  const Json& usage = field(json, "usage");
  answer.has_usage = field(usage, "prompt_tokens").is_number_integer();
  answer.prompt_tokens = count_of(field(usage, "prompt_tokens"));
  answer.cached_tokens = count_of(field(field(usage, "prompt_tokens_details"), "cached_tokens"));
  answer.generated_tokens = count_of(field(usage, "completion_tokens"));
  return answer;
}

std::string error_message(std::string_view body) {
  const Json json = parse(body);
  const Json& error = field(json, "error");
  for (const Json* place :
       {&field(error, "message"), &error, &field(json, "message"), &field(json, "detail")}) {
    if (place->is_string()) return cut_to_columns(text_of(*place), kShownColumns);
  }
  return cut_to_columns(body, kShownColumns);
}

bool is_about_the_request(std::string_view body) {
  std::string text(body);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  constexpr std::string_view kSigns[] = {"context_length_exceeded", "exceed_context_size",
                                         "context length",          "context size",
                                         "context window",          "content_filter",
                                         "content_policy",          "content management policy"};
  return std::any_of(std::begin(kSigns), std::end(kSigns),
                     [&](std::string_view sign) { return text.find(sign) != std::string::npos; });
}

}  // namespace selene::engine
