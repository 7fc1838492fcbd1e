// The in-process engine: any GGUF that llama.cpp runs, with a LoRA adapter, on CPU or GPU. Sole
// user of llama.h.
//
// Requests are put in the order of their tokens, so that each shared beginning (template, rubric,
// input) is computed once whatever the order of the input; many critiques decode together and new
// ones are admitted as others end; label scores come from the same passes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/chat_template.h"
#include "engine/engine.h"

namespace selene::engine {

struct LlamaOptions {
  std::filesystem::path model{};
  std::string name{};               // For people; empty: the file's name.
  std::filesystem::path adapter{};  // A LoRA adapter in GGUF; empty: none.
  float adapter_scale = 1;
  int threads = 0;                  // 0: as many as the machine has cores.
  std::int64_t context_tokens = 0;  // The longest request; 0: what the model was trained for.
  std::int64_t kv_mib =
      0;               // For keys and values; 0: 256, or a quarter of the model's size if larger.
  int max_slots = 32;  // Critiques that are written side by side, where kv_mib allows.
  int batch_tokens = 512;  // Computed at once.
  bool exact = true;       // False: results may depend on threads and neighbours.
                           // For measuring what exactness costs.
  int gpu_layers = -1;     // Where the build has a GPU; -1: all.
  bool mmap = true;
  std::string chat_template{};  // Jinja; empty: the model's own.
  std::string date = ChatTemplate::kDefaultDate;
};

// Looks at the files; the model is loaded by the first call that needs it. Throws Error that names
// the file and what is wrong with it (not GGUF, truncated, no chat template, an adapter of another
// architecture; when loading: an architecture that llama.cpp does not know).
std::unique_ptr<Engine> open_llama_engine(const LlamaOptions& options);

// llama.cpp's version, our numerics revision and the kernel class of this build and machine, e.g.
// "llama.cpp 0.5.0, numerics 4, cpu-avx512-vnni-bf16-selene".
std::string llama_engine_version(bool gpu);

// What llama.cpp says of the processor features that this build uses.
std::string llama_system_info();

}  // namespace selene::engine
