// The words of a text, as texts are compared by: without case, punctuation and layout.
#pragma once

#include <string>
#include <string_view>

namespace selene::text {

// Replaces `words` by the words of `text`, with one space between two. A word is a run of letters
// and digits (Unicode's categories L and N), in lower case; a character of a script that is written
// without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) is a word of its own. All else, and
// bytes that are no UTF-8, separates words. "It's 3 o'clock: 東京!" gives "it s 3 o clock 東 京".
void words_of(std::string_view text, std::string& words);

}  // namespace selene::text
