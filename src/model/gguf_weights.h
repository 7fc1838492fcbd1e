// A GGUF of the architecture llama as Weights.
#pragma once

#include <filesystem>
#include <memory>

#include "model/gguf_layout.h"
#include "model/weights.h"

namespace selene::model {

// Reads the metadata, and of the tensors the RoPE factors alone. Throws Error (without a place) for
// what open_weights() refuses.
LlamaConfig read_gguf_config(const GgufLayout& layout);

std::unique_ptr<Weights> open_gguf_weights(const std::filesystem::path& path);

}  // namespace selene::model
