#include "model/gguf_weights.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <ggml.h>

#include "core/error.h"
#include "core/text.h"
#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "model/number_format.h"

namespace selene::model {
namespace {

constexpr std::string_view kOnlyLlama = "only GGUF files of the architecture 'llama' can be read";
constexpr std::string_view kFactors = "rope_freqs.weight";

std::string shown(std::string_view text) { return cut_to_columns(text, 60); }

std::optional<double> number_of(const GgufLayout& layout, std::string_view key) {
  const GgufEntry* entry = layout.find(key);
  if (entry == nullptr) return std::nullopt;
  if (!entry->array && entry->type == GgufType::F32) {
    float value = 0;
    std::memcpy(&value, entry->value.data(), sizeof value);
    return shortest(value);
  }
  return static_cast<double>(*layout.number(key));
}

std::uint64_t needed(const GgufLayout& layout, std::string_view key) {
  const std::optional<std::uint64_t> value = layout.number(key);
  if (!value) throw Error(fmt::format("it has no '{}'", key));
  return *value;
}

// A number that llama.cpp takes of one for all layers or of a list with one for each.
std::uint64_t same_everywhere(const GgufLayout& layout, std::string_view key) {
  const std::uint64_t largest = needed(layout, key);
  const GgufEntry* entry = layout.find(key);
  for (std::uint64_t i = 1; i < entry->count; ++i) {
    const size_t width = entry->value.size() / entry->count;
    if (entry->value.substr(0, width) != entry->value.substr(i * width, width))
      throw Error(fmt::format("'{}' differs from layer to layer, which is not read", key));
  }
  return largest;
}

void check_kind(const GgufLayout& layout) {
  const std::string_view architecture = layout.text("general.architecture").value_or("");
  if (layout.text("general.type").value_or("model") == "adapter") {
    throw Error("it is an adapter, no model", "",
                "merge it into its model: selene models merge BASE ADAPTER OUT");
  }
  if (architecture != "llama") {
    throw Error(fmt::format("the architecture '{}' is not read", shown(architecture)), "",
                kOnlyLlama);
  }
  if (layout.number("split.count").value_or(1) > 1) {
    throw Error("it is one part of several", "",
                "join them first: llama-gguf-split --merge PART OUT");
  }
  if (layout.number("llama.expert_count").value_or(0) > 0)
    throw Error("it is a mixture of experts, which is not read", "", kOnlyLlama);
}

void check_rope(const GgufLayout& layout, const LlamaConfig& config) {
  const std::string_view type = layout.text("llama.rope.scaling.type").value_or("none");
  if (type != "none") {
    throw Error(fmt::format("the RoPE scaling '{}' is not read", shown(type)), "",
                "only the default and 'llama3' are");
  }
  for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    const double factor = number_of(layout, key).value_or(1);
    if (factor != 0 && factor != 1)
      throw Error(fmt::format("the RoPE scaling 'linear' ({}) is not read", key), "",
                  "only the default and 'llama3' are");
  }
  const std::uint64_t turned =
      layout.number("llama.rope.dimension_count").value_or(config.head_size);
  if (turned != config.head_size) {
    throw Error(fmt::format("RoPE turns {} of the {} numbers of a head, which is not read", turned,
                            config.head_size));
  }
}

const GgufTensor* find_tensor(const GgufLayout& layout, std::string_view name) {
  const auto found = std::find_if(layout.tensors.begin(), layout.tensors.end(),
                                  [&](const GgufTensor& tensor) { return tensor.name == name; });
  return found == layout.tensors.end() ? nullptr : &*found;
}

std::vector<float> read_factors(const GgufLayout& layout, std::uint64_t head_size) {
  const GgufTensor* tensor = find_tensor(layout, kFactors);
  if (tensor == nullptr) return {};
  if (tensor->type != GGML_TYPE_F32 || tensor->elements != head_size / 2) {
    throw Error(fmt::format("the tensor '{}' has {} numbers of {}, expected {} of f32", kFactors,
                            tensor->elements, ggml_type_name(static_cast<ggml_type>(tensor->type)),
                            head_size / 2));
  }
  std::vector<float> factors(tensor->elements);
  decode_numbers(tensor->type, tensor->bytes, factors);
  return factors;
}

class GgufWeights : public Weights {
 public:
  explicit GgufWeights(const std::filesystem::path& path) : path_(path), file_(path) {
    try {
      layout_ = read_gguf_layout(file_.bytes());
      config_ = read_gguf_config(layout_);
      place();
    } catch (const Error& failure) {
      throw failure.at(path.string());
    }
  }

  void read(const std::string& name, std::span<float> out) const override {
    try {
      const auto found = places_.find(name);
      if (found == places_.end()) throw Error(fmt::format("there is no tensor '{}'", shown(name)));
      const Place& place = found->second;
      ensure(out.size() == place.tensor->elements, "room for the numbers of the tensor");
      read_rows(place, out);
      check_finite(name, out);
    } catch (const Error& failure) {
      throw failure.at(path_.string());
    }
  }

 private:
  struct Place {
    const GgufTensor* tensor = nullptr;
    bool is_turned = false;
  };

  void place() {
    std::unordered_map<std::string_view, const GgufTensor*> by_name;
    for (const GgufTensor& tensor : layout_.tensors) {
      if (tensor.name != kFactors) by_name.emplace(tensor.name, &tensor);
    }
    for (const LlamaTensor& wanted : llama_tensors(config_)) {
      const auto found = by_name.find(wanted.gguf_name);
      if (found == by_name.end())
        throw Error(fmt::format("it has no tensor '{}'", wanted.gguf_name));
      const GgufTensor& tensor = *found->second;
      if (tensor.row_length() != wanted.columns || tensor.rows() != wanted.rows ||
          tensor.used_dimensions() > 2) {
        throw Error(fmt::format("the tensor '{}' has {} rows of {}, expected {} of {}",
                                wanted.gguf_name, tensor.rows(), tensor.row_length(), wanted.rows,
                                wanted.columns));
      }
      places_[wanted.name] = {&tensor, wanted.turned != 0};
      tensors_.push_back({wanted.name, wanted.rows, wanted.columns,
                          ggml_type_name(static_cast<ggml_type>(tensor.type))});
      by_name.erase(found);
    }
    for (const GgufTensor& tensor : layout_.tensors) {
      if (by_name.find(tensor.name) == by_name.end()) continue;
      throw Error(fmt::format("the tensor '{}' is not read: {}", shown(tensor.name),
                              tensor.name.ends_with(".bias") ? "a model without biases has none"
                                                             : "a Llama model has none"),
                  "", kOnlyLlama);
    }
  }

  void read_rows(const Place& place, std::span<float> out) const {
    const GgufTensor& tensor = *place.tensor;
    if (!place.is_turned) {
      decode_numbers(tensor.type, tensor.bytes, out);
      return;
    }
    const std::uint64_t columns = tensor.row_length();
    const std::uint64_t row_bytes = tensor.bytes.size() / tensor.rows();
    for (std::uint64_t row = 0; row < tensor.rows(); ++row) {
      decode_numbers(tensor.type,
                     tensor.bytes.substr(turned_row(row, config_.head_size) * row_bytes, row_bytes),
                     out.subspan(row * columns, columns));
    }
  }

  std::filesystem::path path_;
  MappedFile file_;
  GgufLayout layout_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace

LlamaConfig read_gguf_config(const GgufLayout& layout) {
  check_kind(layout);
  LlamaConfig config;
  config.layers = needed(layout, "llama.block_count");
  config.width = needed(layout, "llama.embedding_length");
  config.heads = same_everywhere(layout, "llama.attention.head_count");
  config.kv_heads = layout.find("llama.attention.head_count_kv") == nullptr
                        ? config.heads
                        : same_everywhere(layout, "llama.attention.head_count_kv");
  config.head_size = layout.number("llama.attention.key_length")
                         .value_or(config.heads == 0 ? 0 : config.width / config.heads);
  if (layout.number("llama.attention.value_length").value_or(config.head_size) != config.head_size)
    throw Error("its keys and values are of different sizes, which is not read");
  config.feed_forward = same_everywhere(layout, "llama.feed_forward_length");
  config.context_length = needed(layout, "llama.context_length");
  const std::optional<double> epsilon = number_of(layout, "llama.attention.layer_norm_rms_epsilon");
  if (!epsilon) throw Error("it has no 'llama.attention.layer_norm_rms_epsilon'");
  config.rms_epsilon = static_cast<float>(*epsilon);
  config.rope_base = number_of(layout, "llama.rope.freq_base").value_or(10000.0);
  const GgufTensor* embedding = find_tensor(layout, "token_embd.weight");
  if (embedding == nullptr) throw Error("it has no tensor 'token_embd.weight'");
  config.vocabulary = embedding->rows();
  config.tied_embeddings = find_tensor(layout, "output.weight") == nullptr;
  check_config(config);
  check_rope(layout, config);
  config.rope_factors = read_factors(layout, config.head_size);
  check_config(config);
  return config;
}

std::unique_ptr<Weights> open_gguf_weights(const std::filesystem::path& path) {
  return std::make_unique<GgufWeights>(path);
}

}  // namespace selene::model
