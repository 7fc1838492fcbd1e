// A training run: pairs and a base model in, a model file that judges out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "train/pairs.h"
#include "train/reference.h"
#include "train/settings.h"

namespace selene::train {

// Means over pairs.
struct PairMeans {
  std::size_t pairs = 0;
  double loss = 0;
  double dpo = 0;
  double nll = 0;
  double margin = 0;    // Reward of the chosen minus that of the rejected answer.
  double accuracy = 0;  // Share with a margin above 0.
  double chosen_log_p = 0;
  double rejected_log_p = 0;
  // Share of pairs whose chosen label is more probable, after its critique, than the rejected
  // answer's label after its own.
  double verdict_accuracy = 0;
};

// How much of the gradient's norm is of the verdicts' tokens: |g_verdict| and |g_critique| of the
// same pairs, each alone.
struct GradientShare {
  double verdict = 0;
  double critique = 0;
};

struct TrainProgress {
  std::int64_t step = 0;
  std::int64_t steps = 0;
  PairMeans batch;
  double gradient_norm = 0;
  double learning_rate = 0;
  double tokens_per_second = 0;
};

struct TrainEvents {
  std::function<void(const std::string& line)> say;
  std::function<void(const char* what, std::size_t done, std::size_t total)> work;
  std::function<void(const TrainProgress& progress)> step;
  std::function<void(std::int64_t step, const PairMeans& validation)> validated;
  std::function<bool()> stop;
};

struct TrainOutcome {
  bool done = false;  // False: stopped; the same command goes on.
  std::int64_t steps = 0;
  std::int64_t best_step = 0;
  std::optional<PairMeans> before;
  std::optional<PairMeans> after;
  std::filesystem::path model;  // What --judge takes.
  std::uint64_t pairs = 0;
  std::uint64_t tokens = 0;        // Computed in training, without reference and validation.
  std::uint64_t plain_tokens = 0;  // That a row for each answer would have been.
  std::uint64_t cut = 0;
  std::uint64_t too_long = 0;
};

// Into `out`: metrics.jsonl, reference.bin, checkpoints/, model.gguf (with LoRA adapter.gguf and
// adapter/, a PEFT folder), judge.yaml. Throws Error: bad settings, pairs or base; a checkpoint of
// another run; a loss or gradient that is not finite (names step and pairs; the last checkpoint
// stays); no disk space.
TrainOutcome train(const TrainSettings& settings, const std::filesystem::path& base_gguf,
                   const std::filesystem::path& out, const TrainEvents& events,
                   nlohmann::ordered_json& record);

// Threads of all work from here on; else all cores.
void set_threads(int threads);

// What a pair costs and how it is judged, summed up; `gradients` of each target are added where it
// is not null, times `scale`.
class PairSum {
 public:
  PairSum(const LossSettings& loss, std::span<const LoadedPair> pairs,
          std::span<const ReferenceScores> references)
      : loss_(loss), pairs_(pairs), references_(references) {}

  // `index_of` gives the pair's index from the row's.
  void add(const Row& row, std::span<const double> log_p, std::span<const std::size_t> index_of,
           double scale, std::vector<double>* gradients);
  PairMeans means() const;

 private:
  LossSettings loss_;
  std::span<const LoadedPair> pairs_;
  std::span<const ReferenceScores> references_;  // Empty: none.
  PairMeans sums_;
};

}  // namespace selene::train
