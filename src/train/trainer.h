// A training run: pairs and a base model in, a model file that judges out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "train/pair_means.h"
#include "train/settings.h"

namespace selene::train {

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

}  // namespace selene::train
