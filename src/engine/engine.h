// Engine: text in, text and token probabilities out. One interface for every way to run a model.
//
// One request is messages, an optional start of the answer, at most `max_tokens` generated tokens
// up to a stop text, then a set of labels to score. Verdict only (nothing generated), a critique
// and its verdict, re-scoring a stored critique (the critique is the start of the answer) and plain
// generation (no labels) are all cases of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::engine {

struct Message {
  std::string role;     // system, user, assistant
  std::string content;  // Always data: control tokens inside it are plain text.
};

struct Sampling {
  double temperature = 0;  // 0: the most probable token, the lowest id of equals.
  std::uint64_t seed =
      0;  // Of this request alone, so that what else is in the batch does not matter.
};

struct Request {
  std::vector<Message> messages;
  std::string answer_start;  // Text that the answer begins with.
  int max_tokens = 0;        // Generated after it; 0: none.
  std::string stop;  // Generation ends before this text; empty: only at the model's own end.
  Sampling sampling;
  std::string mark;                 // The result mark that the labels follow.
  std::vector<std::string> labels;  // Scored after the mark; empty: nothing is scored.
};

struct Result {
  std::string text;           // Generated, without white space at its ends, valid UTF-8.
  bool truncated = false;     // Ended by max_tokens.
  bool invalid_utf8 = false;  // Bytes that are no UTF-8 were generated and became U+FFFD.
  std::vector<double>
      label_log_probs;               // Natural log, one a label; empty where the engine has none.
  std::optional<size_t> label_read;  // Where it has none: the label read strictly from the text.
  std::string unreadable;            // Why there is neither.
  // False: it was refused as it is here and now, and could be answered another time or elsewhere.
  bool is_final = true;
  std::int64_t prompt_tokens = 0;  // Tokens of the prompt, shared or not.
  std::int64_t generated_tokens = 0;
};

// What produced the results, for digests and run.json.
struct EngineId {
  std::string name;     // Of the model, for people.
  std::string model;    // SHA-256 of the weights (or the endpoint's model name).
  std::string adapter;  // SHA-256 of the LoRA adapter and its scale; empty when there is none.
  // Whatever changes numbers: library version, our numerics revision, kernel class.
  std::string version;
  // Whatever else is part of the prompt: date, chat template replacing the model's own.
  std::string options;

  bool operator==(const EngineId&) const = default;
};

// Work done, summed over all runs of an engine.
struct Counters {
  std::int64_t prompt_tokens = 0;           // As if every request were computed alone.
  std::int64_t prompt_tokens_computed = 0;  // What was left after sharing prefixes.
  std::int64_t scoring_tokens_computed =
      0;  // Tokens of critiques' ends, marks and labels, computed to score.
  std::int64_t repeated_tokens_computed =
      0;  // Known ones computed again, for exactness; in neither of the above.
  std::int64_t generated_tokens = 0;
  double prefill_s = 0;
  double decode_s = 0;
  double scoring_s = 0;

  // What was done since `before`, an earlier state of the same engines.
  Counters since(const Counters& before) const {
    return {.prompt_tokens = prompt_tokens - before.prompt_tokens,
            .prompt_tokens_computed = prompt_tokens_computed - before.prompt_tokens_computed,
            .scoring_tokens_computed = scoring_tokens_computed - before.scoring_tokens_computed,
            .repeated_tokens_computed = repeated_tokens_computed - before.repeated_tokens_computed,
            .generated_tokens = generated_tokens - before.generated_tokens,
            .prefill_s = prefill_s - before.prefill_s,
            .decode_s = decode_s - before.decode_s,
            .scoring_s = scoring_s - before.scoring_s};
  }
};

// What a server of an engine was asked, over all runs.
struct ServerUse {
  std::string address;  // Without user name and password.
  std::int64_t requests = 0;
  std::int64_t failures = 0;  // Of these.
  std::int64_t retries = 0;   // Of these: had been sent before, here or elsewhere.
};

struct Completed {
  size_t request = 0;
  Result result;
};

// Called from within run(), on its thread, in any order of requests.
struct Events {
  // Requests that ended at the same time come together. May move from them.
  std::function<void(std::span<Completed> completed)> results;
  // Text as it is generated, whole characters. May be empty.
  std::function<void(size_t request, std::string_view piece)> text;
  // True ends the run soon; requests without a result then stay without. May be empty.
  std::function<bool()> stop;
  // What an error calls a request that fails. May be empty.
  std::function<std::string(size_t request)> name{};
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual const EngineId& id() const = 0;
  // Tokens of the context that a request can need at most: prompt, generated tokens, mark and
  // labels. 0: not known.
  // For a request that plainly fits or plainly does not, a bound that says so.
  virtual std::vector<std::int64_t> context_tokens(std::span<const Request> requests) = 0;
  // The most that fits; 0: not known.
  virtual std::int64_t context_limit() const = 0;
  // Runs the batch. Each request's result depends on that request alone. Throws Error when the
  // engine fails.
  virtual void run(std::span<const Request> requests, const Events& events) = 0;
  virtual Counters counters() const { return {}; }
  virtual std::vector<ServerUse> servers() const { return {}; }
  // Whether a result is the same bits whatever else runs beside it, on however many threads.
  virtual bool exact() const = 0;
};

// The answer's text before the result mark: `answer_start`, a space, the generated text without
// white space at its ends. This is the canonical critique: scoring always follows it, never the
// tokens that happened to be generated. (The llama engine generates a critique that begins so, and
// then both are the same tokens but for the last few.)
std::string answer_body(const Request& request, std::string_view generated);
// answer_body, a blank line and the mark; the mark alone when the body is empty.
std::string answer_before_label(const Request& request, std::string_view generated);

// Softmax over log-probabilities; sums to 1.
std::vector<double> softmax(std::span<const double> log_probs);

}  // namespace selene::engine
