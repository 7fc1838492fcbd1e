#include "engine/conversation_tokens.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "engine/llama_load.h"
#include "engine/tokens.h"
#include "model/gguf.h"

namespace selene::engine {
namespace {

std::size_t common(const std::vector<Token>& a, const std::vector<Token>& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

}  // namespace

struct ConversationTokens::State {
  llama_model_ptr model;
  const llama_vocab* vocab;
  Tokenizer tokenizer;
  ChatTemplate chat_template;

  // What the template writes behind an answer, up to its first control token.
  Token end_of_answer(std::span<const Message> prompt) const {
    std::vector<Message> messages(prompt.begin(), prompt.end());
    messages.push_back({"assistant", "x"});
    const std::vector<TextPart> parts = chat_template.render(messages, /*begin_answer=*/false);
    const auto answer = std::find_if(parts.rbegin(), parts.rend(),
                                     [](const TextPart& part) { return part.from_message; });
    if (answer != parts.rbegin()) {
      const std::string_view behind = trim((answer.base())->text);
      for (const std::string& control : tokenizer.control_texts()) {
        if (behind.starts_with(control))
          return tokenizer.prompt(std::vector<TextPart>{{control, false}}).head.back();
      }
    }
    return llama_vocab_eos(vocab);
  }

  AnswerTokens answer(const PromptText& prompt, const LabelledAnswer& answer,
                      std::size_t prompt_tokens) const {
    ensure(answer.text.ends_with(answer.label), "an answer that does not end with its label");
    std::string_view before = answer.text.substr(0, answer.text.size() - answer.label.size());
    while (!before.empty() && (before.back() == ' ' || before.back() == '\n'))
      before.remove_suffix(1);
    AnswerTokens made;
    made.tokens = tokenizer.tokens(prompt, answer.text);
    made.label = common(made.tokens, tokenizer.tokens(prompt, before));
    made.label -= std::min(made.label, prompt_tokens);
    return made;
  }
};

namespace {

llama_model_ptr load_vocabulary_of(const std::filesystem::path& gguf) {
  if (!model::inspect_gguf(gguf).chat_template)
    throw Error("the model has no chat template, so prompts cannot be put to it", gguf.string());
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  return load_llama_model(gguf, params);
}

}  // namespace

ConversationTokens::ConversationTokens(const std::filesystem::path& gguf) {
  llama_model_ptr model = load_vocabulary_of(gguf);
  const llama_vocab* vocab = llama_model_get_vocab(model.get());
  if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE)
    throw Error("the model file has no vocabulary", gguf.string());
  Tokenizer tokenizer(vocab);
  ChatTemplate chat_template({.source = llama_model_chat_template(model.get(), nullptr),
                              .bos_token = tokenizer.control_text(llama_vocab_bos(vocab)),
                              .eos_token = tokenizer.control_text(llama_vocab_eos(vocab)),
                              .control_tokens = tokenizer.control_texts()});
  state_.reset(new State{std::move(model), vocab, std::move(tokenizer), std::move(chat_template)});
}
ConversationTokens::~ConversationTokens() = default;
ConversationTokens::ConversationTokens(ConversationTokens&&) noexcept = default;

std::int32_t ConversationTokens::vocabulary() const { return llama_vocab_n_tokens(state_->vocab); }

PairTokens ConversationTokens::pair(std::span<const Message> prompt, const LabelledAnswer& chosen,
                                    const LabelledAnswer& rejected) const {
  const PromptText text = state_->tokenizer.prompt(state_->chat_template.render(prompt));
  PairTokens pair;
  pair.prompt = state_->tokenizer.tokens(text, "");
  const Token end = state_->end_of_answer(prompt);
  const std::size_t shared =
      std::min(common(pair.prompt, state_->tokenizer.tokens(text, chosen.text)),
               common(pair.prompt, state_->tokenizer.tokens(text, rejected.text)));
  pair.prompt.resize(shared);
  pair.chosen = state_->answer(text, chosen, shared);
  pair.rejected = state_->answer(text, rejected, shared);
  for (AnswerTokens* answer : {&pair.chosen, &pair.rejected}) {
    answer->tokens.erase(answer->tokens.begin(),
                         answer->tokens.begin() + static_cast<std::ptrdiff_t>(shared));
    answer->tokens.push_back(end);
  }
  return pair;
}

}  // namespace selene::engine
