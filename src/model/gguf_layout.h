// Where everything stands in a GGUF file (versions 2 and 3): the metadata, the tensors' shapes and
// their bytes.
//
// Format: docs/gguf.md of the ggml repository. This reader is ours because the library's own
// prints, and trusts the counts and shapes of a hostile file in places. What passes here has sizes
// that fit the file and no overflow.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace selene::model {

// The types of a metadata value, as numbered in the file.
enum class GgufType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  Text,
  Array,
  U64,
  I64,
  F64
};

// One metadata entry. All views look into the file's bytes.
struct GgufEntry {
  std::string_view key;
  GgufType type = GgufType::U8;  // Of the value, or of each element of an array.
  bool array = false;
  std::uint64_t count = 1;  // Elements.
  std::string_view value;   // The element or elements as in the file.
  std::string_view record;  // The whole entry, key included, as in the file.
};

struct GgufTensor {
  std::string_view name;
  std::uint32_t dimensions = 0;                    // As written: 1 to 4.
  std::array<std::uint64_t, 4> shape{1, 1, 1, 1};  // Row length first.
  std::int32_t type = 0;                           // ggml_type; one that this ggml knows.
  std::uint64_t elements = 0;
  std::string_view bytes;

  std::uint64_t row_length() const { return shape[0]; }
  std::uint64_t rows() const { return elements / shape[0]; }
  // Dimensions without the trailing ones, as ggml counts them.
  int used_dimensions() const;
};

struct GgufLayout {
  std::uint64_t alignment = 32;
  std::vector<GgufEntry> entries;   // In file order; keys are distinct.
  std::vector<GgufTensor> tensors;  // In file order; names are distinct.

  const GgufEntry* find(std::string_view key) const;
  // Nothing when the key is absent; Error (without a place) when its value is of another type.
  std::optional<std::string_view> text(std::string_view key) const;
  // An integer of any width that is not negative; of an array, the largest element.
  std::optional<std::uint64_t> number(std::string_view key) const;
};

// Throws Error (without a place) on anything that is not a whole GGUF file.
GgufLayout read_gguf_layout(std::string_view bytes);

}  // namespace selene::model
