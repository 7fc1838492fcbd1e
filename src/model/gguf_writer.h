// The header of a GGUF file in the making: metadata entries, then the tensors' shapes and places.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_layout.h"

namespace selene::model {

class GgufWriter {
 public:
  explicit GgufWriter(std::uint64_t alignment = 32) : alignment_(alignment) {}

  // Entries, in the order of the calls. Keys must differ.
  void entry(const GgufEntry& entry);  // As it stands in another file.
  void text(std::string_view key, std::string_view value);
  void u32(std::string_view key, std::uint32_t value);
  void f32(std::string_view key, float value);
  void flag(std::string_view key, bool value);
  void texts(std::string_view key, std::span<const std::string> values);
  void i32s(std::string_view key, std::span<const std::int32_t> values);

  // `shape` has the row length first; the tensor takes `bytes` bytes of the file and the padding()
  // after them.
  void tensor(std::string_view name, std::span<const std::uint64_t> shape, std::int32_t type,
              std::uint64_t bytes);

  // The header, padded: the first tensor follows.
  std::string header() const;
  std::string padding(std::uint64_t bytes) const;
  // Of the whole file.
  std::uint64_t file_bytes() const { return header().size() + offset_; }

 private:
  void key(std::string_view key, GgufType type);

  std::uint64_t alignment_;
  std::string entries_;
  std::string tensors_;
  std::uint64_t entry_count_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace selene::model
