// What becomes of a critique that a teacher wrote for a given verdict: checks of its text, in a
// fixed order; the first that it falls to counts. They look for plain signs and prove nothing: that
// a critique argues well is for re-scoring to say.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/sample.h"
#include "engine/engine.h"
#include "judge/template.h"
#include "text/shingles.h"
#include "text/words.h"

namespace selene::curate {

namespace checks {
inline constexpr std::string_view kNoAnswer = "no answer";  // Refused, failed, or nothing read.
inline constexpr std::string_view kEmpty = "empty";
inline constexpr std::string_view kCutShort = "cut short";  // Ended by the token limit.
inline constexpr std::string_view kBroken = "broken characters";
inline constexpr std::string_view kTold = "speaks of a given verdict";
inline constexpr std::string_view kSide = "names a side by a letter alone";
inline constexpr std::string_view kContradiction = "contradicts itself";
inline constexpr std::string_view kRepeats = "repeats itself";
inline constexpr std::string_view kPromptCopy = "copies the prompt";
inline constexpr std::string_view kNotScored = "not scored";  // Too long, or no verdict to read.
inline constexpr std::string_view kScoredOtherwise = "scored otherwise";
inline constexpr std::string_view kNearCopy = "near copy";
inline constexpr std::string_view kSurplus = "more than wanted";
// In their order.
inline constexpr std::string_view kAll[] = {
    kNoAnswer, kEmpty,      kCutShort,  kBroken,          kTold,     kSide,   kContradiction,
    kRepeats,  kPromptCopy, kNotScored, kScoredOtherwise, kNearCopy, kSurplus};
}  // namespace checks

struct CheckedCritique {
  std::string text;          // As a row keeps it: without marks, sides as {A} and {B}.
  std::string_view fell_to;  // One of `checks`; empty: it passed those of the text.
};

// The checks of the answer alone, up to kContradiction, which it also falls to where the teacher
// itself gives another label at the result mark. `label` is what it argues for.
CheckedCritique check_critique(const judge::Template& form, const data::Sample& sample,
                               std::string_view label, const engine::Result& result);

// Whether the text says that its verdict was given: a phrase of a list, whatever its case, that the
// sample does not use itself.
bool speaks_of_given_verdict(std::string_view critique, const data::Sample& sample);

// "Response A" as "Response {A}", also in "Responses A and B" and after "Assistant"; `words` are
// what the prompt calls A and B.
std::string with_sides(std::string_view critique, std::span<const std::string> words);

// Whether the text (with_sides) comes to another verdict than `label`: the last place where it
// states one ("Result: 2", "a score of 2") states another, or its last sentence calls another side
// the better one. `words` are the labels' in the prompt.
bool contradicts(std::string_view critique, const data::Sample& sample,
                 std::span<const std::string> words, std::string_view label);

// Runs of 3 words in common.
class CopyCheck {
 public:
  static constexpr double kLeastDistinct = 0.6;

  // `most`: the largest share that is no copy.
  explicit CopyCheck(double most) : most_(most) {}

  // Of the critique's runs fewer than kLeastDistinct are distinct.
  bool repeats(std::string_view critique);
  // The share of the critique's runs that stand in `prompt` is above the most.
  bool copies(std::string_view critique, std::string_view prompt);
  // The Jaccard similarity to one of `others` is above the most.
  bool near_copy(std::string_view critique, std::span<const std::string_view> others);

 private:
  double most_;
  static constexpr size_t kWords = 3;
  text::Shingler shingler_{kWords};
  text::Words words_;
  std::vector<std::uint64_t> critique_, other_;
};

}  // namespace selene::curate
