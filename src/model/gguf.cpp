#include "model/gguf.h"

#include <fmt/format.h>

#include "core/error.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"

namespace selene::model {
namespace {

// general.file_type, as llama.h numbers it (enum llama_ftype).
std::string_view file_type_name(std::uint64_t number) {
  struct Row {
    std::uint64_t number;
    std::string_view name;
  };
  static constexpr Row kNames[] = {
      {0, "F32"},      {1, "F16"},      {2, "Q4_0"},      {3, "Q4_1"},    {7, "Q8_0"},
      {8, "Q5_0"},     {9, "Q5_1"},     {10, "Q2_K"},     {11, "Q3_K_S"}, {12, "Q3_K_M"},
      {13, "Q3_K_L"},  {14, "Q4_K_S"},  {15, "Q4_K_M"},   {16, "Q5_K_S"}, {17, "Q5_K_M"},
      {18, "Q6_K"},    {19, "IQ2_XXS"}, {20, "IQ2_XS"},   {21, "Q2_K_S"}, {22, "IQ3_XS"},
      {23, "IQ3_XXS"}, {24, "IQ1_S"},   {25, "IQ4_NL"},   {26, "IQ3_S"},  {27, "IQ3_M"},
      {28, "IQ2_S"},   {29, "IQ2_M"},   {30, "IQ4_XS"},   {31, "IQ1_M"},  {32, "BF16"},
      {36, "TQ1_0"},   {37, "TQ2_0"},   {38, "MXFP4_MOE"}};
  for (const Row& row : kNames) {
    if (row.number == number) return row.name;
  }
  return "";
}

std::uint64_t vocabulary_size(const GgufLayout& layout, const std::string& prefix) {
  if (const GgufEntry* tokens = layout.find("tokenizer.ggml.tokens");
      tokens != nullptr && tokens->array) {
    return tokens->count;
  }
  return layout.number(prefix + "vocab_size").value_or(0);
}

}  // namespace

GgufInfo inspect_gguf_bytes(std::string_view bytes) {
  const GgufLayout layout = read_gguf_layout(bytes);
  GgufInfo info;
  info.architecture = layout.text("general.architecture").value_or("");
  if (info.architecture.empty()) {
    throw Error("a GGUF file without 'general.architecture'", "",
                "this is no model that llama.cpp can run");
  }
  info.name = layout.text("general.name").value_or("");
  info.is_adapter = layout.text("general.type").value_or("model") == "adapter";
  if (const auto type = layout.number("general.file_type")) info.file_type = file_type_name(*type);

  info.tensors = layout.tensors.size();
  for (const GgufTensor& tensor : layout.tensors) info.parameters += tensor.elements;

  const std::string prefix = info.architecture + ".";
  const auto number = [&](const char* key) { return layout.number(prefix + key); };
  info.context_length = number("context_length").value_or(0);
  info.layers = number("block_count").value_or(0);
  info.embedding_size = number("embedding_length").value_or(0);
  info.heads = number("attention.head_count").value_or(0);
  info.kv_heads = number("attention.head_count_kv").value_or(info.heads);
  const std::uint64_t head_size = info.heads == 0 ? 0 : info.embedding_size / info.heads;
  info.key_size = number("attention.key_length").value_or(head_size);
  info.value_size = number("attention.value_length").value_or(head_size);
  info.vocabulary = vocabulary_size(layout, prefix);
  info.chat_template = layout.text("tokenizer.chat_template");
  info.bytes = bytes.size();
  if (info.tensors == 0 && !info.is_adapter) {
    throw Error("a GGUF file without tensors: a vocabulary, no model that can judge", "",
                "give a file that has the weights too");
  }
  return info;
}

GgufInfo inspect_gguf(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return inspect_gguf_bytes(file.bytes());
  } catch (const Error& failure) {
    throw failure.at(path.string());
  }
}

}  // namespace selene::model
