#include "engine/answer_text.h"

#include <algorithm>

#include "core/text.h"

namespace selene::engine {

std::string AnswerText::add(std::string_view bytes) {
  const size_t search_from = bytes_.size() - std::min(bytes_.size(), stop_.size());
  bytes_ += bytes;
  size_t safe = bytes_.size();
  if (!stop_.empty()) {
    if (const size_t found = bytes_.find(stop_, search_from); found != std::string::npos) {
      stopped_ = true;
      bytes_.resize(found);
      safe = found;
    } else {
      // The longest end of the text that begins the stop text is held back.
      for (size_t length = std::min(stop_.size() - 1, bytes_.size()); length > 0; --length) {
        if (bytes_.ends_with(std::string_view(stop_).substr(0, length))) {
          safe -= length;
          break;
        }
      }
    }
  }
  while (safe > shown_ && ends_inside_character(std::string_view(bytes_).substr(0, safe))) --safe;
  if (safe <= shown_) return {};
  std::string piece = replace_invalid_utf8(std::string_view(bytes_).substr(shown_, safe - shown_));
  shown_ = safe;
  return piece;
}

std::string AnswerText::finish(bool& invalid_utf8) const {
  std::string_view text = bytes_;
  while (!text.empty() && ends_inside_character(text)) text.remove_suffix(1);
  invalid_utf8 = !is_valid_utf8(text);
  return std::string(trim(replace_invalid_utf8(text)));
}

}  // namespace selene::engine
