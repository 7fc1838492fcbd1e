// The endpoint engine: any server that speaks OpenAI's chat API (llama-server, vLLM, SGLang,
// Ollama, hosted ones), or a fleet of them that serve one model. How a request becomes calls, and a
// verdict with or without a distribution, is in chat_steps.h, label_scores.h and answer_parser.h;
// how a fleet is used and failures are met, in fleet.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace selene::engine {

struct Endpoint {
  std::string url;    // http://127.0.0.1:8080; the API is below its /v1 unless the URL has a path.
  std::string model;  // Empty: the server's only model.
};

struct EndpointOptions {
  std::vector<Endpoint> endpoints;  // All serve the same model.
  std::string api_key{};            // Sent to each; empty: none.
  bool key_over_http = false;       // Allows sending it over plain http to another machine.
  int in_flight_per_endpoint = 16;  // Requests at once.
  int retries = 6;                  // Of one request, and in a row of one endpoint.
  // Before the first retry; doubled for each one more up to the most, with jitter.
  std::chrono::milliseconds backoff{500};
  std::chrono::milliseconds backoff_most{30'000};
  // So long after a server's last answer its 429 (too many requests) do not count as retries.
  std::chrono::milliseconds overload_patience{120'000};
  // Of prompts and answers, over all runs; once it is spent no call starts. 0: none.
  std::int64_t token_budget = 0;
  // Of one answer; log-probabilities come on top.
  size_t max_answer_bytes = 4 << 20;
  // Of one call. A server that queues calls, or writes a long critique, sends nothing for long.
  std::chrono::milliseconds timeout{300'000};
  // When nothing else is left to send, a call without an answer for so long, and for three times
  // the longest that one of its kind took, is sent to another server too.
  std::chrono::milliseconds send_again_after{2'000};
  std::chrono::milliseconds connect_timeout{10'000};
  bool ask_log_probs = true;  // False: labels are read from the text, without probabilities.
  // Remembers what the servers are, for when none answers. Empty: nothing is remembered.
  std::filesystem::path known_servers{};
  // Told of another model than the one asked for, and of a server that fails or answers again. May
  // be empty.
  std::function<void(std::string_view warning)> warn{};
};

// Throws Error that names the option and what is wrong with it. The servers are asked what they are
// by the first call of id() or run(), which throws Error when none of them answers; id() gives what
// they were, with a warning, where that is remembered.
//
// id(): the model is "endpoint:", its name and what the server says that it is; the version is
// "openai-chat 2" and the kind of server; neither key nor address is in it. context_tokens() and
// context_limit() are 0: not known. A request that the server refuses (as too long, by a content
// filter, with 400 or 422) or fails after all retries while it answers others ends unreadable with
// the server's message, and the result is not final.
//
// run() throws Error naming the endpoint when all requests are refused or fail, the first of which
// is named too, when one is answered by another model, when no endpoint answers any more, and when
// the token budget is spent; what ended before, or soon after, was delivered.
std::unique_ptr<Engine> open_endpoint_engine(const EndpointOptions& options);

}  // namespace selene::engine
