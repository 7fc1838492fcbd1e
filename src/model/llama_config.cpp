#include "model/llama_config.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::model {
namespace {

// Frequencies before any scaling, in float as transformers' compute_default_rope_parameters and
// llama.cpp's conversion script have them.
std::vector<float> plain_frequencies(double rope_base, std::uint64_t head_size) {
  std::vector<float> frequencies;
  for (std::uint64_t i = 0; i < head_size; i += 2) {
    const float power = static_cast<float>(i) / static_cast<float>(head_size);
    frequencies.push_back(1.0f / std::pow(static_cast<float>(rope_base), power));
  }
  return frequencies;
}

void check_size(std::uint64_t value, std::uint64_t least, std::uint64_t most, const char* what) {
  if (value < least || value > most) {
    throw Error(fmt::format("{} {}, which must be from {} to {}", what, value, least, most), "",
                "this is no model that can be read");
  }
}

}  // namespace

std::vector<float> rope_frequencies(const LlamaConfig& config) {
  std::vector<float> frequencies = plain_frequencies(config.rope_base, config.head_size);
  for (size_t i = 0; i < config.rope_factors.size() && i < frequencies.size(); ++i)
    frequencies[i] /= config.rope_factors[i];
  return frequencies;
}

std::vector<float> llama3_rope_factors(const Llama3Scaling& scaling, double rope_base,
                                       std::uint64_t head_size) {
  const double low_length = scaling.original_context / scaling.low_frequency_factor;
  const double high_length = scaling.original_context / scaling.high_frequency_factor;
  const auto context = static_cast<float>(scaling.original_context);
  const auto low = static_cast<float>(scaling.low_frequency_factor);
  const auto range =
      static_cast<float>(scaling.high_frequency_factor - scaling.low_frequency_factor);
  const auto factor = static_cast<float>(scaling.factor);
  std::vector<float> factors;
  for (const float frequency : plain_frequencies(rope_base, head_size)) {
    const float length = static_cast<float>(2 * std::numbers::pi) / frequency;
    if (length < high_length) {
      factors.push_back(1.0f);
    } else if (length > low_length) {
      factors.push_back(factor);
    } else {
      const float smooth = (context / length - low) / range;
      factors.push_back(1.0f / ((1.0f - smooth) / factor + smooth));
    }
  }
  return factors;
}

std::vector<LlamaTensor> llama_tensors(const LlamaConfig& config) {
  const std::uint64_t width = config.width;
  const std::uint64_t q_rows = config.heads * config.head_size;
  const std::uint64_t kv_rows = config.kv_heads * config.head_size;
  struct Part {
    std::string_view name;
    std::string_view gguf_name;
    std::uint64_t rows;
    std::uint64_t columns;
    std::uint64_t turned = 0;
  };
  const Part parts[] = {
      {"input_layernorm", "attn_norm", 1, width},
      {"self_attn.q_proj", "attn_q", q_rows, width, config.heads},
      {"self_attn.k_proj", "attn_k", kv_rows, width, config.kv_heads},
      {"self_attn.v_proj", "attn_v", kv_rows, width},
      {"self_attn.o_proj", "attn_output", width, q_rows},
      {"post_attention_layernorm", "ffn_norm", 1, width},
      {"mlp.gate_proj", "ffn_gate", config.feed_forward, width},
      {"mlp.up_proj", "ffn_up", config.feed_forward, width},
      {"mlp.down_proj", "ffn_down", width, config.feed_forward},
  };
  std::vector<LlamaTensor> tensors;
  tensors.push_back({"model.embed_tokens.weight", "token_embd.weight", config.vocabulary, width});
  for (std::uint64_t layer = 0; layer < config.layers; ++layer) {
    for (const Part& part : parts) {
      tensors.push_back({fmt::format("model.layers.{}.{}.weight", layer, part.name),
                         fmt::format("blk.{}.{}.weight", layer, part.gguf_name), part.rows,
                         part.columns, part.turned});
    }
  }
  tensors.push_back({"model.norm.weight", "output_norm.weight", 1, width});
  if (!config.tied_embeddings)
    tensors.push_back({"lm_head.weight", "output.weight", config.vocabulary, width});
  return tensors;
}

void check_config(const LlamaConfig& config) {
  check_size(config.layers, 1, 1 << 14, "the number of layers is");
  check_size(config.width, 1, 1 << 20, "the width is");
  check_size(config.heads, 1, 1 << 14, "the number of heads is");
  check_size(config.kv_heads, 1, config.heads, "the number of key and value heads is");
  check_size(config.head_size, 2, 1 << 14, "the size of a head is");
  check_size(config.feed_forward, 2, 1 << 22, "the feed-forward size is");
  check_size(config.vocabulary, 2, std::uint64_t{1} << 28, "the vocabulary is");
  check_size(config.context_length, 1, std::uint64_t{1} << 31, "the context length is");
  if (config.heads % config.kv_heads != 0) {
    throw Error(
        fmt::format("{} heads cannot share {} key and value heads", config.heads, config.kv_heads));
  }
  if (config.head_size % 2 != 0)
    throw Error(fmt::format("a head has {} numbers, which must be even", config.head_size));
  if (!(config.rms_epsilon >= 0) || !std::isfinite(config.rms_epsilon))
    throw Error("the epsilon of RMSNorm is not a number of at least 0");
  if (!(config.rope_base > 0) || !std::isfinite(config.rope_base))
    throw Error("the base of RoPE is not a number above 0");
  if (!config.rope_factors.empty() && config.rope_factors.size() != config.head_size / 2) {
    throw Error(fmt::format("{} RoPE factors, expected {}", config.rope_factors.size(),
                            config.head_size / 2));
  }
  for (const float factor : config.rope_factors) {
    if (!(factor > 0) || !std::isfinite(factor))
      throw Error("a RoPE factor is not a number above 0");
  }
}

}  // namespace selene::model
