// The chat format of OpenAI's API as the servers of open models speak it: what is sent, and what
// comes back. Pure text to text; no network here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/label_scores.h"

namespace selene::engine {

// What a kind of server can do beyond the common part, told by the `owned_by` of its models.
struct ServerKind {
  std::string_view owned_by;
  std::string_view name;
  bool continues;         // An assistant message at the end is continued (continue_final_message).
  bool takes_grammar;     // llama.cpp's GBNF, which keeps an answer to the labels.
  bool takes_any_name;    // It has one model, and calls it by its own name.
  int alternatives;       // That `top_logprobs` asks for.
  int most_alternatives;  // The same where a label was not among them.
  std::string_view max_tokens_field;
};

std::span<const ServerKind> server_kinds();  // The last one is for any other server.

// What a server says of itself (GET /models).
struct ServedModel {
  const ServerKind* kind = nullptr;
  std::string model{};    // To ask for.
  std::string name{};     // The same without the folders of a file.
  std::string instead{};  // Where it takes any name and has not this one: its own.
  std::string details{};  // What the server says that it is, when it says more than its name.
  std::string unclear{};  // Instead of all others: why the answer is no list of models.
};

// Whether a server that was asked for `asked` and calls itself `answered` has that model: the same
// name, or with a date (-2024-08-06, -0613) or a tag (:latest) after it.
bool is_same_model(std::string_view asked, std::string_view answered);

// `asked` empty: the server's only model; Error when it has several, which names them.
ServedModel parse_models(std::string_view body, const std::string& asked);
// The server has no such list.
ServedModel unlisted_model(const std::string& asked);

struct ChatCall {
  std::vector<Message> messages;
  bool continues_last = false;  // The last message is the beginning of the answer.
  int max_tokens = 0;
  std::string stop;  // May be empty.
  Sampling sampling;
  int alternatives = 0;  // With their log-probabilities, for each token.
  std::string grammar;   // May be empty.
};

std::string chat_body(const ServedModel& served, const ChatCall& call);
// The same call with messages of a word, for a few tokens.
std::string short_body(std::string_view chat_body);

// A grammar for one of the texts.
std::string choice_grammar(std::span<const std::string> choices);

struct ChatAnswer {
  std::string text;
  bool cut = false;                 // By max_tokens.
  bool invalid_utf8 = false;        // Bytes of the text that are no UTF-8 became U+FFFD.
  std::string model;                // As the server calls it; empty when it does not say.
  std::vector<AnswerToken> tokens;  // Empty when log-probabilities were not asked for or not given.
  bool has_usage = false;
  std::int64_t prompt_tokens = 0;
  std::int64_t cached_tokens = 0;  // Of these.
  std::int64_t generated_tokens = 0;
  std::string unclear;  // Instead of all others: why the body is no answer.
};

ChatAnswer parse_chat_answer(std::string_view body);

// The message in an error's body, on one line, cut.
std::string error_message(std::string_view body);
// The error says that it is this one request that cannot be answered: it is longer than the model's
// context, or a content filter stops it.
bool is_about_the_request(std::string_view body);

}  // namespace selene::engine
