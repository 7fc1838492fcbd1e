// The language that a text is written in, by CLD2 (Compact Language Detector 2, Google, 2013): 83
// languages, by their scripts, words and runs of four letters.
#pragma once

#include <string>
#include <string_view>

namespace selene::text {

struct Language {
  std::string code = "un";  // ISO 639-1, else 639-3 ("zh-Hant" beside "zh"); "un": cannot be told.
  double share = 0;         // Of the text's letters, 0 to 1.
  bool reliable = false;    // A good deal likelier than any other. Never where it cannot be told.
};

// The language of most of the text, which is plain (no markup). Cannot be told of a text of a few
// words, of one without letters, and of one that is no UTF-8 or has control characters in it. Code
// and names count as English or as nothing. From any number of threads. A few microseconds a
// kilobyte.
Language language_of(std::string_view text);

}  // namespace selene::text
