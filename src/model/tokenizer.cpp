#include "model/tokenizer.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"
#include "model/pre_tokenizer.h"

namespace selene::model {
namespace {

constexpr std::string_view kTemplateKey = "tokenizer.chat_template";

const GgufEntry& list_of(const GgufLayout& layout, std::string_view key, GgufType type) {
  const GgufEntry* entry = layout.find(key);
  if (entry == nullptr) throw Error(fmt::format("it has no '{}'", key));
  if (!entry->array || entry->type != type)
    throw Error(fmt::format("damaged: '{}' is a list of another type", key));
  return *entry;
}

std::vector<std::string> texts_of(const GgufLayout& layout, std::string_view key) {
  const GgufEntry& entry = list_of(layout, key, GgufType::Text);
  std::vector<std::string> texts;
  std::string_view rest = entry.value;
  for (std::uint64_t i = 0; i < entry.count; ++i) {
    std::uint64_t size = 0;
    std::memcpy(&size, rest.data(), sizeof size);
    texts.emplace_back(rest.substr(sizeof size, size));
    rest.remove_prefix(sizeof size + size);
    if (!is_valid_utf8(texts.back()))
      throw Error(fmt::format("damaged: element {} of '{}' is not UTF-8", i, key));
  }
  return texts;
}

std::vector<TokenType> types_of(const GgufLayout& layout, size_t tokens) {
  constexpr std::string_view kKey = "tokenizer.ggml.token_type";
  std::vector<TokenType> types(tokens, TokenType::Normal);
  if (layout.find(kKey) == nullptr) return types;
  const GgufEntry& entry = list_of(layout, kKey, GgufType::I32);
  if (entry.count != tokens)
    throw Error(fmt::format("damaged: {} types for {} tokens", entry.count, tokens));
  for (size_t i = 0; i < tokens; ++i) {
    std::int32_t type = 0;
    std::memcpy(&type, entry.value.data() + i * sizeof type, sizeof type);
    if (type < 1 || type > static_cast<std::int32_t>(TokenType::Byte))
      throw Error(fmt::format("damaged: the token {} is of the type {}", i, type));
    types[i] = static_cast<TokenType>(type);
  }
  return types;
}

std::optional<bool> flag_of(const GgufLayout& layout, std::string_view key) {
  const GgufEntry* entry = layout.find(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->array || entry->type != GgufType::Bool)
    throw Error(fmt::format("damaged: '{}' is not true or false", key));
  return entry->value[0] != 0;
}

std::string text_of(const GgufLayout& layout, std::string_view key) {
  const std::string text(layout.text(key).value_or(""));
  if (!is_valid_utf8(text)) throw Error(fmt::format("damaged: '{}' is not UTF-8", key));
  return text;
}

// Which of the kinds of tokenizer of GGUF it is, for people.
std::string kind_of(std::string_view model) {
  if (model == "llama") return "SentencePiece ('llama')";
  if (model == "bert") return "WordPiece ('bert')";
  if (model == "t5") return "Unigram ('t5')";
  return fmt::format("'{}'", cut_to_columns(model, 40));
}

}  // namespace

Tokenizer::Tokenizer()
    : special{
          {"bos", "tokenizer.ggml.bos_token_id"},     {"eos", "tokenizer.ggml.eos_token_id"},
          {"unk", "tokenizer.ggml.unknown_token_id"}, {"sep", "tokenizer.ggml.seperator_token_id"},
          {"pad", "tokenizer.ggml.padding_token_id"}, {"mask", "tokenizer.ggml.mask_token_id"},
          {"eot", "tokenizer.ggml.eot_token_id"},     {"eom", "tokenizer.ggml.eom_token_id"}} {}

std::optional<std::uint32_t> Tokenizer::id_of(std::string_view special_name) const {
  for (const SpecialToken& token : special) {
    if (token.name == special_name) return token.id;
  }
  return std::nullopt;
}

void Tokenizer::set_id(std::string_view special_name, std::uint32_t id) {
  for (SpecialToken& token : special) {
    if (token.name == special_name) token.id = id;
  }
}

bool Tokenizer::adds_bos() const {
  const PreTokenizer* rules = find_pre_tokenizer(pre);
  return add_bos.value_or(rules != nullptr && rules->adds_bos);
}

std::vector<std::string_view> known_pre_tokenizers() {
  std::vector<std::string_view> names;
  for (const PreTokenizer& rules : pre_tokenizers()) names.push_back(rules.name);
  return names;
}

Tokenizer read_gguf_tokenizer(const GgufLayout& layout) {
  const std::string kind = text_of(layout, "tokenizer.ggml.model");
  if (kind.empty()) throw Error("it has no tokenizer");
  if (kind != "gpt2") {
    throw Error(fmt::format("its tokenizer is {}; only byte-level BPE ('gpt2') is carried over to "
                            "a Hugging Face folder",
                            kind_of(kind)),
                "", "convert it to a GGUF, which keeps its tokenizer as it is");
  }
  Tokenizer tokenizer;
  tokenizer.pre = text_of(layout, "tokenizer.ggml.pre");
  if (find_pre_tokenizer(tokenizer.pre) == nullptr) {
    throw Error(
        fmt::format("its pre-tokenizer '{}' is not known; known: {}",
                    cut_to_columns(tokenizer.pre, 40), fmt::join(known_pre_tokenizers(), ", ")),
        "", "convert it to a GGUF, which keeps its tokenizer as it is");
  }
  tokenizer.tokens = texts_of(layout, "tokenizer.ggml.tokens");
  tokenizer.types = types_of(layout, tokenizer.tokens.size());
  tokenizer.merges = texts_of(layout, "tokenizer.ggml.merges");
  for (SpecialToken& token : tokenizer.special) {
    const std::optional<std::uint64_t> id = layout.number(token.gguf_key);
    if (!id || *id >= tokenizer.tokens.size()) continue;  // llama.cpp passes over these as well.
    token.id = static_cast<std::uint32_t>(*id);
  }
  tokenizer.add_bos = flag_of(layout, "tokenizer.ggml.add_bos_token");
  tokenizer.add_eos = flag_of(layout, "tokenizer.ggml.add_eos_token");
  tokenizer.add_space_prefix = flag_of(layout, "tokenizer.ggml.add_space_prefix");
  tokenizer.chat_template = text_of(layout, kTemplateKey);
  for (const GgufEntry& entry : layout.entries) {
    const std::string prefix = fmt::format("{}.", kTemplateKey);
    if (!entry.key.starts_with(prefix)) continue;
    const std::string name(entry.key.substr(prefix.size()));
    if (!is_valid_utf8(name)) throw Error("damaged: the name of a chat template is not UTF-8");
    tokenizer.named_templates.emplace_back(name, text_of(layout, entry.key));
  }
  return tokenizer;
}

void write_gguf_tokenizer(GgufWriter& writer, const Tokenizer& tokenizer) {
  if (tokenizer.add_space_prefix)
    writer.flag("tokenizer.ggml.add_space_prefix", *tokenizer.add_space_prefix);
  writer.text("tokenizer.ggml.model", "gpt2");
  writer.text("tokenizer.ggml.pre", tokenizer.pre);
  writer.texts("tokenizer.ggml.tokens", tokenizer.tokens);
  std::vector<std::int32_t> types;
  for (const TokenType type : tokenizer.types) types.push_back(static_cast<std::int32_t>(type));
  writer.i32s("tokenizer.ggml.token_type", types);
  writer.texts("tokenizer.ggml.merges", tokenizer.merges);
  for (const SpecialToken& token : tokenizer.special) {
    if (token.id) writer.u32(token.gguf_key, *token.id);
  }
  if (tokenizer.add_bos) writer.flag("tokenizer.ggml.add_bos_token", *tokenizer.add_bos);
  if (tokenizer.add_eos) writer.flag("tokenizer.ggml.add_eos_token", *tokenizer.add_eos);
  std::vector<std::string> names;
  for (const auto& [name, text] : tokenizer.named_templates) {
    writer.text(fmt::format("{}.{}", kTemplateKey, name), text);
    names.push_back(name);
  }
  if (!names.empty()) writer.texts("tokenizer.chat_templates", names);
  if (!tokenizer.chat_template.empty()) writer.text(kTemplateKey, tokenizer.chat_template);
}

}  // namespace selene::model
