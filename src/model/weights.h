// The numbers of a model file as fp32, whatever it keeps them as: a GGUF of any quantisation that
// ggml reads, or a Hugging Face folder of safetensors.
//
// Names, order and the order of rows are Hugging Face's. llama.cpp turns neighbouring numbers of a
// head, so its files of the architecture llama have the rows of q and k permuted; that is undone
// here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/llama_config.h"

namespace selene::model {

struct WeightInfo {
  std::string name;           // "model.layers.0.self_attn.q_proj.weight"
  std::uint64_t rows = 1;     // 1 for a vector.
  std::uint64_t columns = 0;  // Numbers of a row.
  std::string type;           // "f32", "bf16", "q4_1", ...: as the file keeps it.
};

// Safe to read from several threads at once. The files must not change meanwhile.
class Weights {
 public:
  virtual ~Weights() = default;

  const LlamaConfig& config() const { return config_; }
  // In the order of llama_tensors().
  const std::vector<WeightInfo>& tensors() const { return tensors_; }
  // Writes rows * columns numbers, row by row. Throws Error for a name that is not there or numbers
  // that are not finite; `out` must be of that size.
  virtual void read(const std::string& name, std::span<float> out) const = 0;

 protected:
  LlamaConfig config_{};
  std::vector<WeightInfo> tensors_{};
};

// `path` is a GGUF file, or a folder with config.json and *.safetensors (sharded too). Reads no
// more than headers. Throws Error when it is not there, is cut short or damaged, or is no model of
// the Llama family, and names what it is instead: another architecture, a RoPE scaling other than
// the default and llama3, biases, experts.
std::unique_ptr<Weights> open_weights(const std::filesystem::path& path);

}  // namespace selene::model
