// How many tokens a model splits a text into, from the vocabulary alone: no weights are loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/engine.h"

namespace selene::engine {

// All const calls may be made from several threads at once.
class TokenCounter {
 public:
  // Throws Error when the file is no whole GGUF, llama.cpp does not know its vocabulary, or it has
  // none.
  explicit TokenCounter(const std::filesystem::path& gguf);
  ~TokenCounter();
  TokenCounter(TokenCounter&&) noexcept;

  // Of the text by itself: without a chat template, and control tokens in it are plain text.
  std::int64_t count(std::string_view text) const;
  // Of a whole conversation as the model's own chat template writes it, its control tokens among
  // them: what a trainer sees. Nothing where that is `most` at most, which for short ones takes no
  // splitting. Throws Error where the template refuses the messages; has_chat_template() before.
  std::optional<std::int64_t> more_than(std::int64_t most,
                                        std::span<const Message> conversation) const;
  bool has_chat_template() const;
  // A bound that costs nothing: never less than the count of a text that is valid UTF-8. Nothing
  // for vocabularies that rewrite the text before they split it (WordPiece, Unigram and others
  // than byte-level BPE and SentencePiece with its bytes).
  std::optional<std::int64_t> at_most(std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
