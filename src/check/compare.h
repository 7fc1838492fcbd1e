// Two sets of answers to the same inputs, judged pairwise in both orders: which is better.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "check/answers.h"
#include "check/run_checks.h"
#include "stats/proportion.h"

namespace selene::check {

struct Comparison {
  // One pair of answers, by the id that both sets have.
  struct Row {
    std::string id;
    bool id_is_integer = false;
    std::string winner;  // "A", "B", "tie"; empty: no verdict, for `reason`.
    std::string reason;
    data::Distribution probabilities;  // Of both orders together.
    std::string critique;
  };
  std::vector<Row> rows;
  std::int64_t a = 0;
  std::int64_t b = 0;
  std::int64_t ties = 0;  // The two are identical, the two orders disagree, or the judge said Tie.
  std::int64_t identical = 0;  // Of the ties: not judged.
  std::int64_t unreadable = 0;
  std::optional<stats::Estimate> b_rate;  // B's wins among the pairs that one of the two wins.

  // "better" or "worse", of B, when the interval lies on one side of one half; else "cannot tell".
  std::string decision() const;
};

// Throws Error: other ids on one side (says how many, and one of them), other inputs under one id,
// no pair with a verdict, and as run_checks(). Nothing when stopped.
std::optional<Comparison> compare_answers(const Answers& a, const Answers& b,
                                          const std::string& criteria, const RunOptions& options);

// A row of --out (docs/formats.md, "Comparison").
nlohmann::ordered_json to_json(const Comparison::Row& row);
nlohmann::ordered_json summary_json(const Comparison& comparison);

}  // namespace selene::check
