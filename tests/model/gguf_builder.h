// Small GGUF files for tests, also wrong ones: every field can be written as it should not be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace selene::testing {

template <typename Number>
std::string le(Number value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

inline std::string gguf_text(std::string_view text) {
  return le(static_cast<std::uint64_t>(text.size())) + std::string(text);
}

struct GgufBuilder {
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::int32_t type = 0;  // F32
    std::string bytes;
  };

  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::vector<std::string> entries;
  std::vector<Tensor> tensors;
  std::uint64_t alignment = 32;

  GgufBuilder& text(std::string_view key, std::string_view value) {
    entries.push_back(gguf_text(key) + le(std::uint32_t{8}) + gguf_text(value));
    return *this;
  }
  GgufBuilder& u32(std::string_view key, std::uint32_t value) {
    entries.push_back(gguf_text(key) + le(std::uint32_t{4}) + le(value));
    return *this;
  }
  GgufBuilder& f32(std::string_view key, float value) {
    entries.push_back(gguf_text(key) + le(std::uint32_t{6}) + le(value));
    return *this;
  }
  GgufBuilder& flag(std::string_view key, bool value) {
    entries.push_back(gguf_text(key) + le(std::uint32_t{7}) + (value ? '\1' : '\0'));
    return *this;
  }
  GgufBuilder& texts(std::string_view key, const std::vector<std::string>& values) {
    std::string entry = gguf_text(key) + le(std::uint32_t{9}) + le(std::uint32_t{8}) +
                        le(static_cast<std::uint64_t>(values.size()));
    for (const std::string& value : values) entry += gguf_text(value);
    entries.push_back(entry);
    return *this;
  }
  GgufBuilder& u32s(std::string_view key, const std::vector<std::uint32_t>& values) {
    std::string entry = gguf_text(key) + le(std::uint32_t{9}) + le(std::uint32_t{4}) +
                        le(static_cast<std::uint64_t>(values.size()));
    for (const std::uint32_t value : values) entry += le(value);
    entries.push_back(entry);
    return *this;
  }
  GgufBuilder& i32s(std::string_view key, const std::vector<std::int32_t>& values) {
    std::string entry = gguf_text(key) + le(std::uint32_t{9}) + le(std::uint32_t{5}) +
                        le(static_cast<std::uint64_t>(values.size()));
    for (const std::int32_t value : values) entry += le(value);
    entries.push_back(entry);
    return *this;
  }
  GgufBuilder& tensor(std::string name, std::vector<std::uint64_t> shape, std::int32_t type,
                      std::string bytes) {
    tensors.push_back({std::move(name), std::move(shape), type, std::move(bytes)});
    return *this;
  }
  GgufBuilder& floats(std::string name, std::vector<std::uint64_t> shape,
                      const std::vector<float>& values) {
    return tensor(
        std::move(name), std::move(shape), 0,
        std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  }

  std::string header() const {
    std::string out = magic + le(version) + le(static_cast<std::uint64_t>(tensors.size())) +
                      le(static_cast<std::uint64_t>(entries.size()));
    for (const std::string& entry : entries) out += entry;
    std::uint64_t offset = 0;
    for (const Tensor& tensor : tensors) {
      out += gguf_text(tensor.name) + le(static_cast<std::uint32_t>(tensor.shape.size()));
      for (const std::uint64_t size : tensor.shape) out += le(size);
      out += le(tensor.type) + le(offset);
      offset += padded(tensor.bytes.size());
    }
    return out;
  }

  std::string build() const {
    std::string out = header();
    out.resize(padded(out.size()));
    for (const Tensor& tensor : tensors) {
      out += tensor.bytes;
      out.resize(padded(out.size()));
    }
    return out;
  }

 private:
  std::uint64_t padded(std::uint64_t size) const {
    return (size + alignment - 1) / alignment * alignment;
  }
};

// A model in name only: one matrix of 2 rows of 32, one norm, a vocabulary of three.
inline GgufBuilder tiny_model() {
  GgufBuilder file;
  file.text("general.architecture", "llama")
      .text("general.name", "Tiny")
      .u32("general.file_type", 0);
  file.u32("llama.context_length", 128)
      .u32("llama.block_count", 2)
      .u32("llama.embedding_length", 64);
  file.u32("llama.attention.head_count", 4).u32("llama.attention.head_count_kv", 2);
  file.texts("tokenizer.ggml.tokens", {"a", "b", "c"});
  file.text("tokenizer.chat_template", "{{ messages }}");
  std::vector<float> numbers;
  for (int i = 0; i < 64; ++i) numbers.push_back(static_cast<float>(i - 20) / 8);
  file.floats("token_embd.weight", {32, 2}, numbers).floats("output_norm.weight", {3}, {1, 2, 3});
  return file;
}

}  // namespace selene::testing
