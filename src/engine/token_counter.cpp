#include "engine/token_counter.h"

#include <mutex>

#include "core/error.h"
#include "engine/chat_template.h"
#include "engine/llama_load.h"
#include "engine/tokens.h"
#include "model/gguf.h"

namespace selene::engine {

struct TokenCounter::State {
  llama_model_ptr model;
  Tokenizer tokenizer;
  enum llama_vocab_type type = LLAMA_VOCAB_TYPE_NONE;
  // Of one space, perhaps with another before it. More than 2: the vocabulary writes a space as the
  // three bytes of U+2581.
  std::int64_t space_tokens = 1;
  std::optional<ChatTemplate> chat_template = {};
  mutable std::mutex rendering = {};  // The template's engine is not for several threads at once.

  std::optional<std::int64_t> at_most(std::int64_t bytes, std::int64_t texts) const;
};

namespace {

llama_model_ptr load_vocabulary(const std::filesystem::path& gguf) {
  model::inspect_gguf(gguf);
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  llama_model_ptr model = load_llama_model(gguf, params);
  if (llama_vocab_type(llama_model_get_vocab(model.get())) == LLAMA_VOCAB_TYPE_NONE)
    throw Error("the model file has no vocabulary", gguf.string());
  return model;
}

}  // namespace

TokenCounter::TokenCounter(const std::filesystem::path& gguf) {
  llama_model_ptr model = load_vocabulary(gguf);
  const llama_vocab* vocab = llama_model_get_vocab(model.get());
  state_.reset(new State{std::move(model), Tokenizer(vocab), llama_vocab_type(vocab)});
  state_->space_tokens = count(" ");
  if (llama_model_chat_template(state_->model.get(), nullptr) != nullptr)
    state_->chat_template.emplace(
        own_chat_template(state_->model.get(), state_->tokenizer, "", ChatTemplate::kDefaultDate));
}
TokenCounter::~TokenCounter() = default;
TokenCounter::TokenCounter(TokenCounter&&) noexcept = default;

std::int64_t TokenCounter::count(std::string_view text) const {
  return static_cast<std::int64_t>(
      state_->tokenizer.tokens({.head = {}, .tail = std::string(text)}, "").size());
}

bool TokenCounter::has_chat_template() const { return state_->chat_template.has_value(); }

std::optional<std::int64_t> TokenCounter::more_than(std::int64_t most,
                                                    std::span<const Message> conversation) const {
  std::vector<TextPart> parts;
  {
    const std::lock_guard lock(state_->rendering);
    parts = state_->chat_template.value().render(conversation, /*begin_answer=*/false);
  }
  std::int64_t bytes = 0;
  for (const TextPart& part : parts) bytes += static_cast<std::int64_t>(part.text.size());
  // A part has as many texts as control tokens between them: fewer than bytes.
  const auto bound = state_->at_most(bytes, bytes);
  if (bound && *bound <= most) return std::nullopt;
  const auto tokens = static_cast<std::int64_t>(
      state_->tokenizer.tokens(state_->tokenizer.prompt(parts), "").size());
  if (tokens <= most) return std::nullopt;
  return tokens;
}

// Of so many texts with so many bytes together: each token stands for a byte or more, and
// SentencePiece may put one space before a text.
std::optional<std::int64_t> TokenCounter::State::at_most(std::int64_t bytes,
                                                         std::int64_t texts) const {
  if (space_tokens > 2) return {};
  if (type == LLAMA_VOCAB_TYPE_BPE) return bytes;
  if (type == LLAMA_VOCAB_TYPE_SPM) return bytes + texts;
  return {};
}

std::optional<std::int64_t> TokenCounter::at_most(std::string_view text) const {
  return state_->at_most(static_cast<std::int64_t>(text.size()), text.empty() ? 0 : 1);
}

}  // namespace selene::engine
