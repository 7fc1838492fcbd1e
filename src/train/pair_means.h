// What pairs cost and how they are judged: means that a run reports, and the gradients on the way.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>

#include "train/loss.h"
#include "train/packing.h"
#include "train/pairs.h"
#include "train/reference.h"

namespace selene::train {

struct PairMeans {
  std::size_t pairs = 0;
  double loss = 0;
  double dpo = 0;
  double nll = 0;
  double margin = 0;    // Reward of the chosen minus that of the rejected answer.
  double accuracy = 0;  // Share with a margin above 0.
  // Share of pairs whose chosen label is more probable, after its critique, than the rejected
  // answer's label after its own.
  double verdict_accuracy = 0;
  double chosen_log_p = 0;
  double rejected_log_p = 0;
};

// As lines of metrics.jsonl and checkpoints have them: each under its name above.
nlohmann::ordered_json to_json(const PairMeans& means);
PairMeans means_from(const nlohmann::ordered_json& json);

class PairSum {
 public:
  // `references` may be empty: none.
  PairSum(const LossSettings& loss, std::span<const LoadedPair> pairs,
          std::span<const ReferenceScores> references)
      : loss_(loss), pairs_(pairs), references_(references) {}

  // The row's pairs, whose index among `pairs` is index_of[their index in the packed ones]. The
  // gradient of each target's log p, times `scale`, is added to `gradients` where it is not null.
  void add(const Row& row, std::span<const double> log_p, std::span<const std::size_t> index_of,
           double scale, std::vector<double>* gradients);
  PairMeans means() const;

 private:
  LossSettings loss_;
  std::span<const LoadedPair> pairs_;
  std::span<const ReferenceScores> references_;
  PairMeans sums_;
};

}  // namespace selene::train
