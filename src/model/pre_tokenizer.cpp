#include "model/pre_tokenizer.h"

#include <algorithm>

namespace selene::model {
namespace {

// Sources: the regular expressions of llm_tokenizer_bpe in llama.cpp's src/llama-vocab.cpp, which
// quotes the original of each, and tokenizer.json of gpt2, SmolLM2 and Llama 3.
constexpr std::string_view kGpt2 =
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";

constexpr std::string_view kDigits =
    R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)"
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]})";

constexpr std::string_view kLlama3 =
    R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":")"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|)"
    R"( ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"
    R"("},"behavior":"Isolated","invert":false},)"
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})";

constexpr std::string_view kLikeGpt2[] = {"phi-2", "jina-es", "jina-de", "mellum", "mpt", "olmo"};
constexpr std::string_view kLikeSmolLm[] = {"starcoder", "refact", "codeshell"};
constexpr std::string_view kLikeLlama3[] = {"llama3", "llama-v3", "falcon3", "midm-2.0"};

constexpr PreTokenizer kPreTokenizers[] = {
    {.name = "gpt-2", .json = kGpt2, .same = kLikeGpt2},
    {.name = "smollm", .json = kDigits, .same = kLikeSmolLm},
    {.name = "llama-bpe",
     .json = kLlama3,
     .ignores_merges = true,
     .adds_bos = true,
     .same = kLikeLlama3},
    {.name = "smaug-bpe", .json = kLlama3},
};

}  // namespace

std::span<const PreTokenizer> pre_tokenizers() { return kPreTokenizers; }

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kPreTokenizers), std::end(kPreTokenizers), [&](const auto& row) {
        return row.name == name ||
               std::find(row.same.begin(), row.same.end(), name) != row.same.end();
      });
  return found == std::end(kPreTokenizers) ? nullptr : found;
}

}  // namespace selene::model
