// Why the bytes do not depend on the machine: a Q4_1 number is d * q + m with d a half-precision
// scale (11 significant bits) and q a 4-bit integer. The product has at most 15 significant bits
// and is exact in float32, so the sum is rounded once whether or not the compiler contracts it into
// a fused multiply-add. (Q4_0, Q8_0 and the float types have no sum at all.) The other way, ggml's
// reference quantiser takes a maximum, divides, multiplies and rounds: no sum, so nothing to
// contract or to reorder.
#include "model/quantize.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/gguf_layout.h"
#include "model/gguf_writer.h"
#include "model/mapped_file.h"
#include "model/number_format.h"

namespace selene::model {
namespace {

constexpr std::uint64_t kSlabNumbers = 1 << 22;  // 16 MiB of float32 at a time.

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

GgufWriter header(const GgufLayout& layout, const NumberFormat& format) {
  struct Setting {
    std::string_view key;
    std::uint32_t value;
  };
  const Setting settings[] = {{"general.file_type", format.file_type},
                              {"general.quantization_version", GGML_QNT_VERSION}};

  GgufWriter writer(layout.alignment);
  for (const GgufEntry& entry : layout.entries) {
    const auto setting = std::find_if(std::begin(settings), std::end(settings),
                                      [&](const Setting& s) { return s.key == entry.key; });
    if (setting == std::end(settings)) {
      writer.entry(entry);
    } else {
      writer.u32(setting->key, setting->value);
    }
  }
  for (const Setting& setting : settings) {
    if (layout.find(setting.key) == nullptr) writer.u32(setting.key, setting.value);
  }
  const auto wanted = static_cast<ggml_type>(format.type);
  for (const GgufTensor& tensor : layout.tensors) {
    writer.tensor(tensor.name, {tensor.shape.data(), tensor.dimensions},
                  target_type(tensor, wanted), target_bytes(tensor, wanted));
  }
  return writer;
}

// Rows at `bytes` in another type. `numbers` is working space of their number of floats.
std::string convert(const GgufTensor& tensor, std::string_view bytes, ggml_type to,
                    std::span<float> numbers) {  // (rows, row_length)
  if (tensor.type != GGML_TYPE_F32 &&
      ggml_get_type_traits(static_cast<ggml_type>(tensor.type))->to_float == nullptr) {
    throw Error(fmt::format("the tensor '{}' is of type {}, which cannot be converted",
                            cut_to_columns(tensor.name, 60),
                            ggml_type_name(static_cast<ggml_type>(tensor.type))));
  }
  decode_numbers(tensor.type, bytes, numbers);
  check_finite(tensor.name, numbers);
  std::string out(numbers.size() / tensor.row_length() *
                      ggml_row_size(to, static_cast<std::int64_t>(tensor.row_length())),
                  '\0');
  ggml_quantize_chunk(to, numbers.data(), out.data(), 0,
                      static_cast<std::int64_t>(numbers.size() / tensor.row_length()),
                      static_cast<std::int64_t>(tensor.row_length()), nullptr);
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
    if (to == tensor.type) {
      out.append(part);
      continue;
    }
    numbers.resize(rows * tensor.row_length());
    out.append(convert(tensor, part, to, numbers));
  }
}

}  // namespace

std::vector<std::string_view> quantized_formats() {
  return {"q8_0", "q4_0", "q4_1", "bf16", "f16"};
}

void quantize(const std::filesystem::path& source, const std::filesystem::path& destination,
              std::string_view format_name, const std::function<void(std::uint64_t)>& written) {
  const NumberFormat& format = find_number_format(format_name, quantized_formats());
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
    const GgufWriter writer = header(layout, format);
    out.append(writer.header());
    std::vector<float> numbers;
    const auto wanted = static_cast<ggml_type>(format.type);
    for (const GgufTensor& tensor : layout.tensors) {
      write_tensor(tensor, wanted, out, numbers);
      out.append(writer.padding(target_bytes(tensor, wanted)));
      if (written) written(tensor.elements);
    }
    rename_synced(temporary, destination);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace selene::model
