// What a run will need, before it is started: memory by formula, time by measurement where the base
// is at hand (a row of random tokens forward and back) and by formula for GPUs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/settings.h"

namespace selene::train {

struct MemoryPart {
  std::string what;
  double bytes = 0;
};

// Of one process on a CPU, or of one GPU of `devices` that share the optimizer's state. Numbers
// are kept as model.h says; on a GPU weights and activations are bf16, and master weights,
// gradients and moments fp32.
std::vector<MemoryPart> memory_of(const TrainSettings& settings, const model::LlamaConfig& config,
                                  bool gpu, int devices);
std::uint64_t parameters_of(const model::LlamaConfig& config);
// Numbers in the adapters.
std::uint64_t lora_parameters_of(const model::LlamaConfig& config, const LoraSettings& lora);
// Floating-point operations a token, forward and back (6 a number that is multiplied, 4 where the
// weight itself is not trained) and in the reference (2), without attention's.
double operations_a_token(const TrainSettings& settings, const model::LlamaConfig& config);

// Throws Error where a run here needs more memory than there is, with what would fit.
void check_memory(const TrainSettings& settings, const model::LlamaConfig& config,
                  std::uint64_t bytes);
// "with --recompute --row-tokens 512 it is 2.31 GB, with --lora as well 0.61 GB"
std::string what_needs_less(const TrainSettings& settings, const model::LlamaConfig& config);

struct Estimate {
  std::vector<std::string> lines;
};

// Throws Error where neither base nor shape, or neither mix nor assumed pairs, are there.
Estimate estimate(const TrainSettings& settings);
std::string estimate_text(const Estimate& estimate);

}  // namespace selene::train
