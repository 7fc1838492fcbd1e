// config.json of a Hugging Face folder and our LlamaConfig.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "model/llama_config.h"
#include "model/tokenizer.h"

namespace selene::model {

// Throws Error (without a place) when it is no valid config.json or no Llama-family model, naming
// what it is: an architecture, a RoPE scaling, biases, experts, a quantisation.
LlamaConfig read_huggingface_config(std::string_view json);

// The same model in the words of transformers. `dtype` is "float32", "float16" or "bfloat16".
// Throws Error when the RoPE factors are those of no llama3 scaling.
std::string write_huggingface_config(const LlamaConfig& config, const Tokenizer& tokenizer,
                                     std::string_view name, std::string_view dtype);
// The same text with another dtype.
std::string with_dtype(std::string_view json, std::string_view dtype);
// "float32" for "f32".
std::string_view dtype_name(std::string_view format);

// The scaling whose factors these are, to one rounding: GGUF keeps the factors only. The parameters
// tried are those of published models: whole factors, frequency factors 1 and 4 (or small whole
// numbers), powers of two as original context. Nothing when none fits.
std::optional<Llama3Scaling> find_llama3_scaling(const LlamaConfig& config);

}  // namespace selene::model
