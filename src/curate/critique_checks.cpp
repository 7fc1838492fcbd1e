#include "curate/critique_checks.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/text.h"
#include "curate/row.h"

namespace selene::curate {
namespace {

constexpr std::string_view kTellingPhrases[] = {
    "i was told",          "i am told",          "i have been told",  "i was asked",
    "i was instructed",    "i am instructed",    "as instructed",     "given verdict",
    "verdict given",       "verdict was given",  "verdict is given",  "verdict is settled",
    "verdict was settled", "settled verdict",    "predetermined",     "given label",
    "given result",        "label given",        "correct label",     "true label",
    "correct verdict",     "ground truth",       "ground-truth",      "gold label",
    "asked to argue",      "asked to write",     "asked to justify",  "this verdict was",
    "evaluator who came",  "these instructions", "between the fences"};

// A verdict that is stated: one of these, then ":", "is", "of" or "=". "The result of 2 and 2" is
// none.
constexpr std::string_view kVerdictNouns[] = {"result", "verdict", "score",
                                              "rating", "grade",   "label"};
constexpr std::string_view kVerdictVerbs[] = {":", "is", "of", "="};

constexpr std::string_view kSideNouns[] = {"responses", "response", "assistants", "assistant"};
// These may as well be what the responses choose among.
constexpr std::string_view kOtherNouns[] = {"answer ", "option ", "candidate ", "model ",
                                            "output "};

constexpr std::string_view kBetter[] = {" is better",     " is the better", " is superior",
                                        " is stronger",   " is preferable", " is the best",
                                        " is the winner", " wins"};
constexpr std::string_view kChosen[] = {
    "prefer ",        "choose ",   "favor ", "favour ", "better response is ",
    "better one is ", "winner is "};

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return copy;
}

bool begins_word(std::string_view text, size_t at) {
  return at == 0 || !is_word_byte(text[at - 1]);
}
bool ends_word(std::string_view text, size_t end) {
  return end >= text.size() || !is_word_byte(text[end]);
}

size_t skip(std::string_view text, size_t at, std::string_view bytes) {
  while (at < text.size() && bytes.find(text[at]) != std::string_view::npos) ++at;
  return at;
}

// A label's word at `at`, the longest; "A " before a small letter is no label but an article, and
// "1" in "1.5" is another number.
std::optional<size_t> word_at(std::string_view text, size_t at,
                              std::span<const std::string> words) {
  std::optional<size_t> found;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t end = at + word.size();
    if (!text.substr(at).starts_with(word) || !ends_word(text, end)) continue;
    const std::string_view rest = text.substr(end);
    const auto followed_by = [&](char first, char least, char most) {
      return rest.size() > 1 && rest[0] == first && rest[1] >= least && rest[1] <= most;
    };
    if (followed_by('.', '0', '9') || (word == "A" && followed_by(' ', 'a', 'z'))) continue;
    if (!found || word.size() > words[*found].size()) found = i;
  }
  return found;
}

// Behind the noun, where the label of "Result: **2**" or "a score of 2" would stand.
std::optional<size_t> behind_verb(std::string_view small, size_t at, std::string_view noun) {
  at = skip(small, at + noun.size(), " *_\"");
  for (const std::string_view verb : kVerdictVerbs) {
    if (!small.substr(at).starts_with(verb) || (noun == "result" && verb == "of")) continue;
    if (is_word_byte(verb.back()) && !ends_word(small, at + verb.size())) continue;
    at = skip(small, at + verb.size(), " *_\"'\n");
    if (small.substr(at).starts_with("response {")) at += std::string_view("response ").size();
    return small.substr(at).starts_with("{") ? at + 1 : at;
  }
  return std::nullopt;
}

// The last verdict that the text states, by its place among the words.
std::optional<size_t> stated_verdict(std::string_view text, std::span<const std::string> words) {
  const std::string small = lower(text);
  std::optional<size_t> stated;
  size_t last = 0;
  for (const std::string_view noun : kVerdictNouns) {
    for (size_t at = small.find(noun); at != std::string::npos; at = small.find(noun, at + 1)) {
      if (at < last || !begins_word(small, at)) continue;
      const auto label_at = behind_verb(small, at, noun);
      if (!label_at) continue;
      const auto word = word_at(text, *label_at, words);
      if (!word) continue;
      stated = word;
      last = at;
    }
  }
  return stated;
}

std::string last_sentence(std::string_view text) {
  text = trim(text);
  while (!text.empty() && !is_word_byte(text.back()) && text.back() != '}') text.remove_suffix(1);
  size_t begin = text.find_last_of('\n') + 1;  // npos + 1 is 0.
  for (const std::string_view end : {". ", "! ", "? "}) {
    const size_t at = text.rfind(end);
    if (at != std::string_view::npos) begin = std::max(begin, at + end.size());
  }
  return std::string(text.substr(begin));
}

bool calls_better(std::string_view sentence, std::string_view side) {
  std::string small = lower(sentence);
  std::erase_if(small, [](char c) { return c == '*' || c == '_' || c == '"'; });
  const std::string name = lower(side);
  for (const std::string_view verb : kBetter) {
    if (small.find(fmt::format("{}{}", name, verb)) != std::string::npos) return true;
  }
  for (const std::string_view verb : kChosen) {
    if (small.find(fmt::format("{}response {}", verb, name)) != std::string::npos) return true;
  }
  return false;
}

// The word for a side, maybe in bold or quoted.
struct SideAt {
  size_t begin = 0;
  size_t end = 0;
  size_t side = 0;
};
std::optional<SideAt> side_at(std::string_view text, size_t at,
                              std::span<const std::string> words) {
  at = skip(text, at, " *_\"'(");
  for (size_t i = 0; i < 2; ++i) {
    if (text.substr(at).starts_with(words[i]) && ends_word(text, at + words[i].size()))
      return SideAt{at, at + words[i].size(), i};
  }
  return std::nullopt;
}

// Behind a noun for a response, in lower case, that begins at `at`.
std::optional<size_t> behind_side_noun(std::string_view small, size_t at) {
  if (!begins_word(small, at)) return std::nullopt;
  for (const std::string_view noun : kSideNouns) {
    if (!small.substr(at).starts_with(noun)) continue;
    const size_t end = at + noun.size();
    if (end < small.size() && (small[end] == ' ' || small[end] == '*')) return end;
  }
  return std::nullopt;
}

// Behind "and", a comma and the like, after a side that was named.
std::optional<size_t> behind_joint(std::string_view small, size_t at) {
  at = skip(small, at, "*_\"')");
  for (const std::string_view joint : {", and ", ", or ", " and ", " or ", " & ", " vs. ", " vs ",
                                       " versus ", " than ", ", ", "/"}) {
    if (small.substr(at).starts_with(joint)) return at + joint.size();
  }
  return std::nullopt;
}

bool has_lone_letter(std::string_view text, std::string_view letter) {
  for (size_t at = text.find(letter); at != std::string_view::npos;
       at = text.find(letter, at + 1)) {
    const bool placeholder = at > 0 && text[at - 1] == '{';
    if (!placeholder && begins_word(text, at) && ends_word(text, at + letter.size())) return true;
  }
  return false;
}

// "A" alone is mostly an article; "B" alone is a response, unless the sample has a B of its own.
bool names_side_alone(std::string_view critique, const data::Sample& sample,
                      std::span<const std::string> words) {
  if (words[0] != "A" || words[1] != "B") return false;
  const auto texts = judged_texts(sample);
  if (std::any_of(texts.begin(), texts.end(),
                  [](std::string_view text) { return has_lone_letter(text, "B"); }))
    return false;
  if (has_lone_letter(critique, "B")) return true;
  const std::string small = lower(critique);
  for (const std::string_view noun : kOtherNouns) {
    for (size_t at = small.find(noun); at != std::string::npos; at = small.find(noun, at + 1)) {
      if (side_at(critique, at + noun.size(), words)) return true;
    }
  }
  return false;
}

std::string_view without_start(std::string_view text, std::string_view start) {
  text = trim(text);
  if (!start.empty() && text.starts_with(start)) text.remove_prefix(start.size());
  return trim(text);
}

// What the teacher concludes, by its place among the labels; nothing where it does not say.
std::optional<size_t> concluded(const engine::Result& result) {
  const std::vector<double>& scores = result.label_log_probs;
  if (scores.empty()) return result.label_read;
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

}  // namespace

CheckedCritique check_critique(const judge::Template& form, const data::Sample& sample,
                               std::string_view label, const engine::Result& result) {
  // A critique without a verdict behind it is one; an answer of neither is none.
  if (!result.is_final || (result.text.empty() && !result.unreadable.empty()))
    return {result.text, checks::kNoAnswer};
  const std::vector<std::string> words = judge::words_of(form, sample.labels);
  const std::string_view body =
      without_start(without_start(result.text, form.answer_start), "**Reasoning:**");
  CheckedCritique checked{std::string(body), {}};
  std::vector<std::string> sides;
  if (sample.task == data::Task::Pairwise) {
    sides = judge::words_of(form, {"A", "B"});
    checked.text = with_sides(body, sides);
  }
  const auto fell_to = [&]() -> std::string_view {
    if (body.empty()) return checks::kEmpty;
    if (result.truncated) return checks::kCutShort;
    if (result.invalid_utf8) return checks::kBroken;
    if (speaks_of_given_verdict(body, sample)) return checks::kTold;
    if (!sides.empty() && names_side_alone(checked.text, sample, sides)) return checks::kSide;
    const auto verdict = concluded(result);
    if (verdict && sample.labels[*verdict] != label) return checks::kContradiction;
    if (contradicts(checked.text, sample, words, label)) return checks::kContradiction;
    return {};
  };
  checked.fell_to = fell_to();
  return checked;
}

bool speaks_of_given_verdict(std::string_view critique, const data::Sample& sample) {
  const std::string small = lower(critique);
  return std::any_of(std::begin(kTellingPhrases), std::end(kTellingPhrases),
                     [&](std::string_view phrase) {
                       if (small.find(phrase) == std::string::npos) return false;
                       const auto texts = judged_texts(sample);
                       return std::none_of(texts.begin(), texts.end(), [&](std::string_view text) {
                         return lower(text).find(phrase) != std::string::npos;
                       });
                     });
}

std::string with_sides(std::string_view critique, std::span<const std::string> words) {
  const std::string small = lower(critique);
  std::string text;
  size_t done = 0;  // What of the critique is in `text`.
  for (size_t at = 0; at < critique.size(); ++at) {
    auto next = behind_side_noun(small, at);
    while (next) {
      const auto found = side_at(critique, *next, words);
      if (!found) break;
      text += critique.substr(done, found->begin - done);
      text += found->side == 0 ? "{A}" : "{B}";
      done = found->end;
      at = done - 1;
      next = behind_joint(small, done);
    }
  }
  text += critique.substr(done);
  return text;
}

bool contradicts(std::string_view critique, const data::Sample& sample,
                 std::span<const std::string> words, std::string_view label) {
  const auto stated = stated_verdict(critique, words);
  if (stated && sample.labels[*stated] != label) return true;
  if (sample.task != data::Task::Pairwise) return false;
  const std::string sentence = last_sentence(critique);
  for (const std::string_view side : {"A", "B"}) {
    if (side != label && calls_better(sentence, fmt::format("{{{}}}", side))) return true;
  }
  return false;
}

bool CopyCheck::repeats(std::string_view critique) {
  shingler_.shingles(critique, critique_);
  words_.read(critique);
  if (words_.size() < 2 * kWords) return false;
  const auto runs = static_cast<double>(words_.size() - kWords + 1);
  return static_cast<double>(critique_.size()) < kLeastDistinct * runs;
}

bool CopyCheck::copies(std::string_view critique, std::string_view prompt) {
  shingler_.shingles(critique, critique_);
  shingler_.shingles(prompt, other_);
  const auto size = static_cast<double>(critique_.size());
  return size > 0 && static_cast<double>(text::shared(critique_, other_)) / size > most_;
}

bool CopyCheck::near_copy(std::string_view critique, std::span<const std::string_view> others) {
  shingler_.shingles(critique, critique_);
  for (const std::string_view other : others) {
    shingler_.shingles(other, other_);
    if (text::jaccard(critique_, other_) > most_) return true;
  }
  return false;
}

}  // namespace selene::curate
