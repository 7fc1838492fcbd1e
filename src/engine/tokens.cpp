#include "engine/tokens.h"

#include <algorithm>

#include <llama.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::engine {

Tokenizer::Tokenizer(const llama_vocab* vocab) : vocab_(vocab) {
  const int count = llama_vocab_n_tokens(vocab);
  for (Token token = 0; token < count; ++token) {
    longest_piece_ = std::max({longest_piece_, piece(token).size(),
                               std::string_view(llama_vocab_get_text(vocab, token)).size()});
    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab, token));
    if ((attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) == 0) continue;
    std::string text = llama_vocab_get_text(vocab, token);
    if (!text.empty()) control_tokens_.emplace_back(std::move(text), token);
  }
  std::stable_sort(control_tokens_.begin(), control_tokens_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

PromptText Tokenizer::prompt(std::span<const TextPart> parts) const {
  PromptText result;
  const auto add_control = [&](Token token) {
    append(result.tail, result.head);
    result.tail.clear();
    result.head.push_back(token);
  };
  for (const TextPart& part : parts) {
    if (part.from_message) {
      result.tail += part.text;
      continue;
    }
    std::string_view rest = part.text;
    while (!rest.empty()) {
      // The leftmost control token; of several at one place the longest.
      size_t first = std::string_view::npos;
      const std::pair<std::string, Token>* found = nullptr;
      for (const auto& control : control_tokens_) {
        const size_t at = rest.find(control.first);
        if (at < first) {
          first = at;
          found = &control;
        }
      }
      result.tail += rest.substr(0, first);
      if (found == nullptr) break;
      add_control(found->second);
      rest.remove_prefix(first + found->first.size());
    }
  }
  return result;
}

std::vector<Token> Tokenizer::tokens(const PromptText& prompt, std::string_view answer) const {
  std::vector<Token> result = prompt.head;
  append(prompt.tail + std::string(answer), result);
  return result;
}

void Tokenizer::append(std::string_view text, std::vector<Token>& tokens) const {
  if (text.empty()) return;
  const size_t before = tokens.size();
  tokens.resize(before + text.size() + 8);
  const auto room = static_cast<std::int32_t>(tokens.size() - before);
  std::int32_t count =
      llama_tokenize(vocab_, text.data(), static_cast<std::int32_t>(text.size()),
                     tokens.data() + before, room, /*add_special=*/false, /*parse_special=*/false);
  if (count < 0 && count != INT32_MIN) {
    tokens.resize(before + static_cast<size_t>(-count));
    count = llama_tokenize(vocab_, text.data(), static_cast<std::int32_t>(text.size()),
                           tokens.data() + before, -count, false, false);
  }
  if (count < 0) throw Error("a text is too long to be split into tokens");
  tokens.resize(before + static_cast<size_t>(count));
}

std::string Tokenizer::piece(Token token) const {
  std::string text(64, '\0');
  int length = llama_token_to_piece(vocab_, token, text.data(),
                                    static_cast<std::int32_t>(text.size()), 0, false);
  if (length < 0) {
    text.resize(static_cast<size_t>(-length));
    length = llama_token_to_piece(vocab_, token, text.data(), -length, 0, false);
  }
  text.resize(static_cast<size_t>(std::max(length, 0)));
  return text;
}

bool Tokenizer::ends_answer(Token token) const {
  return llama_vocab_is_eog(vocab_, token) || llama_vocab_is_control(vocab_, token);
}

std::vector<bool> Tokenizer::after_answer_start() const {
  std::vector<bool> allowed(static_cast<size_t>(llama_vocab_n_tokens(vocab_)));
  bool any_word = false;
  for (size_t i = 0; i < allowed.size(); ++i) {
    const auto token = static_cast<Token>(i);
    const std::string text = piece(token);
    const bool word = text.size() > 1 && text[0] == ' ' && trim(text).size() == text.size() - 1;
    allowed[i] = word || llama_vocab_is_eog(vocab_, token);
    any_word = any_word || word;
  }
  if (!any_word) allowed.assign(allowed.size(), true);
  return allowed;
}

std::string Tokenizer::control_text(Token token) const {
  return token < 0 ? std::string() : llama_vocab_get_text(vocab_, token);
}

std::vector<std::string> Tokenizer::control_texts() const {
  std::vector<std::string> texts;
  for (const auto& [text, token] : control_tokens_) texts.push_back(text);
  return texts;
}

ChatTemplate own_chat_template(const llama_model* model, const Tokenizer& tokenizer,
                               const std::string& source, const std::string& date) {
  const llama_vocab* vocab = llama_model_get_vocab(model);
  return ChatTemplate(
      {.source = source.empty() ? llama_model_chat_template(model, nullptr) : source,
       .bos_token = tokenizer.control_text(llama_vocab_bos(vocab)),
       .eos_token = tokenizer.control_text(llama_vocab_eos(vocab)),
       .control_tokens = tokenizer.control_texts(),
       .date = date});
}

}  // namespace selene::engine
