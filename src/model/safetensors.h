// Where everything stands in a safetensors file, and the header of one to write.
//
// Format: 8 bytes with the size of the header, little-endian; the header, JSON with for each tensor
// its type, shape and first and last byte; the numbers, without gaps
// (https://github.com/huggingface/safetensors, "Format"). What passes here has sizes that fit the
// file, no overlap, no gap and no overflow.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::model {

struct SafetensorsTensor {
  std::string name;
  std::string type;                    // As written: "F32", "BF16", ...
  std::vector<std::uint64_t> shape{};  // Rows first; empty for a single number.
  std::uint64_t elements = 1;
  std::string_view bytes{};  // Into the file; not aligned to anything.
};

struct SafetensorsLayout {
  std::vector<SafetensorsTensor> tensors;  // In the order of their bytes; names are distinct.
  std::map<std::string, std::string> metadata;
};

// Throws Error (without a place) on anything that is not a whole safetensors file.
SafetensorsLayout read_safetensors(std::string_view bytes);

// The first bytes of a file with these tensors in this order; `bytes` is not looked at. The types
// are F32, F16 or BF16.
std::string safetensors_header(std::span<const SafetensorsTensor> tensors);

// The ggml_type of a type of safetensors; -1 for one whose numbers are no weights of ours.
std::int32_t safetensors_number_type(std::string_view type);
// The other way: "F32" for "f32".
std::string safetensors_type_name(std::string_view format);

}  // namespace selene::model
