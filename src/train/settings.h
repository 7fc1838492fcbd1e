// What a training run is asked to do, from a file (docs/formats.md, "Training settings") and flags.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "train/loss.h"
#include "train/model.h"
#include "train/optimizer.h"

namespace selene::train {

// Defaults are ours, to be swept on the mix's validation pairs; none is the paper's.
struct TrainSettings {
  std::string mix;  // A folder with train.jsonl and validation.jsonl, or a file of pairs.
  std::string base = "default";  // A name, a GGUF or a Hugging Face folder.
  std::string adapter;           // An adapter to start from (LoRA alone); empty: none.
  std::string loss_name = "dpo+nll";
  LossSettings loss{};
  ModelSettings model{};
  OptimizerSettings optimizer{};
  bool learning_rate_given = false;  // Else 1e-5, and with LoRA 1e-4.
  std::int64_t batch = 16;           // Pairs a step.
  double epochs = 1;
  std::int64_t steps = 0;          // 0: as the epochs say.
  std::int64_t row_tokens = 2048;  // Of a packed row, the unit of memory.
  std::int64_t max_tokens = 0;     // Of a pair; 0: the model's context.
  std::int64_t pairs = 0;          // Of the mix, the first ones; 0: all.
  std::int64_t validation_pairs = 200;
  std::int64_t validate_every = 0;    // Steps; 0: a tenth of the run.
  std::int64_t checkpoint_every = 0;  // Steps; 0: as often as validated.
  std::int64_t keep = 2;              // Checkpoints, beside the best one.
  std::int64_t patience = 0;    // Validations without a better loss that end the run; 0: never.
  std::string format = "q8_0";  // Of the model file at the end.
  // For a dry run without base and mix at hand.
  std::optional<model::LlamaConfig> shape{};
  std::int64_t assumed_pairs = 0;
  std::int64_t assumed_tokens = 0;  // Of a pair, prompt and both answers.
};

// Reads a YAML file over `settings`. Throws Error that names file, line and key.
void read_settings(const std::filesystem::path& file, TrainSettings& settings);
// One key of such a file, its value as YAML text; errors name `place` ("--learning-rate").
void set_setting(const std::string& key, const std::string& value, const std::string& place,
                 TrainSettings& settings);
// Of LoRA: rank, alpha, targets (commas between).
void set_lora_setting(const std::string& key, const std::string& value, const std::string& place,
                      LoraSettings& lora);
// The longest pair, in tokens, of a model with this context.
std::size_t longest_pair(const TrainSettings& settings, std::uint64_t context);
// Throws Error for values that make no run.
void check_settings(const TrainSettings& settings);
// All that numbers depend on beside base and pairs.
nlohmann::ordered_json to_json(const TrainSettings& settings);

}  // namespace selene::train
