#include "curate/step.h"

#include <array>

#include <fmt/format.h>

#include "curate/steps.h"
#include "model/store.h"

namespace selene::curate {

std::span<const StepKind> step_kinds() {
  static constexpr std::array<StepKind, 17> kKinds{{
      {"clean", "control characters, line ends and white space; broken encodings go", make_clean},
      {"length", "tokens of the target model at most, characters of a response at least",
       make_length},
      {"language", "the languages to keep (CLD2)", make_language},
      {"quality", "heuristics for texts that are no prose (Gopher)", make_quality},
      {"agreement", "the share of annotators that gave the label, at least", make_agreement},
      {"exact_duplicates", "rows that say the same", make_exact_duplicates},
      {"near_duplicates", "rows that say nearly the same (Jaccard similarity of shingles)",
       make_near_duplicates},
      {"contamination", "rows that share runs of words with a benchmark", make_contamination},
      {"balance", "the labels of each source and task", make_balance},
      {"quota", "the topics of each source", make_quota},
      {"sample", "so many rows of each source, by chance", make_sample},
      {"judge", "the judge's own verdict, and how sure it is", make_judge},
      {"critiques", "critiques that a model writes for a given verdict", make_critiques},
      {"pairs", "a chosen and a rejected judgment of each row", make_pairs},
      {"reward", "scores of chosen and rejected, and thresholds", make_reward},
      {"mix", "caps, weights and shares", make_mix},
      {"split", "train, validation and test, by group", make_split},
  }};
  return kKinds;
}

std::filesystem::path counting_model(const Resources& resources) {
  return model::resolve_model(resources.model.string()).path;
}

}  // namespace selene::curate
