// How text is cut into words before byte-level BPE: llama.cpp knows it by a name, tokenizer.json by
// a description of the steps.
#pragma once

#include <span>
#include <string_view>

namespace selene::model {

struct PreTokenizer {
  std::string_view name;        // tokenizer.ggml.pre
  std::string_view json;        // "pre_tokenizer" of tokenizer.json.
  bool ignores_merges = false;  // A word that is a token is that token whatever the merges say.
  bool adds_bos = false;        // llama.cpp's, where no key says it.
  std::span<const std::string_view> same{};  // Other names that llama.cpp gives the same rules.
};

// Each description with each `ignores_merges` stands here once, so that it also gives the name.
std::span<const PreTokenizer> pre_tokenizers();
// By name or by one of the others; nullptr when it is not known.
const PreTokenizer* find_pre_tokenizer(std::string_view name);

}  // namespace selene::model
