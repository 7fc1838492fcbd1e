// The judged items of a benchmark as lists, an entry an item: what metrics are computed from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/scored.h"
#include "bench/spec.h"
#include "bench/tally.h"

namespace selene::bench {

// `items` are the numbers of the items in the tally; the other lists are as long.
struct Judged {
  // Labels: every judged item. One without a verdict has a verdict that is no label's.
  struct Verdicts {
    std::vector<size_t> items;
    std::vector<size_t> truths;
    std::vector<size_t> verdicts;  // `labels`: none.
    std::vector<size_t> groups;
    std::vector<double> credits;  // By the benchmark's convention.
  };
  // Labels: the items whose verdict has probabilities.
  struct Probabilities {
    std::vector<size_t> items;
    std::vector<size_t> truths;
    std::vector<double> of_labels;   // (items, labels), row-major
    std::vector<double> of_verdict;  // Of the verdict.
    std::vector<bool> right;
    std::vector<double> of_positive;  // Where the benchmark has a positive label.
    std::vector<bool> positive;
  };
  // Pairwise in both orders: the items with a verdict in both.
  struct Orders {
    std::vector<size_t> items;
    std::vector<double> flips;  // 1 where the two differ.
  };
  // Pairwise: of every judged item, its verdicts for a response.
  struct Shown {
    std::vector<size_t> items;
    std::vector<double> first;  // For the one shown first.
    std::vector<double> all;
  };
  // Numbers: the items with a verdict.
  struct Scores {
    std::vector<size_t> items;
    std::vector<double> truths;
    std::vector<double> expected;  // The expected score.
    std::vector<double> verdicts;
    std::vector<double> log_lengths;  // log(1 + characters of the response)
    std::vector<size_t> groups;
  };

  size_t labels = 0;
  std::optional<size_t> positive;  // A label's number.
  Verdicts verdicts;
  Probabilities probabilities;
  Orders orders;
  Shown shown;
  Scores scores;
};

// What the benchmark's metric is not about stays empty.
Judged judged_of(const Spec& spec, const Scored& scored, const Tally& tally);

}  // namespace selene::bench
