// Agreement of two raters on the same items: a judge's labels and people's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stats/proportion.h"

namespace selene::stats {

// counts[i][j]: the first rater gave labels[i], the second labels[j].
struct Confusion {
  std::vector<std::string> labels;
  std::vector<std::vector<std::int64_t>> counts;
  std::int64_t total() const;
};

// Labels stand in the order of `labels`; those that are not in it follow in the order of their
// first appearance. None is given twice.
Confusion confusion(std::span<const std::pair<std::string, std::string>> ratings,
                    std::vector<std::string> labels);

struct Agreement {
  Estimate observed;         // Share of items with the same label from both (Wilson).
  double most_frequent = 0;  // What a rater would reach who always gives the second's most frequent
                             // label: the constant-answer baseline.
  // Cohen's kappa (Educational and Psychological Measurement 20, 1960), with the large-sample
  // interval of Fleiss, Cohen and Everitt (Psychological Bulletin 72, 1969), which shrinks to a
  // point at kappa 1 and -1 and where one rater gave one label to everything. Where both gave the
  // same one, chance explains all: `has_kappa` is false.
  bool has_kappa = false;
  Estimate kappa;
};

// Of at least one item.
Agreement agreement(const Confusion& confusion);

}  // namespace selene::stats
