// A Hugging Face folder of safetensors as Weights.
#pragma once

#include <filesystem>
#include <memory>

#include "model/weights.h"

namespace selene::model {

std::unique_ptr<Weights> open_huggingface_weights(const std::filesystem::path& folder);

}  // namespace selene::model
