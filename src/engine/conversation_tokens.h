// The tokens of a prompt and of given answers to it, as a model is trained on them: those that the
// engine would see when it judges, with the model's own end of an answer behind them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace selene::engine {

struct AnswerTokens {
  std::vector<std::int32_t> tokens;  // With the end of the answer.
  std::size_t label = 0;             // Index of the first token of the label.
};

struct PairTokens {
  std::vector<std::int32_t> prompt;
  AnswerTokens chosen;
  AnswerTokens rejected;
};

// An answer and the label that it ends with.
struct LabelledAnswer {
  std::string_view text;
  std::string_view label;
};

class ConversationTokens {
 public:
  // Of a GGUF: its vocabulary and chat template. Throws Error when it has none of them.
  explicit ConversationTokens(const std::filesystem::path& gguf);
  ~ConversationTokens();
  ConversationTokens(ConversationTokens&&) noexcept;

  // The prompt is what both answers have in common with the prompt alone: an answer may begin
  // within the prompt's last token. Throws Error when the template refuses the messages.
  PairTokens pair(std::span<const Message> prompt, const LabelledAnswer& chosen,
                  const LabelledAnswer& rejected) const;
  std::int32_t vocabulary() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
