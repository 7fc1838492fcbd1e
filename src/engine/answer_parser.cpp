#include "engine/answer_parser.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"

namespace selene::engine {
namespace {

constexpr std::string_view kAround = " \t\r\n\v\f*\"";
constexpr std::string_view kAfter = " \t\r\n\v\f*\".";
constexpr size_t kShownColumns = 60;

bool all_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// The label that a line is, with where it begins in it. The longest of those that fit: in `".5"` it
// is `.5`, not `5`.
struct LineLabel {
  size_t label = 0;
  size_t at = 0;
};

std::optional<LineLabel> label_of_line(std::string_view line, std::span<const std::string> labels) {
  std::optional<LineLabel> found;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (found && labels[i].size() <= labels[found->label].size()) continue;
    for (size_t at = line.find(labels[i]); at != std::string_view::npos;
         at = line.find(labels[i], at + 1)) {
      if (!all_of(line.substr(0, at), kAround) ||
          !all_of(line.substr(at + labels[i].size()), kAfter))
        continue;
      found = LineLabel{i, at};
      break;
    }
  }
  return found;
}

bool begins_a_longer_label(const std::string& label, std::span<const std::string> labels) {
  return std::any_of(labels.begin(), labels.end(), [&](const std::string& other) {
    return other.size() > label.size() && other.starts_with(label);
  });
}

}  // namespace

LabelReading read_label(std::string_view answer, std::string_view mark,
                        std::span<const std::string> labels, bool cut) {
  LabelReading reading;
  const size_t mark_at = mark.empty() ? 0 : answer.rfind(mark);
  reading.before_mark = trim(answer.substr(0, mark_at));
  if (mark_at == std::string_view::npos) {
    reading.unreadable = cut ? "cut at max_tokens before the result mark" : "no result mark";
    return reading;
  }
  const size_t after = mark_at + mark.size();
  const size_t begin = answer.find_first_not_of(" \t\r\n\v\f", after);
  if (begin == std::string_view::npos) {
    reading.unreadable =
        cut ? "cut at max_tokens before the label" : "nothing after the result mark";
    return reading;
  }
  const std::string_view line = answer.substr(begin, answer.find('\n', begin) - begin);
  const auto found = label_of_line(line, labels);
  if (found && cut && answer.ends_with(labels[found->label]) &&
      begins_a_longer_label(labels[found->label], labels)) {
    reading.unreadable = "cut at max_tokens within the label";
  } else if (found) {
    reading.label = found->label;
    reading.label_at = begin + found->at;
  } else {
    reading.unreadable = fmt::format("the text after the result mark is none of the labels: '{}'",
                                     cut_to_columns(line, kShownColumns));
  }
  return reading;
}

std::span<const AnswerToken> tokens_of_label(std::span<const AnswerToken> tokens,
                                             std::string_view mark,
                                             std::span<const std::string> labels, size_t label) {
  std::string text;
  for (const AnswerToken& token : tokens) text += token.text;
  const LabelReading reading = read_label(text, mark, labels, /*cut=*/false);
  if (reading.label != label) return {};
  size_t end = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const size_t begin = end;
    end += tokens[i].text.size();
    if (end <= reading.label_at) continue;
    const bool begins_label =
        begin >= reading.label_at ||
        trim(std::string_view(text).substr(begin, reading.label_at - begin)).empty();
    return begins_label ? tokens.subspan(i) : std::span<const AnswerToken>();
  }
  return {};
}

}  // namespace selene::engine
