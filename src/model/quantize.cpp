// Why the bytes do not depend on the machine: a Q4_1 number is d * q + m with d a half-precision
// scale (11 significant bits) and q a 4-bit integer. The product has at most 15 significant bits
// and is exact in float32, so the sum is rounded once whether or not the compiler contracts it into
// a fused multiply-add. (Q4_0, Q8_0 and the float types have no sum at all.) The other way, ggml's
// reference quantiser takes a maximum, divides, multiplies and rounds: no sum, so nothing to
// contract or to reorder.
#include "model/quantize.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"

namespace selene::model {
namespace {

constexpr std::uint32_t kFileTypeQ8 = 7;         // LLAMA_FTYPE_MOSTLY_Q8_0
constexpr std::uint64_t kSlabNumbers = 1 << 22;  // 16 MiB of float32 at a time.

template <typename Number>
void append_number(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

void append_u32_entry(std::string& out, std::string_view key, std::uint32_t value) {
  append_text(out, key);
  append_number(out, static_cast<std::uint32_t>(GgufType::U32));
  append_number(out, value);
}

void pad(std::string& out, std::uint64_t size, std::uint64_t alignment) {
  out.append(static_cast<size_t>((alignment - size % alignment) % alignment), '\0');
}

ggml_type target_type(const GgufTensor& tensor) {
  const auto type = static_cast<ggml_type>(tensor.type);
  const bool floating = type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
  const bool numbers = floating || ggml_is_quantized(type);
  return tensor.used_dimensions() >= 2 && tensor.row_length() % 32 == 0 && numbers ? GGML_TYPE_Q8_0
                                                                                   : type;
}

std::uint64_t target_bytes(const GgufTensor& tensor) {
  return tensor.rows() *
         ggml_row_size(target_type(tensor), static_cast<std::int64_t>(tensor.row_length()));
}

std::string header(const GgufLayout& layout) {
  struct Setting {
    std::string_view key;
    std::uint32_t value;
  };
  const Setting settings[] = {{"general.file_type", kFileTypeQ8},
                              {"general.quantization_version", GGML_QNT_VERSION}};

  std::string records;
  std::uint64_t count = layout.entries.size();
  for (const GgufEntry& entry : layout.entries) {
    const auto setting = std::find_if(std::begin(settings), std::end(settings),
                                      [&](const Setting& s) { return s.key == entry.key; });
    if (setting == std::end(settings)) {
      records += entry.record;
    } else {
      append_u32_entry(records, setting->key, setting->value);
    }
  }
  for (const Setting& setting : settings) {
    if (layout.find(setting.key) != nullptr) continue;
    append_u32_entry(records, setting.key, setting.value);
    ++count;
  }

  std::string out = "GGUF";
  append_number(out, std::uint32_t{3});
  append_number(out, static_cast<std::uint64_t>(layout.tensors.size()));
  append_number(out, count);
  out += records;
  std::uint64_t offset = 0;
  for (const GgufTensor& tensor : layout.tensors) {
    append_text(out, tensor.name);
    append_number(out, tensor.dimensions);
    for (std::uint32_t i = 0; i < tensor.dimensions; ++i) append_number(out, tensor.shape[i]);
    append_number(out, static_cast<std::int32_t>(target_type(tensor)));
    append_number(out, offset);
    offset += (target_bytes(tensor) + layout.alignment - 1) / layout.alignment * layout.alignment;
  }
  pad(out, out.size(), layout.alignment);
  return out;
}

// `rows` rows at `bytes` as Q8_0. `numbers` is working space.
std::string to_q8(const GgufTensor& tensor, const char* bytes, std::int64_t rows,
                  std::vector<float>& numbers) {
  const auto type = static_cast<ggml_type>(tensor.type);
  const auto row_length = static_cast<std::int64_t>(tensor.row_length());
  numbers.resize(static_cast<size_t>(rows * row_length));  // (rows, row_length)
  if (type == GGML_TYPE_F32) {
    std::copy_n(bytes, numbers.size() * sizeof(float), reinterpret_cast<char*>(numbers.data()));
  } else {
    const ggml_to_float_t to_float = ggml_get_type_traits(type)->to_float;
    if (to_float == nullptr) {
      throw Error(fmt::format("the tensor '{}' is of type {}, which cannot be converted",
                              cut_to_columns(tensor.name, 60), ggml_type_name(type)));
    }
    to_float(bytes, numbers.data(), rows * row_length);
  }
  if (!std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); })) {
    throw Error(fmt::format("the tensor '{}' holds numbers that are not finite",
                            cut_to_columns(tensor.name, 60)));
  }
  std::string out(static_cast<size_t>(rows) * ggml_row_size(GGML_TYPE_Q8_0, row_length), '\0');
  ggml_quantize_chunk(GGML_TYPE_Q8_0, numbers.data(), out.data(), 0, rows, row_length, nullptr);
  return out;
}

void write_tensor(const GgufTensor& tensor, AppendFile& out, std::vector<float>& numbers) {
  const bool converts = target_type(tensor) != tensor.type;
  const std::uint64_t slab = std::max<std::uint64_t>(1, kSlabNumbers / tensor.row_length());
  const std::uint64_t row_bytes = tensor.bytes.size() / tensor.rows();
  for (std::uint64_t row = 0; row < tensor.rows(); row += slab) {
    const std::uint64_t rows = std::min(slab, tensor.rows() - row);
    const std::string_view part = tensor.bytes.substr(row * row_bytes, rows * row_bytes);
    out.append(converts ? to_q8(tensor, part.data(), static_cast<std::int64_t>(rows), numbers)
                        : std::string(part));
  }
}

}  // namespace

void quantize_q8_0(const std::filesystem::path& source, const std::filesystem::path& destination) {
  const MappedFile file(source);
  const std::string temporary = fmt::format("{}.tmp{}", destination.string(), ::getpid());
  try {
    const GgufLayout layout = [&] {
      try {
        return read_gguf_layout(file.bytes());
      } catch (const Error& failure) {
        throw failure.at(source.string());
      }
    }();
    AppendFile out(temporary, 0);
    out.append(header(layout));
    std::vector<float> numbers;
    for (const GgufTensor& tensor : layout.tensors) {
      write_tensor(tensor, out, numbers);
      std::string padding;
      pad(padding, target_bytes(tensor), layout.alignment);
      out.append(padding);
    }
    rename_synced(temporary, destination);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace selene::model
