#include "model/number_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ggml.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::model {
namespace {

constexpr NumberFormat kFormats[] = {
    {"f32", GGML_TYPE_F32, 0},       {"f16", GGML_TYPE_F16, 1},
    {"bf16", GGML_TYPE_BF16, 32},    {"q8_0", GGML_TYPE_Q8_0, 7, 32},
    {"q4_0", GGML_TYPE_Q4_0, 2, 32}, {"q4_1", GGML_TYPE_Q4_1, 3, 32},
};

// The largest magnitude that becomes no infinity. Scales of blocks are half precision, and the
// least of them is a number of the block / 127.
float largest_of(ggml_type type) {
  constexpr float kHalf = 65504.0f;
  switch (type) {
    case GGML_TYPE_F32:
      return INFINITY;
    case GGML_TYPE_BF16:
      return 3.3895e38f;
    case GGML_TYPE_Q8_0:
      return 127 * kHalf;
    default:
      return kHalf;
  }
}

}  // namespace

std::span<const NumberFormat> number_formats() { return kFormats; }

const NumberFormat& find_number_format(std::string_view name,
                                       const std::vector<std::string_view>& known) {
  for (const NumberFormat& format : kFormats) {
    if (format.name == name && std::find(known.begin(), known.end(), name) != known.end())
      return format;
  }
  throw Error(fmt::format("unknown format '{}'; known: {}", cut_to_columns(name, 60),
                          fmt::join(known, ", ")));
}

std::uint64_t encoded_bytes(std::int32_t type, std::uint64_t numbers) {
  return ggml_row_size(static_cast<ggml_type>(type), static_cast<std::int64_t>(numbers));
}

void decode_numbers(std::int32_t type, std::string_view bytes, std::span<float> out) {
  if (out.empty()) return;
  const auto ggml = static_cast<ggml_type>(type);
  if (ggml == GGML_TYPE_F32) {
    std::memcpy(out.data(), bytes.data(), out.size_bytes());
    return;
  }
  const ggml_to_float_t to_float = ggml_get_type_traits(ggml)->to_float;
  if (to_float == nullptr)
    throw Error(fmt::format("numbers of type {} cannot be read as weights", ggml_type_name(ggml)));
  constexpr std::uintptr_t kAlignment = 8;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0) {
    to_float(bytes.data(), out.data(), static_cast<std::int64_t>(out.size()));
  } else {
    const std::string aligned(bytes);
    to_float(aligned.data(), out.data(), static_cast<std::int64_t>(out.size()));
  }
}

std::string encode_numbers(std::int32_t type, std::span<const float> numbers,
                           std::uint64_t row_length) {
  const auto ggml = static_cast<ggml_type>(type);
  const float largest = largest_of(ggml);
  for (const float number : numbers) {
    if (!std::isfinite(number)) throw Error("holds numbers that are not finite");
    if (std::fabs(number) > largest) {
      throw Error(
          fmt::format("holds {}, which is more than {} can keep", number, ggml_type_name(ggml)), "",
          "give --format bf16 or f32");
    }
  }
  const std::uint64_t rows = numbers.size() / row_length;
  std::string out(encoded_bytes(type, row_length) * rows, '\0');
  ggml_quantize_chunk(ggml, numbers.data(), out.data(), 0, static_cast<std::int64_t>(rows),
                      static_cast<std::int64_t>(row_length), nullptr);
  return out;
}

void check_finite(std::string_view tensor, std::span<const float> numbers) {
  if (!std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); })) {
    throw Error(fmt::format("the tensor '{}' holds numbers that are not finite",
                            cut_to_columns(tensor, 60)));
  }
}

std::uint64_t turned_row(std::uint64_t row, std::uint64_t head_size) {
  const std::uint64_t head = row / head_size;
  const std::uint64_t within = row % head_size;
  const std::uint64_t half = head_size / 2;
  return head * head_size + 2 * (within % half) + within / half;
}

std::uint64_t unturned_row(std::uint64_t row, std::uint64_t head_size) {
  const std::uint64_t within = row % head_size;
  return row - within + within / 2 + within % 2 * (head_size / 2);
}

}  // namespace selene::model
