// A tokenizer of byte-level BPE, as GGUF and as Hugging Face have it.
//
// GGUF: keys tokenizer.ggml.* as llama.cpp's convert_hf_to_gguf.py writes them. Hugging Face:
// tokenizer.json of the `tokenizers` library, with tokenizer_config.json beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/gguf_layout.h"
#include "model/gguf_writer.h"

namespace selene::model {

// As numbered in GGUF (llama.h, enum llama_token_type).
enum class TokenType : std::int32_t { Normal = 1, Unknown, Control, UserDefined, Unused, Byte };

// A token with a part of its own.
struct SpecialToken {
  std::string_view name;      // "bos"
  std::string_view gguf_key;  // "tokenizer.ggml.bos_token_id"
  std::optional<std::uint32_t> id{};
};

struct Tokenizer {
  std::string pre;  // How text is cut into words, by llama.cpp's name: "llama-bpe".
  std::vector<std::string> tokens;
  std::vector<TokenType> types;
  std::vector<std::string> merges;  // "Ġ t"
  // bos, eos, unk, sep, pad, cls, mask, eot, eom.
  std::vector<SpecialToken> special;
  std::optional<bool> add_bos{};
  std::optional<bool> add_eos{};
  std::optional<bool> add_space_prefix{};
  std::string chat_template{};  // Empty: none.
  std::vector<std::pair<std::string, std::string>> named_templates{};

  Tokenizer();
  std::optional<std::uint32_t> id_of(std::string_view special_name) const;
  void set_id(std::string_view special_name, std::uint32_t id);
  // What the keys say or, without them, what llama.cpp does for this `pre`.
  bool adds_bos() const;
};

// Throws Error (without a place) when the file has none, or one that is not byte-level BPE with a
// pre-tokenizer of ours.
Tokenizer read_gguf_tokenizer(const GgufLayout& layout);
void write_gguf_tokenizer(GgufWriter& writer, const Tokenizer& tokenizer);

// The texts of a folder's files; empty where a file is not there.
struct TokenizerTexts {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::string config_json;
  std::string chat_template_jinja;
};
// `vocabulary` is the number of rows of the embedding: ids without a token become unused ones.
// Throws Error, naming what is not known and the remedy --tokenizer.
Tokenizer read_huggingface_tokenizer(const TokenizerTexts& texts, std::uint64_t vocabulary);
// Of a folder, with the file in the Error.
Tokenizer read_huggingface_tokenizer(const std::filesystem::path& folder, std::uint64_t vocabulary);

struct FolderFile {
  std::string name;
  std::string bytes;
};
// tokenizer.json, tokenizer_config.json, special_tokens_map.json and generation_config.json.
std::vector<FolderFile> huggingface_tokenizer_files(const Tokenizer& tokenizer,
                                                    std::uint64_t context_length);

// llama.cpp's names of the pre-tokenizers that can be carried over.
std::vector<std::string_view> known_pre_tokenizers();

}  // namespace selene::model
