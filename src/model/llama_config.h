// The shape of a Llama-family model: RMSNorm, RoPE, grouped-query attention, SwiGLU, no biases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace selene::model {

struct LlamaConfig {
  std::uint64_t layers = 0;
  std::uint64_t width = 0;  // Numbers of a token between the layers.
  std::uint64_t heads = 0;
  std::uint64_t kv_heads = 0;      // Divides heads.
  std::uint64_t head_size = 0;     // Even. heads * head_size need not be the width.
  std::uint64_t feed_forward = 0;  // Numbers of a token inside of the feed-forward part.
  std::uint64_t vocabulary = 0;    // Rows of the embedding.
  std::uint64_t context_length = 0;
  float rms_epsilon = 1e-5f;
  double rope_base = 10000.0;
  // head_size / 2 divisors of the frequencies, which Llama 3.1 scales so; empty: all are 1. GGUF
  // keeps them as the tensor rope_freqs.weight.
  std::vector<float> rope_factors{};
  bool tied_embeddings = false;  // The output is the embedding; there is no lm_head.weight.

  bool operator==(const LlamaConfig&) const = default;
};

// Radians a token for each pair of numbers (i, i + head_size / 2) of a head, head_size / 2 of them:
// base^(-2i / head_size) / factor_i (Su et al. 2021, https://arxiv.org/abs/2104.09864, section
// 3.2.2), computed in float as Hugging Face does.
std::vector<float> rope_frequencies(const LlamaConfig& config);

// What `rope_type: llama3` of Hugging Face stands for (transformers, modeling_rope_utils.py).
struct Llama3Scaling {
  double factor = 8;
  double low_frequency_factor = 1;
  double high_frequency_factor = 4;
  double original_context = 8192;

  bool operator==(const Llama3Scaling&) const = default;
};

// The divisors that make this scaling: 1 for short wave lengths, `factor` for long ones, between
// them a smooth way from one to the other. Those of llama.cpp's conversion script, to one rounding
// of a power.
std::vector<float> llama3_rope_factors(const Llama3Scaling& scaling, double rope_base,
                                       std::uint64_t head_size);

// A name of a tensor and its place in the canonical order, which is that of a walk through the
// model: the embedding, then each layer (input norm, q, k, v, o, second norm, gate, up, down), the
// last norm, and lm_head.weight where it is not tied.
struct LlamaTensor {
  std::string name;           // Hugging Face's.
  std::string gguf_name;      // llama.cpp's.
  std::uint64_t rows = 1;     // 1 for a vector.
  std::uint64_t columns = 0;  // Numbers of a row.
  std::uint64_t turned = 0;   // Heads whose rows GGUF permutes (q and k); 0: none.
};

std::vector<LlamaTensor> llama_tensors(const LlamaConfig& config);

// Throws Error (without a place) when the numbers make no model: zeros, heads that do not divide,
// sizes whose product no machine holds.
void check_config(const LlamaConfig& config);

}  // namespace selene::model
