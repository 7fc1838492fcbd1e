// LoRA adapters as llama.cpp has them: convert_lora_to_gguf.py writes them, src/llama-adapter.cpp
// reads them. A tensor NAME.lora_a has `rank` rows of `in`, NAME.lora_b has `out` rows of `rank`.
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/adapter_files.h"
#include "model/gguf_layout.h"
#include "model/gguf_writer.h"
#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "model/number_format.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

std::string shown(std::string_view text) { return cut_to_columns(text, 60); }

void check_kind(const GgufLayout& layout) {
  if (layout.text("general.type").value_or("model") != "adapter") {
    throw Error("it is a model, no adapter", "",
                "give a GGUF adapter or a PEFT folder (adapter_config.json)");
  }
  const std::string_view architecture = layout.text("general.architecture").value_or("");
  if (architecture != "llama")
    throw Error(
        fmt::format("an adapter for the architecture '{}' is not read", shown(architecture)));
  const std::string_view type = layout.text("adapter.type").value_or("");
  if (type != "lora")
    throw Error(fmt::format("an adapter of the kind '{}' is not read", shown(type)));
  if (layout.find("adapter.alora.invocation_tokens") != nullptr)
    throw Error("an adapter that invocation tokens switch on (aLoRA) is not read");
}

double alpha_of(const GgufLayout& layout) {
  const GgufEntry* entry = layout.find("adapter.lora.alpha");
  if (entry == nullptr || entry->array || entry->type != GgufType::F32)
    throw Error("it has no 'adapter.lora.alpha'");
  float alpha = 0;
  std::memcpy(&alpha, entry->value.data(), sizeof alpha);
  const std::array<float, 1> number{alpha};
  check_finite("adapter.lora.alpha", number);
  return shortest(alpha);
}

struct Pair {
  const GgufTensor* a = nullptr;
  const GgufTensor* b = nullptr;
};

std::map<std::string, Pair> pairs_of(const GgufLayout& layout) {
  std::map<std::string, Pair> pairs;
  for (const GgufTensor& tensor : layout.tensors) {
    std::string_view name = tensor.name;
    const bool is_a = name.ends_with(".lora_a");
    if (!is_a && !name.ends_with(".lora_b")) {
      throw Error(fmt::format("the tensor '{}' is not read: it is no matrix of LoRA", shown(name)));
    }
    name.remove_suffix(std::string_view(".lora_a").size());
    const std::string ours = huggingface_name(name);
    if (ours.empty())
      throw Error(fmt::format("it changes '{}', which a Llama model does not have", shown(name)));
    (is_a ? pairs[ours].a : pairs[ours].b) = &tensor;
  }
  return pairs;
}

std::vector<float> numbers_of(const GgufTensor& tensor) {
  std::vector<float> numbers(tensor.elements);
  decode_numbers(tensor.type, tensor.bytes, numbers);
  check_finite(tensor.name, numbers);
  return numbers;
}

LoraAdapter read_layout(const GgufLayout& layout) {
  check_kind(layout);
  LoraAdapter adapter;
  adapter.alpha = alpha_of(layout);
  for (const auto& [name, pair] : pairs_of(layout)) {
    if (pair.a == nullptr || pair.b == nullptr)
      throw Error(fmt::format("damaged: '{}' has one of two matrices", name));
    const std::uint64_t rank = pair.a->rows();
    if (pair.a->used_dimensions() > 2 || pair.b->used_dimensions() > 2 ||
        pair.b->row_length() != rank) {
      throw Error(fmt::format("damaged: the matrices of '{}' do not fit one another", name));
    }
    if (adapter.rank != 0 && adapter.rank != rank) {
      throw Error(fmt::format("its matrices are of the ranks {} and {}; one rank is read",
                              adapter.rank, rank));
    }
    adapter.rank = rank;
    adapter.matrices.push_back(
        {name, pair.a->row_length(), pair.b->rows(), numbers_of(*pair.a), numbers_of(*pair.b)});
  }
  return adapter;
}

std::string encoded(const std::vector<float>& numbers, std::uint64_t columns) {
  return encode_numbers(GGML_TYPE_F32, numbers, columns);
}

// B with its rows as a GGUF has them.
std::vector<float> turned_b(const LoraMatrix& matrix, std::uint64_t rank, std::uint64_t head_size) {
  std::vector<float> rows(matrix.b.size());
  for (std::uint64_t row = 0; row < matrix.out; ++row) {
    const auto from = static_cast<std::ptrdiff_t>(unturned_row(row, head_size) * rank);
    std::copy_n(matrix.b.begin() + from, rank,
                rows.begin() + static_cast<std::ptrdiff_t>(row * rank));
  }
  return rows;
}

}  // namespace

std::string huggingface_name(std::string_view name) {
  // A model of one layer with all its names is the table.
  static const std::vector<LlamaTensor> names = llama_tensors({.layers = 1,
                                                               .width = 2,
                                                               .heads = 1,
                                                               .kv_heads = 1,
                                                               .head_size = 2,
                                                               .feed_forward = 2,
                                                               .vocabulary = 2});
  constexpr std::string_view kLayer = "blk.";
  std::string_view number;
  std::string wanted(name);
  if (name.starts_with(kLayer)) {
    number = name.substr(kLayer.size(), name.find('.', kLayer.size()) - kLayer.size());
    std::uint32_t layer = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), layer);
    if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return "";
    wanted = fmt::format("{}0{}", kLayer, name.substr(kLayer.size() + number.size()));
  }
  for (const LlamaTensor& tensor : names) {
    if (tensor.gguf_name != wanted) continue;
    if (number.empty()) return tensor.name;
    constexpr std::string_view kOurs = "model.layers.0";
    return fmt::format("model.layers.{}{}", number, tensor.name.substr(kOurs.size()));
  }
  return "";
}

LoraAdapter read_gguf_adapter(const fs::path& path, std::string* base_name) {
  const MappedFile file(path);
  try {
    const GgufLayout layout = read_gguf_layout(file.bytes());
    if (base_name != nullptr) *base_name = layout.text("general.base_model.0.name").value_or("");
    return read_layout(layout);
  } catch (const Error& failure) {
    throw failure.at(path.string());
  }
}

void write_adapter_gguf(const fs::path& destination, const LoraAdapter& adapter,
                        const LlamaConfig& config) {
  check_adapter(adapter, config);
  std::unordered_map<std::string, LlamaTensor> tensors;
  for (LlamaTensor& tensor : llama_tensors(config)) tensors.emplace(tensor.name, tensor);
  GgufWriter writer;
  writer.text("general.architecture", "llama");
  writer.text("general.type", "adapter");
  writer.text("adapter.type", "lora");
  writer.text("general.name", destination.stem().string());
  writer.f32("adapter.lora.alpha", static_cast<float>(adapter.alpha));
  writer.u32("general.file_type", 0);
  writer.u32("general.quantization_version", GGML_QNT_VERSION);
  for (const LoraMatrix& matrix : adapter.matrices) {
    const std::string& name = tensors.at(matrix.name).gguf_name;
    const std::array<std::uint64_t, 2> a{matrix.in, adapter.rank};
    const std::array<std::uint64_t, 2> b{adapter.rank, matrix.out};
    writer.tensor(name + ".lora_a", a, GGML_TYPE_F32, matrix.a.size() * sizeof(float));
    writer.tensor(name + ".lora_b", b, GGML_TYPE_F32, matrix.b.size() * sizeof(float));
  }
  AtomicFile out(destination);
  out.append(writer.header());
  for (const LoraMatrix& matrix : adapter.matrices) {
    const bool is_turned = tensors.at(matrix.name).turned != 0;
    const std::string a = encoded(matrix.a, matrix.in);
    const std::string b = encoded(
        is_turned ? turned_b(matrix, adapter.rank, config.head_size) : matrix.b, adapter.rank);
    out.append(a + writer.padding(a.size()));
    out.append(b + writer.padding(b.size()));
  }
  out.commit();
}

}  // namespace selene::model
