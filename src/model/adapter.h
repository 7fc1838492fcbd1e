// LoRA adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685) as files: GGUF as llama.cpp has
// it, and folders as PEFT has them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/llama_config.h"

namespace selene::model {

// One weight's change, alpha / rank * B A. Rows of B are in Hugging Face's order.
struct LoraMatrix {
  std::string name;        // Of the weight it changes, "model.layers.0.self_attn.q_proj.weight".
  std::uint64_t in = 0;    // Columns of the weight.
  std::uint64_t out = 0;   // Its rows.
  std::vector<float> a{};  // (rank, in)
  std::vector<float> b{};  // (out, rank)
};

struct LoraAdapter {
  std::uint64_t rank = 0;
  double alpha = 0;
  std::vector<LoraMatrix> matrices{};  // In the order of llama_tensors(); distinct names.
};

// A GGUF adapter, or a PEFT folder (adapter_config.json and adapter_model.safetensors; rsLoRA's
// scale alpha / sqrt(rank) becomes an alpha of ours). Throws Error when it is damaged, is for a
// model of another shape, or is of a kind that is more than B A: DoRA, biases, trained embeddings,
// a rank or an alpha by pattern.
LoraAdapter read_adapter(const std::filesystem::path& path, const LlamaConfig& config);

// Both write f32, appear whole or not at all, and throw Error for a matrix that does not fit the
// model.
void write_adapter_gguf(const std::filesystem::path& destination, const LoraAdapter& adapter,
                        const LlamaConfig& config);
// `base_name` is what the adapter says it is for: a folder, or a repository of Hugging Face. A
// folder that is there is replaced only where it holds an adapter_config.json.
void write_peft_folder(const std::filesystem::path& folder, const LoraAdapter& adapter,
                       const LlamaConfig& config, std::string_view base_name);

// What an adapter says of itself, without the model that it is for.
struct AdapterFacts {
  std::string kind;  // "GGUF" or "PEFT"
  std::uint64_t rank = 0;
  double alpha = 0;
  std::uint64_t matrices = 0;
  std::uint64_t parameters = 0;
  std::vector<std::string> targets{};  // "q_proj", ...; sorted.
  std::string base{};                  // What it says it is for; may be empty.
  std::uint64_t bytes = 0;
};

// Whether this is a GGUF adapter or a PEFT folder, by its header or config; false for all else.
bool is_adapter(const std::filesystem::path& path);
// Throws Error as read_adapter().
AdapterFacts inspect_adapter(const std::filesystem::path& path);

// weight += alpha / rank * B A where the adapter changes the tensor of this name, and nothing
// otherwise. `weight` is (out, in).
void add_adapter(const LoraAdapter& adapter, const std::string& name, std::span<float> weight);

}  // namespace selene::model
