#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "model/gguf_layout.h"
#include "model/gguf_writer.h"
#include "model/huggingface_config.h"
#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "model/number_format.h"
#include "model/tokenizer.h"
#include "model/write_model.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSlabNumbers = 1 << 22;  // 16 MiB of floats are encoded at a time.
constexpr std::string_view kFactors = "rope_freqs.weight";

// A tensor of the file to write.
struct Planned {
  LlamaTensor tensor;
  std::int32_t type = 0;
  bool is_factors = false;  // rope_freqs.weight, which is of the shape and not of the numbers.

  std::uint64_t bytes() const { return tensor.rows * encoded_bytes(type, tensor.columns); }
};

// Vectors stay f32: llama.cpp adds and multiplies them so. A row that cannot be quantised becomes
// f16, as llama.cpp's conversion script has it; the embedding and the output keep more than 4 bits.
std::int32_t type_of(const LlamaTensor& tensor, const NumberFormat& format) {
  if (tensor.rows == 1) return GGML_TYPE_F32;
  if (tensor.columns % format.block != 0) return GGML_TYPE_F16;
  const bool four_bits = format.type == GGML_TYPE_Q4_0 || format.type == GGML_TYPE_Q4_1;
  const bool is_vocabulary =
      tensor.gguf_name == "token_embd.weight" || tensor.gguf_name == "output.weight";
  return four_bits && is_vocabulary ? static_cast<std::int32_t>(GGML_TYPE_Q8_0) : format.type;
}

Planned factors_of(const LlamaConfig& config) {
  return {{.name = std::string(kFactors),
           .gguf_name = std::string(kFactors),
           .rows = 1,
           .columns = config.rope_factors.size()},
          GGML_TYPE_F32,
          true};
}

// Tensors in the order of the GGUF `base`, or else in ours.
std::vector<Planned> plan_tensors(const LlamaConfig& config, const GgufLayout* base,
                                  const NumberFormat& format) {
  std::vector<Planned> tensors;
  for (const LlamaTensor& tensor : llama_tensors(config))
    tensors.push_back({tensor, type_of(tensor, format)});
  if (!config.rope_factors.empty()) tensors.push_back(factors_of(config));
  if (base == nullptr) return tensors;
  std::vector<Planned> ordered;
  for (const GgufTensor& at : base->tensors) {
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const Planned& planned) {
      return planned.tensor.gguf_name == at.name;
    });
    ensure(found != tensors.end(), "a tensor that open_weights() let pass");
    ordered.push_back(*found);
  }
  return ordered;
}

// What the metadata and the tokenizer come from.
class Base {
 public:
  explicit Base(const fs::path& path) : path_(path) {
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
      file_.emplace(path);
      layout_ = read_gguf_layout(file_->bytes());  // open_weights() has read it without an Error.
    }
  }

  const GgufLayout* layout() const { return file_ ? &layout_ : nullptr; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  std::optional<MappedFile> file_;
  GgufLayout layout_;
};

void copy_entries(GgufWriter& writer, const GgufLayout& layout, bool keep_tokenizer,
                  std::uint32_t file_type) {
  bool has_type = false;
  bool has_version = false;
  for (const GgufEntry& entry : layout.entries) {
    if (entry.key.starts_with("tokenizer.") && !keep_tokenizer) continue;
    if (entry.key == "general.file_type") {
      writer.u32(entry.key, file_type);
      has_type = true;
    } else if (entry.key == "general.quantization_version") {
      writer.u32(entry.key, GGML_QNT_VERSION);
      has_version = true;
    } else {
      writer.entry(entry);
    }
  }
  if (!has_type) writer.u32("general.file_type", file_type);
  if (!has_version) writer.u32("general.quantization_version", GGML_QNT_VERSION);
}

std::string model_name(const fs::path& folder) {
  const Json json = parse_object(read_file(folder / "config.json"), "it");
  const std::string said = text_field(json, "_name_or_path").value_or("");
  return said.empty() ? fs::absolute(folder).lexically_normal().filename().string() : said;
}

// In the order of llama.cpp's conversion script.
void write_metadata(GgufWriter& writer, const fs::path& folder, const LlamaConfig& config,
                    std::uint32_t file_type) {
  const auto number = [&](const char* key, std::uint64_t value) {
    writer.u32(fmt::format("llama.{}", key), static_cast<std::uint32_t>(value));
  };
  writer.text("general.architecture", "llama");
  writer.text("general.type", "model");
  writer.text("general.name", model_name(folder));
  number("block_count", config.layers);
  number("context_length", config.context_length);
  number("embedding_length", config.width);
  number("feed_forward_length", config.feed_forward);
  number("attention.head_count", config.heads);
  number("attention.head_count_kv", config.kv_heads);
  writer.f32("llama.rope.freq_base", static_cast<float>(config.rope_base));
  writer.f32("llama.attention.layer_norm_rms_epsilon", config.rms_epsilon);
  number("attention.key_length", config.head_size);
  number("attention.value_length", config.head_size);
  writer.u32("general.file_type", file_type);
  number("vocab_size", config.vocabulary);
  number("rope.dimension_count", config.head_size);
  writer.u32("general.quantization_version", GGML_QNT_VERSION);
}

// The tokenizer of another GGUF; its number of tokens must be the model's.
void copy_tokenizer(GgufWriter& writer, const fs::path& path, const LlamaConfig& config) {
  const MappedFile file(path);
  try {
    const GgufLayout layout = read_gguf_layout(file.bytes());
    const GgufEntry* tokens = layout.find("tokenizer.ggml.tokens");
    if (tokens == nullptr || !tokens->array) throw Error("it has no tokenizer");
    if (tokens->count != config.vocabulary) {
      throw Error(fmt::format("its tokenizer has {} tokens, the model {}", tokens->count,
                              config.vocabulary),
                  "", "take the GGUF of a model with the same tokenizer");
    }
    for (const GgufEntry& entry : layout.entries) {
      if (entry.key.starts_with("tokenizer.")) writer.entry(entry);
    }
  } catch (const Error& failure) {
    throw failure.at(path.string());
  }
}

GgufWriter plan_file(const Base& base, const LlamaConfig& config, const NumberFormat& format,
                     const std::vector<Planned>& tensors, const fs::path& tokenizer) {
  GgufWriter writer(base.layout() == nullptr ? 32 : base.layout()->alignment);
  if (base.layout() != nullptr) {
    copy_entries(writer, *base.layout(), tokenizer.empty(), format.file_type);
  } else {
    write_metadata(writer, base.path(), config, format.file_type);
    if (tokenizer.empty()) {
      write_gguf_tokenizer(writer, read_huggingface_tokenizer(base.path(), config.vocabulary));
    }
  }
  if (!tokenizer.empty()) copy_tokenizer(writer, tokenizer, config);
  for (const Planned& planned : tensors) {
    const std::array<std::uint64_t, 2> shape{planned.tensor.columns, planned.tensor.rows};
    writer.tensor(planned.tensor.gguf_name, {shape.data(), planned.tensor.rows == 1 ? 1u : 2u},
                  planned.type, planned.bytes());
  }
  return writer;
}

// `numbers` are in Hugging Face's order of rows.
void write_numbers(AtomicFile& out, const Planned& planned, std::span<const float> numbers,
                   std::uint64_t head_size) {
  const std::uint64_t columns = planned.tensor.columns;
  const std::uint64_t slab = std::max<std::uint64_t>(1, kSlabNumbers / columns);
  std::vector<float> turned;
  for (std::uint64_t begin = 0; begin < planned.tensor.rows; begin += slab) {
    const std::uint64_t rows = std::min(slab, planned.tensor.rows - begin);
    std::span<const float> part = numbers.subspan(begin * columns, rows * columns);
    if (planned.tensor.turned != 0) {
      turned.resize(part.size());
      for (std::uint64_t row = 0; row < rows; ++row) {
        const std::uint64_t from = unturned_row(begin + row, head_size);
        std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(from * columns), columns,
                    turned.begin() + static_cast<std::ptrdiff_t>(row * columns));
      }
      part = turned;
    }
    out.append(encode_numbers(planned.type, part, columns));
  }
}

void check_free(const fs::path& destination, std::uint64_t bytes) {
  const fs::path parent = destination.has_parent_path() ? destination.parent_path() : ".";
  if (path_exists(parent)) check_space(parent, bytes);
}

}  // namespace

WeightSource weights_of(const Weights& weights) {
  return [&weights](const std::string& name, std::span<float> out) { weights.read(name, out); };
}

std::vector<std::string_view> gguf_formats() {
  std::vector<std::string_view> names;
  for (const NumberFormat& format : number_formats()) names.push_back(format.name);
  return names;
}

void write_gguf(const fs::path& destination, const fs::path& base_path, const WeightSource& source,
                std::string_view format_name, const WriteOptions& options) {
  const NumberFormat& format = find_number_format(format_name, gguf_formats());
  const LlamaConfig config = open_weights(base_path)->config();
  const Base base(base_path);
  const std::vector<Planned> tensors = plan_tensors(config, base.layout(), format);
  const GgufWriter writer = plan_file(base, config, format, tensors, options.tokenizer);
  check_free(destination, writer.file_bytes());
  AtomicFile out(destination);
  out.append(writer.header());
  std::vector<float> numbers;
  for (const Planned& planned : tensors) {
    if (planned.is_factors) {
      numbers = config.rope_factors;
    } else {
      numbers.resize(planned.tensor.rows * planned.tensor.columns);
      source(planned.tensor.name, numbers);
    }
    try {
      write_numbers(out, planned, numbers, config.head_size);
    } catch (const Error& failure) {
      throw failure.where().empty() ? failure.at(planned.tensor.name) : failure;
    }
    out.append(writer.padding(planned.bytes()));
    if (options.written) options.written(numbers.size());
  }
  out.commit(options.overwrite);
}

}  // namespace selene::model
