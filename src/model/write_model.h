// Model files out: GGUF, and Hugging Face folders with safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/weights.h"

namespace selene::model {

// Fills the numbers of one tensor, by its canonical name and in canonical row order. Called once a
// tensor in the order of the file, so that no more than one tensor need be in memory.
using WeightSource = std::function<void(const std::string& name, std::span<float> out)>;

// Reads them from a model file, which must outlive the source.
WeightSource weights_of(const Weights& weights);

// f32, f16, bf16, q8_0, q4_0, q4_1.
std::vector<std::string_view> gguf_formats();
// f32, f16, bf16.
std::vector<std::string_view> huggingface_formats();

struct WriteOptions {
  bool overwrite = true;  // Without it, Error where the destination is there.
  // A GGUF whose tokenizer goes along in place of the base's.
  std::filesystem::path tokenizer{};
  std::uint64_t shard_bytes = 5'000'000'000;  // Of a safetensors file; transformers' own limit.
  // Called after each tensor with its size in numbers, to show progress.
  std::function<void(std::uint64_t numbers)> written{};
};

// A GGUF with the shape, metadata and tokenizer of `base` (a GGUF or a Hugging Face folder) and the
// numbers of `source`. Vectors stay f32, as llama.cpp wants them; in the 4-bit formats the
// embedding and the output become q8_0. `destination` appears whole or not at all. Throws Error on
// an unknown format, a base that open_weights() refuses, a tokenizer that cannot be carried over,
// numbers that are not finite or too large for the format, and a failing write.
void write_gguf(const std::filesystem::path& destination, const std::filesystem::path& base,
                const WeightSource& source, std::string_view format,
                const WriteOptions& options = {});

// A folder that transformers opens: config.json, generation_config.json, model.safetensors (shards
// of 5 GB with an index when larger), tokenizer.json, tokenizer_config.json,
// special_tokens_map.json. `folder` appears whole or not at all.
void write_huggingface(const std::filesystem::path& folder, const std::filesystem::path& base,
                       const WeightSource& source, std::string_view format,
                       const WriteOptions& options = {});

}  // namespace selene::model
