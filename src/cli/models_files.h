// What the commands of `selene models` that take and make model files have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/progress.h"
#include "model/weights.h"
#include "model/write_model.h"

namespace selene::cli {

// A folder as it stands, or else what resolve_model() makes of the text.
std::filesystem::path model_path(const std::string& spec);

// What a model is written as: `to` when it is "gguf" or "huggingface", else by the name: a file
// NAME.gguf, or a folder.
bool is_gguf_output(const std::string& out, const std::string& to);

// The format that keeps every number: that of the matrices where it is f32, f16 or bf16 for all of
// them, f32 for any other.
std::string exact_format(const model::Weights& weights);

struct WriteModel {
  std::string base;  // Where metadata and tokenizer are from.
  std::string out;
  std::string to{};
  std::string format{};  // Empty: exact_format() of `base`.
  std::string tokenizer{};
  std::string label;  // "converting"
  bool overwrite = false;
  bool quiet = false;
};

// Writes the numbers of `weights`, each tensor changed by `change` where there is one, with
// progress, and prints the path. An interrupt ends it with an Error and nothing written.
void write_model(
    const WriteModel& task, const model::Weights& weights,
    const std::function<void(const std::string& name, std::span<float> numbers)>& change = {});

// Counts numbers as they are done, and ends the work by an Error on an interrupt.
class NumberProgress {
 public:
  NumberProgress(std::string label, const std::vector<model::WeightInfo>& tensors, bool quiet);
  void add(std::uint64_t numbers);
  void finish() { progress_.finish(); }

 private:
  Progress progress_;
  std::uint64_t done_ = 0;
};

}  // namespace selene::cli
