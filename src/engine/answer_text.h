// An answer as it grows: bytes of tokens in, whole characters out, ended by a stop text.
#pragma once

#include <string>
#include <string_view>

namespace selene::engine {

class AnswerText {
 public:
  // `stop` may be empty.
  explicit AnswerText(std::string stop) : stop_(std::move(stop)) {}

  // Adds a token's bytes and returns the text that is now safe to show: whole characters that
  // cannot turn out to be the beginning of the stop text.
  std::string add(std::string_view bytes);
  // True once the stop text has come; what was before it is the answer.
  bool stopped() const { return stopped_; }
  // The answer without white space at its ends. A character cut off at the end is dropped; other
  // bytes that are no UTF-8 become U+FFFD and set `invalid_utf8`.
  std::string finish(bool& invalid_utf8) const;

 private:
  std::string stop_;
  std::string bytes_;
  size_t shown_ = 0;
  bool stopped_ = false;
};

}  // namespace selene::engine
