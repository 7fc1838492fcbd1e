// What a model file says of itself, a GGUF or a Hugging Face folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/llama_config.h"

namespace selene::model {

// The tensors that are kept as one type.
struct TypeShare {
  std::string type{};  // "q8_0", "f32"
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
};

struct TokenizerFacts {
  std::string kind{};  // "gpt2" (byte-level BPE), "llama" (SentencePiece), ...; empty: none.
  std::string pre{};   // llama.cpp's name of the pre-tokenizer; empty: not known.
  std::uint64_t tokens = 0;
  std::vector<std::pair<std::string, std::string>> special{};  // "bos" and its text.
  std::string problem{};  // Of a folder: why it cannot be carried over to GGUF; empty: it can.
};

struct ModelFacts {
  std::string kind{};          // "GGUF" or "Hugging Face"
  std::string name{};          // May be empty.
  std::string architecture{};  // "llama"
  std::string file_type{};     // "Q8_0"; empty for a folder.
  std::uint64_t bytes = 0;     // Of the GGUF, or of all safetensors.
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::vector<TypeShare> types{};  // The largest share of bytes first.
  std::optional<LlamaConfig> config{};
  std::string not_read{};  // Why there is no config: it is no model of the Llama family.
  TokenizerFacts tokenizer{};
  std::optional<std::string> chat_template{};
};

// Reads headers and the tokenizer, no weights. Throws Error when it is no whole file or folder; a
// GGUF of another family is described as far as its header goes.
ModelFacts describe_model(const std::filesystem::path& path);

}  // namespace selene::model
