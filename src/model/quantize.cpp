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
#include <fmt/ranges.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"

namespace selene::model {
namespace {

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

struct Format {
  std::string_view name;
  ggml_type type;
  std::uint32_t file_type;  // LLAMA_FTYPE_MOSTLY_*, for general.file_type.
};
constexpr Format kFormats[] = {
    {"q8_0", GGML_TYPE_Q8_0, 7},  {"q4_0", GGML_TYPE_Q4_0, 2}, {"q4_1", GGML_TYPE_Q4_1, 3},
    {"bf16", GGML_TYPE_BF16, 32}, {"f16", GGML_TYPE_F16, 1},
};

const Format& find_format(std::string_view name) {
  const auto found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                  [&](const Format& format) { return format.name == name; });
  if (found == std::end(kFormats)) {
    throw Error(fmt::format("unknown format '{}'; known: {}", cut_to_columns(name, 60),
                            fmt::join(quantized_formats(), ", ")));
  }
  return *found;
}

ggml_type target_type(const GgufTensor& tensor, ggml_type wanted) {
  const auto type = static_cast<ggml_type>(tensor.type);
  const bool four_bits = wanted == GGML_TYPE_Q4_0 || wanted == GGML_TYPE_Q4_1;
  if (four_bits && (tensor.name == "token_embd.weight" || tensor.name == "output.weight"))
    wanted = GGML_TYPE_Q8_0;
  // llama.cpp adds those of BERT in their own type, and ends the program when it is not F32.
  if (tensor.name == "position_embd.weight" || tensor.name == "token_types.weight") return type;
  const bool floating = type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
  const bool numbers = floating || ggml_is_quantized(type);
  return tensor.used_dimensions() >= 2 && tensor.row_length() % 32 == 0 && numbers ? wanted : type;
}

std::uint64_t target_bytes(const GgufTensor& tensor, ggml_type wanted) {
  return tensor.rows() *
         ggml_row_size(target_type(tensor, wanted), static_cast<std::int64_t>(tensor.row_length()));
}

std::string header(const GgufLayout& layout, const Format& format) {
  struct Setting {
    std::string_view key;
    std::uint32_t value;
  };
  const Setting settings[] = {{"general.file_type", format.file_type},
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
    append_number(out, static_cast<std::int32_t>(target_type(tensor, format.type)));
    append_number(out, offset);
    offset += (target_bytes(tensor, format.type) + layout.alignment - 1) / layout.alignment *
              layout.alignment;
  }
  pad(out, out.size(), layout.alignment);
  return out;
}

// `rows` rows at `bytes` in another type. `numbers` is working space.
std::string convert(const GgufTensor& tensor, const char* bytes, std::int64_t rows, ggml_type to,
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
  std::string out(static_cast<size_t>(rows) * ggml_row_size(to, row_length), '\0');
  ggml_quantize_chunk(to, numbers.data(), out.data(), 0, rows, row_length, nullptr);
  return out;
}

void write_tensor(const GgufTensor& tensor, ggml_type wanted, AppendFile& out,
                  std::vector<float>& numbers) {
  const ggml_type to = target_type(tensor, wanted);
  const std::uint64_t slab = std::max<std::uint64_t>(1, kSlabNumbers / tensor.row_length());
  const std::uint64_t row_bytes = tensor.bytes.size() / tensor.rows();
  for (std::uint64_t row = 0; row < tensor.rows(); row += slab) {
    const std::uint64_t rows = std::min(slab, tensor.rows() - row);
    const std::string_view part = tensor.bytes.substr(row * row_bytes, rows * row_bytes);
    out.append(to != tensor.type
                   ? convert(tensor, part.data(), static_cast<std::int64_t>(rows), to, numbers)
                   : std::string(part));
  }
}

}  // namespace

std::vector<std::string_view> quantized_formats() {
  std::vector<std::string_view> names;
  for (const Format& format : kFormats) names.push_back(format.name);
  return names;
}

void quantize(const std::filesystem::path& source, const std::filesystem::path& destination,
              std::string_view format_name) {
  const Format& format = find_format(format_name);
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
    out.append(header(layout, format));
    std::vector<float> numbers;
    for (const GgufTensor& tensor : layout.tensors) {
      write_tensor(tensor, format.type, out, numbers);
      std::string padding;
      pad(padding, target_bytes(tensor, format.type), layout.alignment);
      out.append(padding);
    }
    rename_synced(temporary, destination);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace selene::model
