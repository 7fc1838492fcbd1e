// Scores of texts by a reward model or a reranker: a GGUF with a classification head.
//
// A score is the model's raw output, without a sigmoid: higher is better, the scale is the model's
// own. On a CPU it depends on its text alone: not on what else is scored, the order or the threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/chat_template.h"
#include "engine/engine.h"

namespace selene::engine {

// What cross-encoders read: of a reranker the query and the document.
struct TextPair {
  std::string prompt;
  std::string answer;
};

// A conversation ends with the answer that is scored. Texts are data: control tokens inside them
// are plain text.
using RewardInput = std::variant<std::vector<Message>, TextPair>;

struct RewardScore {
  std::optional<double> score;  // Nothing: the text is longer than the context. It is never cut.
  std::int64_t tokens = 0;      // Of the whole text as the model reads it.
};

struct RewardOptions {
  std::filesystem::path model{};
  std::string name{};               // For people; empty: the file's name.
  int threads = 0;                  // 0: as many as the machine has cores.
  std::int64_t context_tokens = 0;  // The longest text; 0: what the model was trained for.
  int gpu_layers = -1;              // Where the build has a GPU; -1: all.
  std::string chat_template{};      // Jinja; empty: the model's own.
  std::string date = ChatTemplate::kDefaultDate;
};

class RewardModel {
 public:
  // Looks at the file; the model is loaded by the first call of score. Throws Error when the file
  // is not a whole GGUF, or read_reward_head refuses it, or a model of conversations has no chat
  // template.
  explicit RewardModel(RewardOptions options);
  ~RewardModel();
  RewardModel(RewardModel&&) noexcept;

  // One score an input, in their order. Conversations are rendered through the chat template
  // without the beginning of another answer; pairs are joined as llama.cpp's server joins them for
  // /rerank: the template named "rerank", or the vocabulary's own separators. Texts of one
  // beginning cost it once where the model is no encoder. Throws Error when llama.cpp cannot load
  // the model, an input is not of the kind that it takes, or the chat template refuses it.
  std::vector<RewardScore> score(std::span<const RewardInput> inputs);

  // Pairs of texts are scored; false: conversations.
  bool takes_pairs() const;
  // Tokens of the longest text.
  std::int64_t context_limit() const;
  const EngineId& id() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
