// The vocabulary of a GGUF file, loaded with llama.cpp itself and without its weights.
#pragma once

#include <llama-cpp.h>
#include <llama.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "engine/llama_engine.h"

namespace selene::testing {

class Vocab {
 public:
  explicit Vocab(const std::filesystem::path& path) {
    engine::llama_system_info();  // Sets up the engine's log: llama.cpp is silent after it.
    llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    model_.reset(llama_model_load_from_file(path.c_str(), params));
    if (model_ == nullptr) throw std::runtime_error("llama.cpp cannot load " + path.string());
  }

  const llama_vocab* get() const { return llama_model_get_vocab(model_.get()); }
  std::string chat_template() const { return llama_model_chat_template(model_.get(), nullptr); }
  std::string text(llama_token token) const { return llama_vocab_get_text(get(), token); }
  std::string bos() const { return text(llama_vocab_bos(get())); }
  std::string eos() const { return text(llama_vocab_eos(get())); }

 private:
  llama_model_ptr model_;
};

// The file's place in llama.cpp's source.
inline std::filesystem::path llama_source(const std::string& file) {
  return std::filesystem::path(SELENE_LLAMA_SOURCE) / file;
}

}  // namespace selene::testing
