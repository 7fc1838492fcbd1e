// config.json and tokenizer.json of a folder from anywhere: the first byte says which. A tokenizer
// that is read is written, and read again as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "model/huggingface_config.h"
#include "model/tokenizer.h"

namespace {

using namespace selene;

void read_tokenizer(std::string_view text) {
  constexpr std::uint64_t kVocabulary = 64;
  model::TokenizerTexts texts;
  // One text for both files: each finds its own keys in it.
  texts.tokenizer_json = text;
  texts.tokenizer_config_json = text;
  const model::Tokenizer tokenizer = model::read_huggingface_tokenizer(texts, kVocabulary);
  ensure(tokenizer.tokens.size() == kVocabulary && tokenizer.types.size() == kVocabulary,
         "a token for each row of the embedding");
  for (const model::SpecialToken& token : tokenizer.special)
    ensure(!token.id || *token.id < kVocabulary, "a special token is out of range");
  model::TokenizerTexts again;
  for (const model::FolderFile& file : model::huggingface_tokenizer_files(tokenizer, 128)) {
    if (file.name == "tokenizer.json") again.tokenizer_json = file.bytes;
    if (file.name == "tokenizer_config.json") again.tokenizer_config_json = file.bytes;
  }
  const model::Tokenizer back = model::read_huggingface_tokenizer(again, kVocabulary);
  ensure(back.pre == tokenizer.pre && back.merges == tokenizer.merges, "what is written is read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  try {
    if (bytes[0] % 2 == 0) {
      const model::LlamaConfig config = model::read_huggingface_config(text);
      model::check_config(config);
      ensure(model::rope_frequencies(config).size() == config.head_size / 2, "one a pair");
    } else {
      read_tokenizer(text);
    }
  } catch (const Error& failure) {
    ensure(is_valid_utf8(failure.what()), "a message is invalid UTF-8");
  }
  return 0;
}
