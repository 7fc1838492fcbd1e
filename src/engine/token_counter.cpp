#include "engine/token_counter.h"

#include "core/error.h"
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
}
TokenCounter::~TokenCounter() = default;
TokenCounter::TokenCounter(TokenCounter&&) noexcept = default;

std::int64_t TokenCounter::count(std::string_view text) const {
  return static_cast<std::int64_t>(
      state_->tokenizer.tokens({.head = {}, .tail = std::string(text)}, "").size());
}

// Each token stands for a byte or more. SentencePiece may put one space before the text.
std::optional<std::int64_t> TokenCounter::at_most(std::string_view text) const {
  const auto bytes = static_cast<std::int64_t>(text.size());
  if (state_->space_tokens > 2) return {};
  if (state_->type == LLAMA_VOCAB_TYPE_BPE) return bytes;
  if (state_->type == LLAMA_VOCAB_TYPE_SPM) return text.empty() ? 0 : bytes + 1;
  return {};
}

}  // namespace selene::engine
