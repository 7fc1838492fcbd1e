// The verdict in an answer that a model wrote freely, read strictly and never guessed.
//
// The last result mark counts: an earlier one may be an echo of the data that is judged. After it
// must stand exactly one of the labels, in its own letters, and nothing else on that line but white
// space, `*` and `"` around it and `.` after it. Anything else is no verdict, and the reason says
// why.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/label_scores.h"

namespace selene::engine {

struct LabelReading {
  std::optional<size_t> label;  // Index into the labels.
  size_t label_at = 0;          // Where it begins in the answer, in bytes.
  std::string before_mark;  // The answer up to the mark, without white space at its ends; all of it
                            // without a mark.
  std::string unreadable;   // Why there is no label.
};

// `cut`: the answer was ended by its token limit. An empty mark: the whole answer is the label.
LabelReading read_label(std::string_view answer, std::string_view mark,
                        std::span<const std::string> labels, bool cut);

// The tokens of a readable answer from the one that begins the label; none when the tokens do not
// tell (they are not the answer's text, or the label begins inside a token).
std::span<const AnswerToken> tokens_of_label(std::span<const AnswerToken> tokens,
                                             std::string_view mark,
                                             std::span<const std::string> labels, size_t label);

}  // namespace selene::engine
