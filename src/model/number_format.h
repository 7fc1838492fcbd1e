// Numbers in the formats of model files, to and from fp32.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace selene::model {

struct NumberFormat {
  std::string_view name;        // "q8_0"
  std::int32_t type = 0;        // ggml_type
  std::uint32_t file_type = 0;  // LLAMA_FTYPE_*, for general.file_type.
  std::uint64_t block = 1;      // Numbers that share a scale; a row must divide by it.
};

// f32, f16, bf16, q8_0, q4_0, q4_1: what models are written in.
std::span<const NumberFormat> number_formats();
// Throws Error with the names in `known`.
const NumberFormat& find_number_format(std::string_view name,
                                       const std::vector<std::string_view>& known);

std::uint64_t encoded_bytes(std::int32_t type, std::uint64_t numbers);

// Whole rows of any type that ggml can turn into floats. `bytes` need not be aligned. Throws Error
// for a type that holds no weights, such as i32.
void decode_numbers(std::int32_t type, std::string_view bytes, std::span<float> out);

// Rows of `row_length` numbers of a type in number_formats(), the same bytes on every machine
// (quantize.cpp says why). Throws Error for numbers that are not finite, and for those that the
// type cannot hold.
std::string encode_numbers(std::int32_t type, std::span<const float> numbers,
                           std::uint64_t row_length);

// Throws Error naming the tensor.
void check_finite(std::string_view tensor, std::span<const float> numbers);

// Where row `row` of q or k in Hugging Face's order stands in a GGUF of the architecture llama: a
// head's halves become neighbours, (2, head_size / 2) transposed.
std::uint64_t turned_row(std::uint64_t row, std::uint64_t head_size);
// The other way.
std::uint64_t unturned_row(std::uint64_t row, std::uint64_t head_size);

}  // namespace selene::model
