// The reference's log-probabilities of every answer, computed once and kept beside the run: the
// base model before it is trained (or, with LoRA, the base without its adapter).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "train/model.h"
#include "train/packing.h"

namespace selene::train {

struct ReferenceScores {
  std::vector<double> chosen;  // log p of each token, natural.
  std::vector<double> rejected;
};

// The log-probabilities of one answer's tokens, from those of its row.
std::vector<double> scores_of(const Branch& branch, std::span<const double> log_p);

// One a pair, in the order of `pairs`. Those in `file` that were computed for the same `digest` (of
// all they depend on: weights, precision, pairs) are taken from there; the others are computed,
// `progress(done)` told after each row, and appended to it. False from `more` stops: what is there
// is kept, and the result is shorter than `pairs`. Throws Error when the file cannot be written.
std::vector<ReferenceScores> reference_scores(Model& model, std::span<const TokenPair> pairs,
                                              std::size_t row_tokens,
                                              const std::filesystem::path& file,
                                              const std::string& digest,
                                              const std::function<void(std::size_t done)>& progress,
                                              const std::function<bool()>& more);

}  // namespace selene::train
