#include "model/huggingface_config.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "model/json_fields.h"

namespace selene::model {
namespace {

constexpr std::string_view kOnlyLlama =
    "only the Llama family can be read: LlamaForCausalLM and MistralForCausalLM";

std::string shown(std::string_view text) { return cut_to_columns(text, 60); }

std::string architecture_of(const Json& json) {
  if (const Json* list = find_field(json, "architectures");
      list != nullptr && list->is_array() && !list->empty() && list->front().is_string()) {
    return list->front().get<std::string>();
  }
  return "";
}

void check_architecture(const Json& json) {
  const std::string type = text_field(json, "model_type").value_or("");
  const std::string architecture = architecture_of(json);
  if (architecture.empty() && type.empty())
    throw Error("it names no architecture", "", "this is no model of transformers");
  const bool known_type = type.empty() || type == "llama" || type == "mistral";
  const bool known_architecture = architecture.empty() || architecture == "LlamaForCausalLM" ||
                                  architecture == "MistralForCausalLM";
  if (known_type && known_architecture) return;
  throw Error(fmt::format("the architecture '{}' is not read",
                          shown(architecture.empty() ? type : architecture)),
              "", kOnlyLlama);
}

// What a model of the family may have and ours does not.
void check_parts(const Json& json) {
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    if (flag_field(json, key).value_or(false))
      throw Error(fmt::format("it has biases ({}), which are not read", key), "", kOnlyLlama);
  }
  for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts"}) {
    if (whole_field(json, key).value_or(0) > 0)
      throw Error(fmt::format("it is a mixture of experts ({}), which is not read", key), "",
                  kOnlyLlama);
  }
  if (find_field(json, "quantization_config") != nullptr) {
    throw Error("its weights are quantised (quantization_config), which is not read", "",
                "take the model in bfloat16, or a GGUF of it");
  }
  if (find_field(json, "sliding_window") != nullptr)
    throw Error("it has a sliding window of attention, which is not read", "", kOnlyLlama);
  if (number_field(json, "partial_rotary_factor").value_or(1) != 1)
    throw Error("it turns a part of each head only (partial_rotary_factor), which is not read");
  const std::string activation = text_field(json, "hidden_act").value_or("silu");
  if (activation != "silu" && activation != "swish") {
    throw Error(fmt::format("its activation is '{}', which is not read", shown(activation)), "",
                kOnlyLlama);
  }
}

double scaling_number(const Json& scaling, const char* key) {
  const std::optional<double> value = number_field(scaling, key);
  if (!value || !(*value > 0))
    throw Error(fmt::format("its RoPE scaling has no '{}' above 0", key));
  return *value;
}

// transformers up to 4 has rope_theta and rope_scaling, later ones rope_parameters with both.
void read_rope(const Json& json, LlamaConfig& config) {
  const Json* parameters = find_field(json, "rope_parameters");
  const Json* scaling = parameters != nullptr ? parameters : find_field(json, "rope_scaling");
  config.rope_base = number_field(json, "rope_theta").value_or(10000.0);
  if (scaling == nullptr) return;
  if (!scaling->is_object()) throw Error("its RoPE scaling is no object");
  if (const auto base = number_field(*scaling, "rope_theta")) config.rope_base = *base;
  const std::string type =
      text_field(*scaling, "rope_type").value_or(text_field(*scaling, "type").value_or("default"));
  if (type == "default") return;
  if (type != "llama3") {
    throw Error(fmt::format("the RoPE scaling '{}' is not read", shown(type)), "",
                "only the default and 'llama3' are");
  }
  const Llama3Scaling llama3{
      .factor = scaling_number(*scaling, "factor"),
      .low_frequency_factor = scaling_number(*scaling, "low_freq_factor"),
      .high_frequency_factor = scaling_number(*scaling, "high_freq_factor"),
      .original_context = scaling_number(*scaling, "original_max_position_embeddings")};
  if (!(llama3.high_frequency_factor > llama3.low_frequency_factor))
    throw Error("its RoPE scaling has a high_freq_factor that is not above low_freq_factor");
  config.rope_factors = llama3_rope_factors(llama3, config.rope_base, config.head_size);
}

std::uint64_t needed(const Json& json, const char* key) {
  const std::optional<std::uint64_t> value = whole_field(json, key);
  if (!value) throw Error(fmt::format("it has no '{}'", key));
  return *value;
}

bool are_close(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::fabs(x - y) <= 2e-6f * std::fabs(y); });
}

Json rope_scaling(const LlamaConfig& config) {
  if (std::all_of(config.rope_factors.begin(), config.rope_factors.end(),
                  [](float factor) { return factor == 1; })) {
    return nullptr;
  }
  const std::optional<Llama3Scaling> scaling = find_llama3_scaling(config);
  if (!scaling) {
    throw Error(
        "its RoPE factors are those of no 'llama3' scaling that is known, and a Hugging "
        "Face folder cannot hold others",
        "", "convert it to a GGUF, which keeps them as they are");
  }
  return {
      {"rope_type", "llama3"},
      {"factor", scaling->factor},
      {"low_freq_factor", scaling->low_frequency_factor},
      {"high_freq_factor", scaling->high_frequency_factor},
      {"original_max_position_embeddings", static_cast<std::uint64_t>(scaling->original_context)}};
}

}  // namespace

LlamaConfig read_huggingface_config(std::string_view text) {
  const Json json = parse_object(text, "it");
  check_architecture(json);
  check_parts(json);
  LlamaConfig config;
  config.layers = needed(json, "num_hidden_layers");
  config.width = needed(json, "hidden_size");
  config.heads = needed(json, "num_attention_heads");
  config.kv_heads = whole_field(json, "num_key_value_heads").value_or(config.heads);
  config.head_size =
      whole_field(json, "head_dim").value_or(config.heads == 0 ? 0 : config.width / config.heads);
  config.feed_forward = needed(json, "intermediate_size");
  config.vocabulary = needed(json, "vocab_size");
  config.context_length = whole_field(json, "max_position_embeddings").value_or(2048);
  config.rms_epsilon = static_cast<float>(number_field(json, "rms_norm_eps").value_or(1e-6));
  config.tied_embeddings = flag_field(json, "tie_word_embeddings").value_or(false);
  check_config(config);  // Before sizes are made of it.
  read_rope(json, config);
  check_config(config);
  return config;
}

std::optional<Llama3Scaling> find_llama3_scaling(const LlamaConfig& config) {
  if (config.rope_factors.empty()) return std::nullopt;
  Llama3Scaling scaling;
  scaling.factor =
      shortest(*std::max_element(config.rope_factors.begin(), config.rope_factors.end()));
  for (const double low : {1.0, 2.0}) {
    for (const double high : {4.0, 2.0, 3.0, 8.0, 16.0, 32.0}) {
      for (double context = 8192; context >= 16; context /= 2) {
        for (const double original : {context, 8192.0 * 8192.0 / context}) {
          scaling.low_frequency_factor = low;
          scaling.high_frequency_factor = high;
          scaling.original_context = original;
          if (high > low &&
              are_close(llama3_rope_factors(scaling, config.rope_base, config.head_size),
                        config.rope_factors)) {
            return scaling;
          }
        }
      }
    }
  }
  return std::nullopt;
}

std::string write_huggingface_config(const LlamaConfig& config, const Tokenizer& tokenizer,
                                     std::string_view name, std::string_view dtype) {
  nlohmann::ordered_json json;
  json["_name_or_path"] = name;
  json["architectures"] = {"LlamaForCausalLM"};
  json["attention_bias"] = false;
  json["attention_dropout"] = 0.0;
  for (const std::string_view special : {"bos", "eos", "pad"}) {
    if (const auto id = tokenizer.id_of(special)) json[fmt::format("{}_token_id", special)] = *id;
  }
  // Only where it is more than width / heads, as most folders have it.
  if (config.head_size * config.heads != config.width) json["head_dim"] = config.head_size;
  json["hidden_act"] = "silu";
  json["hidden_size"] = config.width;
  json["initializer_range"] = 0.02;
  json["intermediate_size"] = config.feed_forward;
  json["max_position_embeddings"] = config.context_length;
  json["mlp_bias"] = false;
  json["model_type"] = "llama";
  json["num_attention_heads"] = config.heads;
  json["num_hidden_layers"] = config.layers;
  json["num_key_value_heads"] = config.kv_heads;
  json["pretraining_tp"] = 1;
  json["rms_norm_eps"] = shortest(config.rms_epsilon);
  json["rope_scaling"] = rope_scaling(config);
  json["rope_theta"] = config.rope_base;
  json["tie_word_embeddings"] = config.tied_embeddings;
  json["torch_dtype"] = dtype;
  json["use_cache"] = true;
  json["vocab_size"] = config.vocabulary;
  return json.dump(2) + "\n";
}

std::string with_dtype(std::string_view text, std::string_view dtype) {
  auto json = nlohmann::ordered_json::parse(text);
  if (json.contains("dtype")) json["dtype"] = dtype;
  if (json.contains("torch_dtype") || !json.contains("dtype")) json["torch_dtype"] = dtype;
  return json.dump(2) + "\n";
}

std::string_view dtype_name(std::string_view format) {
  if (format == "f16") return "float16";
  if (format == "bf16") return "bfloat16";
  return "float32";
}

}  // namespace selene::model
