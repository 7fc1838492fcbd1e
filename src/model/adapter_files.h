// The matrices of an adapter as a file has them, before they are held against a model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/adapter.h"

namespace selene::model {

// Names are Hugging Face's; rows of B are in the file's order, which for a GGUF has q and k
// permuted.
LoraAdapter read_gguf_adapter(const std::filesystem::path& path, std::string* base_name);
LoraAdapter read_peft_adapter(const std::filesystem::path& folder, std::string* base_name);

// Throws Error (without a place) when it does not fit the model: each matrix must name a tensor of
// two dimensions and have its shape and the adapter's rank.
void check_adapter(const LoraAdapter& adapter, const LlamaConfig& config);

// Hugging Face's name for llama.cpp's ("blk.3.attn_q.weight"); empty for one of no matrix of ours.
std::string huggingface_name(std::string_view gguf_name);

}  // namespace selene::model
