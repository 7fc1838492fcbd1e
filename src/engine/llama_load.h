// Loading model files with llama.cpp, and its set-up and log, which a process has once.
#pragma once

#include <filesystem>
#include <string>

#include <llama-cpp.h>
#include <llama.h>

namespace selene::engine {

// Before the first call of llama.cpp: its log goes to take_llama_log, and our kernels are
// registered. May be called again.
void set_up_llama();

// The error lines that llama.cpp wrote since the last call.
std::string take_llama_log();

// Throws Error that names the file and says why llama.cpp cannot load it.
llama_model_ptr load_llama_model(const std::filesystem::path& path,
                                 const llama_model_params& params);

// Whether our attention (engine/attention.h) serves the sizes of the model's heads.
bool accelerates_attention(const llama_model* model);

}  // namespace selene::engine
