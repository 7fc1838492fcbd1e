// A tiny random model of the Llama 3.1 kind, as a GGUF and as a Hugging Face folder, written here
// byte by byte without the code that is tested: grouped-query attention, RoPE scaling, an output
// apart from the embedding, byte-level BPE.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "model/gguf_builder.h"
#include "temporary_folder.h"

namespace selene::testing {

struct TinyLlama {
  std::uint64_t layers = 2;
  std::uint64_t width = 32;
  std::uint64_t heads = 4;
  std::uint64_t kv_heads = 2;
  std::uint64_t head_size = 8;
  std::uint64_t feed_forward = 64;
  std::uint64_t context = 256;
  bool tied = false;
  bool scaled = true;  // Llama 3.1's RoPE scaling: factor 8, 1, 4, of 8192 tokens.
  std::string pre = "llama-bpe";
  std::uint32_t seed = 1;

  struct Tensor {
    std::string name{};
    std::string gguf_name{};
    std::uint64_t rows = 1;
    std::uint64_t columns = 0;
    std::uint64_t turned_heads = 0;
    std::vector<float> numbers{};  // In Hugging Face's order.
  };

  // GPT-2's printable character for each byte.
  static std::vector<std::string> byte_tokens() {
    std::vector<std::string> tokens;
    int next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      const int code = printable ? byte : next++;
      std::string text;
      if (code < 0x80) {
        text += static_cast<char>(code);
      } else {
        text += static_cast<char>(0xC0 | code >> 6);
        text += static_cast<char>(0x80 | (code & 0x3F));
      }
      tokens.push_back(text);
    }
    return tokens;
  }

  static std::vector<std::string> merges() {
    return {"\u0120 t", "h e", "\u0120t he", "\u0120 a", "i n"};
  }

  // 256 bytes, the merged words, then three special tokens.
  static std::vector<std::string> tokens() {
    std::vector<std::string> all = byte_tokens();
    for (const std::string& merge : merges()) {
      const size_t space = merge.find(' ');
      all.push_back(merge.substr(0, space) + merge.substr(space + 1));
    }
    for (const char* special : {"<|begin|>", "<|end|>", "<|pad|>"}) all.emplace_back(special);
    return all;
  }

  static constexpr std::uint32_t kBegin = 261;
  std::uint64_t vocabulary() const { return tokens().size(); }
  static std::string chat_template() { return "{{ bos_token }}{{ messages[0]['content'] }}"; }

  // Numbers that bfloat16 holds (8 bits of a fraction), so that every float format keeps them.
  std::vector<float> random(std::uint64_t count, std::uint32_t salt) const {
    std::vector<float> numbers;
    std::uint32_t state = seed * 2654435761u + salt * 40503u + 12345u;
    for (std::uint64_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      numbers.push_back(static_cast<float>(static_cast<int>(state >> 24) - 128) / 512.0f);
    }
    return numbers;
  }

  std::vector<Tensor> tensors() const {
    std::vector<Tensor> all;
    std::uint32_t salt = 0;
    const auto add = [&](std::string name, std::string gguf, std::uint64_t rows,
                         std::uint64_t columns, std::uint64_t turned = 0) {
      all.push_back({std::move(name), std::move(gguf), rows, columns, turned,
                     random(rows * columns, ++salt)});
    };
    add("model.embed_tokens.weight", "token_embd.weight", vocabulary(), width);
    for (std::uint64_t i = 0; i < layers; ++i) {
      const std::string ours = fmt::format("model.layers.{}.", i);
      const std::string gguf = fmt::format("blk.{}.", i);
      add(ours + "input_layernorm.weight", gguf + "attn_norm.weight", 1, width);
      add(ours + "self_attn.q_proj.weight", gguf + "attn_q.weight", heads * head_size, width,
          heads);
      add(ours + "self_attn.k_proj.weight", gguf + "attn_k.weight", kv_heads * head_size, width,
          kv_heads);
      add(ours + "self_attn.v_proj.weight", gguf + "attn_v.weight", kv_heads * head_size, width);
      add(ours + "self_attn.o_proj.weight", gguf + "attn_output.weight", width, heads * head_size);
      add(ours + "post_attention_layernorm.weight", gguf + "ffn_norm.weight", 1, width);
      add(ours + "mlp.gate_proj.weight", gguf + "ffn_gate.weight", feed_forward, width);
      add(ours + "mlp.up_proj.weight", gguf + "ffn_up.weight", feed_forward, width);
      add(ours + "mlp.down_proj.weight", gguf + "ffn_down.weight", width, feed_forward);
    }
    add("model.norm.weight", "output_norm.weight", 1, width);
    if (!tied) add("lm_head.weight", "output.weight", vocabulary(), width);
    return all;
  }

  // reshape(heads, 2, half, columns).swapaxes(1, 2), as llama.cpp's script has it.
  std::vector<float> gguf_order(const Tensor& tensor) const {
    if (tensor.turned_heads == 0) return tensor.numbers;
    const std::uint64_t half = head_size / 2;
    std::vector<float> out;
    for (std::uint64_t head = 0; head < tensor.turned_heads; ++head) {
      for (std::uint64_t i = 0; i < half; ++i) {
        for (std::uint64_t part = 0; part < 2; ++part) {
          const std::uint64_t row = head * head_size + part * half + i;
          const auto begin = tensor.numbers.begin() + static_cast<long>(row * tensor.columns);
          out.insert(out.end(), begin, begin + static_cast<long>(tensor.columns));
        }
      }
    }
    return out;
  }

  GgufBuilder metadata() const {
    const auto u32 = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    GgufBuilder file;
    file.text("general.architecture", "llama").text("general.type", "model");
    file.text("general.name", "tiny").u32("llama.block_count", u32(layers));
    file.u32("llama.context_length", u32(context)).u32("llama.embedding_length", u32(width));
    file.u32("llama.feed_forward_length", u32(feed_forward));
    file.u32("llama.attention.head_count", u32(heads));
    file.u32("llama.attention.head_count_kv", u32(kv_heads));
    file.f32("llama.rope.freq_base", 500000.0f);
    file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    if (head_size * heads != width) {
      file.u32("llama.attention.key_length", u32(head_size));
      file.u32("llama.attention.value_length", u32(head_size));
    }
    file.u32("general.file_type", 0).u32("llama.vocab_size", u32(vocabulary()));
    file.u32("llama.rope.dimension_count", u32(head_size));
    file.u32("general.quantization_version", 2);
    file.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", pre);
    file.texts("tokenizer.ggml.tokens", tokens());
    std::vector<std::int32_t> types(vocabulary() - 3, 1);
    types.insert(types.end(), 3, 3);
    file.i32s("tokenizer.ggml.token_type", types).texts("tokenizer.ggml.merges", merges());
    file.u32("tokenizer.ggml.bos_token_id", kBegin);
    file.u32("tokenizer.ggml.eos_token_id", kBegin + 1);
    file.u32("tokenizer.ggml.padding_token_id", kBegin + 2);
    file.flag("tokenizer.ggml.add_bos_token", true);
    file.text("tokenizer.chat_template", chat_template());
    return file;
  }

  // head_size 8, base 500000: wave lengths 6.28, 167, 4443 and 118143 tokens. Of 8192 / 4 = 2048 to
  // 8192 / 1 they go from 1 to 8; the third is (8192 / 4443 - 1) / 3 = 0.2813 of the way from the
  // far end: 1 / ((1 - 0.2813) / 8 + 0.2813) = 2.695.
  std::vector<float> factors() const { return {1.0f, 1.0f, 2.69453f, 8.0f}; }

  GgufBuilder gguf() const {
    GgufBuilder file = metadata();
    for (const Tensor& tensor : tensors()) {
      std::vector<std::uint64_t> shape{tensor.columns};
      if (tensor.rows > 1) shape.push_back(tensor.rows);
      file.floats(tensor.gguf_name, shape, gguf_order(tensor));
    }
    if (scaled) file.floats("rope_freqs.weight", {head_size / 2}, factors());
    return file;
  }

  nlohmann::json config() const {
    nlohmann::json json{{"architectures", {"LlamaForCausalLM"}},
                        {"model_type", "llama"},
                        {"_name_or_path", "tiny"},
                        {"hidden_size", width},
                        {"intermediate_size", feed_forward},
                        {"num_hidden_layers", layers},
                        {"num_attention_heads", heads},
                        {"num_key_value_heads", kv_heads},
                        {"vocab_size", vocabulary()},
                        {"max_position_embeddings", context},
                        {"rms_norm_eps", 1e-5},
                        {"rope_theta", 500000.0},
                        {"tie_word_embeddings", tied},
                        {"hidden_act", "silu"},
                        {"bos_token_id", kBegin},
                        {"eos_token_id", kBegin + 1},
                        {"torch_dtype", "float32"}};
    if (head_size * heads != width) json["head_dim"] = head_size;
    if (scaled) {
      json["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", 8.0},
                              {"low_freq_factor", 1.0},
                              {"high_freq_factor", 4.0},
                              {"original_max_position_embeddings", 8192}};
    }
    return json;
  }

  // One safetensors file of these tensors in F32, the last first: the order is not ours to rely on.
  static std::string safetensors(const std::vector<Tensor>& tensors) {
    nlohmann::json header = nlohmann::json::object();
    std::string data;
    for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
      const std::uint64_t begin = data.size();
      data.append(reinterpret_cast<const char*>(tensor->numbers.data()),
                  tensor->numbers.size() * sizeof(float));
      std::vector<std::uint64_t> shape{tensor->columns};
      if (tensor->rows > 1) shape.insert(shape.begin(), tensor->rows);
      header[tensor->name] = {
          {"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string json = header.dump();
    return le(static_cast<std::uint64_t>(json.size())) + json + data;
  }

  nlohmann::json tokenizer_json() const {
    const std::vector<std::string> all = tokens();
    nlohmann::json vocab = nlohmann::json::object();
    nlohmann::json added = nlohmann::json::array();
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (i < kBegin) {
        vocab[all[i]] = i;
      } else {
        added.push_back({{"id", i}, {"content", all[i]}, {"special", true}});
      }
    }
    const nlohmann::json split{
        {"type", "Split"},
        {"pattern",
         {{"Regex",
           R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
        {"behavior", "Isolated"},
        {"invert", false}};
    const nlohmann::json bytes{
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
    const nlohmann::json begin{{"SpecialToken", {{"id", "<|begin|>"}, {"type_id", 0}}}};
    const nlohmann::json text{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    return {{"version", "1.0"},
            {"added_tokens", added},
            {"normalizer", nullptr},
            {"pre_tokenizer",
             {{"type", "Sequence"}, {"pretokenizers", nlohmann::json::array({split, bytes})}}},
            {"post_processor",
             {{"type", "TemplateProcessing"},
              {"single", nlohmann::json::array({begin, text})},
              {"pair", nlohmann::json::array({begin, text})}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model",
             {{"type", "BPE"}, {"ignore_merges", true}, {"vocab", vocab}, {"merges", merges()}}}};
  }

  static nlohmann::json tokenizer_config() {
    return {{"bos_token", "<|begin|>"},
            {"eos_token", {{"content", "<|end|>"}}},
            {"pad_token", "<|pad|>"},
            {"chat_template", chat_template()},
            {"tokenizer_class", "PreTrainedTokenizerFast"}};
  }

  std::filesystem::path folder(const TemporaryFolder& parent, std::string_view name = "hf") const {
    const std::string at = std::string(name) + "/";
    parent.file(at + "config.json", config().dump());
    parent.file(at + "model.safetensors", safetensors(tensors()));
    parent.file(at + "tokenizer.json", tokenizer_json().dump());
    parent.file(at + "tokenizer_config.json", tokenizer_config().dump());
    return parent / name;
  }
};

}  // namespace selene::testing
