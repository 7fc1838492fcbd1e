// LoRA adapters as Hugging Face's PEFT has them: adapter_config.json, and adapter_model.safetensors
// with base_model.model.NAME.lora_A.weight (rank, in) and .lora_B.weight (out, rank).
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "model/adapter_files.h"
#include "model/json_fields.h"
#include "model/mapped_file.h"
#include "model/model_folder.h"
#include "model/number_format.h"
#include "model/safetensors.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight";
constexpr std::string_view kB = ".lora_B.weight";
constexpr std::string_view kPlain = "only plain LoRA is read: one rank, one alpha, no biases";

std::string shown(std::string_view text) { return cut_to_columns(text, 60); }

bool is_something(const Json& json, const char* key) {
  const Json* field = find_field(json, key);
  if (field == nullptr) return false;
  if (field->is_boolean()) return field->get<bool>();
  return !(field->is_array() || field->is_object()) || !field->empty();
}

struct PeftConfig {
  std::uint64_t rank = 0;
  double alpha = 0;
  std::string base;
};

PeftConfig read_config(const std::string& text) {
  const Json json = parse_object(text, "it");
  const std::string type = text_field(json, "peft_type").value_or("LORA");
  if (type != "LORA")
    throw Error(fmt::format("an adapter of the kind '{}' is not read", shown(type)), "", kPlain);
  for (const char* key : {"use_dora", "lora_bias", "fan_in_fan_out", "modules_to_save",
                          "rank_pattern", "alpha_pattern", "trainable_token_indices",
                          "layer_replication", "alora_invocation_tokens", "target_parameters"}) {
    if (is_something(json, key))
      throw Error(fmt::format("it has '{}', which is not read", key), "", kPlain);
  }
  const std::string bias = text_field(json, "bias").value_or("none");
  if (bias != "none") throw Error("it trains biases, which are not read", "", kPlain);
  PeftConfig config;
  config.rank = whole_field(json, "r").value_or(0);
  const std::optional<double> alpha = number_field(json, "lora_alpha");
  if (config.rank == 0 || !alpha) throw Error("it lacks 'r' or 'lora_alpha'");
  // rsLoRA scales by alpha / sqrt(rank), we by alpha / rank.
  config.alpha = flag_field(json, "use_rslora").value_or(false)
                     ? *alpha * std::sqrt(static_cast<double>(config.rank))
                     : *alpha;
  config.base = text_field(json, "base_model_name_or_path").value_or("");
  return config;
}

// Where the matrices of each weight are.
struct Pair {
  const SafetensorsTensor* a = nullptr;
  const SafetensorsTensor* b = nullptr;
};

std::map<std::string, Pair> pairs_of(const SafetensorsLayout& layout) {
  std::map<std::string, Pair> pairs;
  for (const SafetensorsTensor& tensor : layout.tensors) {
    std::string_view name = tensor.name;
    const bool is_a = name.ends_with(kA);
    if (!name.starts_with(kPrefix) || (!is_a && !name.ends_with(kB))) {
      throw Error(fmt::format("the tensor '{}' is not read: it is no matrix of LoRA", shown(name)),
                  "", kPlain);
    }
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(kA.size());
    const std::string weight = fmt::format("{}.weight", name);
    (is_a ? pairs[weight].a : pairs[weight].b) = &tensor;
  }
  return pairs;
}

std::vector<float> numbers_of(const SafetensorsTensor& tensor) {
  const std::int32_t type = safetensors_number_type(tensor.type);
  if (type < 0) {
    throw Error(fmt::format("the tensor '{}' is of the type {}; F32, F16 and BF16 are read",
                            shown(tensor.name), tensor.type));
  }
  std::vector<float> numbers(tensor.elements);
  decode_numbers(type, tensor.bytes, numbers);
  check_finite(tensor.name, numbers);
  return numbers;
}

LoraAdapter read_matrices(const SafetensorsLayout& layout, const PeftConfig& config) {
  LoraAdapter adapter{.rank = config.rank, .alpha = config.alpha};
  for (const auto& [name, pair] : pairs_of(layout)) {
    if (pair.a == nullptr || pair.b == nullptr)
      throw Error(fmt::format("damaged: '{}' has one of two matrices", shown(name)));
    if (pair.a->shape.size() != 2 || pair.b->shape.size() != 2 || pair.a->shape[0] != config.rank ||
        pair.b->shape[1] != config.rank) {
      throw Error(fmt::format("the matrices of '{}' are not of the rank {} of adapter_config.json",
                              shown(name), config.rank));
    }
    adapter.matrices.push_back(
        {name, pair.a->shape[1], pair.b->shape[0], numbers_of(*pair.a), numbers_of(*pair.b)});
  }
  return adapter;
}

// "self_attn.q_proj" of "model.layers.3.self_attn.q_proj.weight"; the whole name elsewhere.
std::string part_of(const std::string& name) {
  constexpr std::string_view kLayers = "model.layers.";
  const std::string module = name.substr(0, name.size() - std::string_view(".weight").size());
  if (!module.starts_with(kLayers)) return module;
  return module.substr(module.find('.', kLayers.size()) + 1);
}

// Short names where every layer has them, as people write them; otherwise all of them in full.
std::vector<std::string> target_modules(const LoraAdapter& adapter, std::uint64_t layers) {
  std::map<std::string, std::uint64_t> counts;
  for (const LoraMatrix& matrix : adapter.matrices) ++counts[part_of(matrix.name)];
  const bool regular = std::all_of(counts.begin(), counts.end(), [&](const auto& count) {
    return count.second == layers || count.first == "lm_head";
  });
  std::vector<std::string> targets;
  if (!regular) {
    for (const LoraMatrix& matrix : adapter.matrices)
      targets.push_back(
          matrix.name.substr(0, matrix.name.size() - std::string_view(".weight").size()));
    return targets;
  }
  for (const auto& [part, count] : counts) targets.push_back(part.substr(part.rfind('.') + 1));
  return targets;
}

std::string config_json(const LoraAdapter& adapter, std::uint64_t layers,
                        std::string_view base_name) {
  nlohmann::ordered_json json;
  json["base_model_name_or_path"] = base_name;
  json["bias"] = "none";
  json["fan_in_fan_out"] = false;
  json["inference_mode"] = true;
  json["init_lora_weights"] = true;
  // PEFT's own type for it is a whole number.
  if (adapter.alpha == std::floor(adapter.alpha) && std::fabs(adapter.alpha) < 1e9) {
    json["lora_alpha"] = static_cast<std::int64_t>(adapter.alpha);
  } else {
    json["lora_alpha"] = adapter.alpha;
  }
  json["lora_dropout"] = 0.0;
  json["modules_to_save"] = nullptr;
  json["peft_type"] = "LORA";
  json["r"] = adapter.rank;
  json["target_modules"] = target_modules(adapter, layers);
  json["task_type"] = "CAUSAL_LM";
  json["use_dora"] = false;
  json["use_rslora"] = false;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

LoraAdapter read_peft_adapter(const fs::path& folder, std::string* base_name) {
  const fs::path config_path = folder / "adapter_config.json";
  const fs::path numbers = folder / "adapter_model.safetensors";
  if (!path_exists(config_path)) {
    throw Error("it has no adapter_config.json", folder.string(),
                "give a GGUF adapter or a PEFT folder");
  }
  PeftConfig config;
  try {
    config = read_config(read_file(config_path));
  } catch (const Error& failure) {
    throw failure.where().empty() ? failure.at(config_path.string()) : failure;
  }
  if (base_name != nullptr) *base_name = config.base;
  if (!path_exists(numbers)) {
    const bool pickled = path_exists(folder / "adapter_model.bin");
    throw Error("it has no adapter_model.safetensors", folder.string(),
                pickled ? "save it as safetensors: a pickled file can run any code" : "");
  }
  const MappedFile file(numbers);
  try {
    return read_matrices(read_safetensors(file.bytes()), config);
  } catch (const Error& failure) {
    throw failure.at(numbers.string());
  }
}

void write_peft_folder(const fs::path& path, const LoraAdapter& adapter, const LlamaConfig& config,
                       std::string_view base_name) {
  check_adapter(adapter, config);
  NewFolder folder(path, "adapter_config.json", /*overwrite=*/true);
  write_file_atomically(folder.file("adapter_config.json"),
                        config_json(adapter, config.layers, base_name));
  std::vector<SafetensorsTensor> entries;
  std::vector<std::string> numbers;
  for (const LoraMatrix& matrix : adapter.matrices) {
    const std::string module =
        matrix.name.substr(0, matrix.name.size() - std::string_view(".weight").size());
    entries.push_back({.name = fmt::format("{}{}{}", kPrefix, module, kA),
                       .type = "F32",
                       .shape = {adapter.rank, matrix.in}});
    entries.push_back({.name = fmt::format("{}{}{}", kPrefix, module, kB),
                       .type = "F32",
                       .shape = {matrix.out, adapter.rank}});
  }
  AtomicFile out(folder.file("adapter_model.safetensors"));
  out.append(safetensors_header(entries));
  const std::int32_t f32 = safetensors_number_type("F32");
  for (const LoraMatrix& matrix : adapter.matrices) {
    out.append(encode_numbers(f32, matrix.a, matrix.in));
    out.append(encode_numbers(f32, matrix.b, adapter.rank));
  }
  out.commit();
  folder.commit();
}

}  // namespace selene::model
