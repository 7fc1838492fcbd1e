// Text to tokens, with control tokens only where the chat template wrote them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/chat_template.h"
#include "engine/label_tree.h"

struct llama_model;
struct llama_vocab;

namespace selene::engine {

// A rendered prompt: tokens up to the last control token, and the text after it. The answer goes on
// in that text, so prompt and answer are tokenised together as one run.
struct PromptText {
  std::vector<Token> head;
  std::string tail;
};

class Tokenizer {
 public:
  // `vocab` must outlive the tokenizer.
  explicit Tokenizer(const llama_vocab* vocab);

  // Control tokens are found in the template's own parts, longest first; each run of text between
  // them is tokenised as one string in which nothing is special.
  PromptText prompt(std::span<const TextPart> parts) const;
  // head, then the tokens of `tail` + `answer` as one text.
  std::vector<Token> tokens(const PromptText& prompt, std::string_view answer) const;

  // The bytes of a token; empty for a control token.
  std::string piece(Token token) const;
  // True for the model's end-of-answer tokens and for any other control token.
  bool ends_answer(Token token) const;
  // One flag a token of the vocabulary: whether an answer may go on with it after an
  // `answer_start`. These begin with a space and something visible, as the canonical critique does
  // (answer_body), or end the answer. All, where the vocabulary has no token of that kind.
  std::vector<bool> after_answer_start() const;
  // Bytes of the longest token.
  size_t longest_piece() const { return longest_piece_; }
  std::string control_text(Token token) const;
  // The texts of all control tokens, longest first.
  std::vector<std::string> control_texts() const;

 private:
  void append(std::string_view text, std::vector<Token>& tokens) const;

  const llama_vocab* vocab_;
  size_t longest_piece_ = 1;
  std::vector<std::pair<std::string, Token>> control_tokens_;  // Longest first.
};

// `source`, or where that is empty the template of the model itself, which must have one.
ChatTemplate own_chat_template(const llama_model* model, const Tokenizer& tokenizer,
                               const std::string& source, const std::string& date);

}  // namespace selene::engine
