// The model's own chat template, rendered as Hugging Face renders it (Jinja, llama.cpp's engine),
// with each piece of the text marked as written by the template or taken from a message.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace selene::engine {

// A run of rendered text. Control tokens are recognised only where from_message is false.
struct TextPart {
  std::string text;
  bool from_message = false;
};

class ChatTemplate {
 public:
  // The date that a template may ask for when the user gives none: part of the prompt, so it must
  // not be today's. It is the one that Llama 3.1's own template falls back to.
  static constexpr const char* kDefaultDate = "2024-07-26";

  struct Options {
    std::string source;  // Jinja
    std::string bos_token;
    std::string eos_token;
    // Where a message has one of these, its part is from_message whatever the template did to it
    // (the Jinja engine forgets where text came from when a template splits it).
    std::vector<std::string> control_tokens = {};
    std::string date = kDefaultDate;  // YYYY-MM-DD
  };

  // Throws Error when the template does not parse, refuses a user's message or leaves its text out,
  // or the date is none.
  explicit ChatTemplate(Options options);
  // Throws Error when it is none.
  static void check_date(const std::string& date);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;

  // Renders the messages and, with `begin_answer`, the beginning of the assistant's answer. Throws
  // Error when the template refuses them (an unknown role, a system message it has no place for).
  std::vector<TextPart> render(std::span<const Message> messages, bool begin_answer = true) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
