#include "model/weights.h"

#include <gtest/gtest.h>

#include <ggml.h>

#include <cstring>
#include <functional>

#include "core/error.h"
#include "model/huggingface_config.h"
#include "model/tiny_llama.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using testing::GgufBuilder;
using testing::message_of;
using testing::TemporaryFolder;
using testing::TinyLlama;

std::vector<float> read(const Weights& weights, const std::string& name) {
  for (const WeightInfo& info : weights.tensors()) {
    if (info.name != name) continue;
    std::vector<float> out(info.rows * info.columns);
    weights.read(name, out);
    return out;
  }
  return {};
}

void expect_same(const Weights& weights, const TinyLlama& tiny) {
  const std::vector<TinyLlama::Tensor> expected = tiny.tensors();
  ASSERT_EQ(weights.tensors().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(weights.tensors()[i].name, expected[i].name);
    EXPECT_EQ(weights.tensors()[i].rows, expected[i].rows);
    EXPECT_EQ(weights.tensors()[i].type, "f32");
    EXPECT_EQ(read(weights, expected[i].name), expected[i].numbers) << expected[i].name;
  }
}

void expect_shape(const LlamaConfig& config, const TinyLlama& tiny) {
  EXPECT_EQ(config.layers, tiny.layers);
  EXPECT_EQ(config.width, tiny.width);
  EXPECT_EQ(config.heads, tiny.heads);
  EXPECT_EQ(config.kv_heads, tiny.kv_heads);
  EXPECT_EQ(config.head_size, tiny.head_size);
  EXPECT_EQ(config.feed_forward, tiny.feed_forward);
  EXPECT_EQ(config.vocabulary, tiny.vocabulary());
  EXPECT_EQ(config.context_length, tiny.context);
  EXPECT_EQ(config.rms_epsilon, 1e-5f);
  EXPECT_EQ(config.rope_base, 500000.0);
  EXPECT_EQ(config.tied_embeddings, tiny.tied);
  EXPECT_EQ(config.rope_factors, tiny.scaled ? tiny.factors() : std::vector<float>());
}

TEST(Weights, AGgufAndAFolderOfAModelAreTheSame) {
  for (const bool tied : {false, true}) {
    for (const std::uint64_t head_size : {8u, 4u}) {
      const TemporaryFolder folder;
      TinyLlama tiny{.head_size = head_size, .tied = tied, .scaled = head_size == 8};
      const auto gguf = open_weights(folder.file("a.gguf", tiny.gguf().build()));
      const auto hugging_face = open_weights(tiny.folder(folder));
      expect_shape(gguf->config(), tiny);
      expect_shape(hugging_face->config(), tiny);
      expect_same(*gguf, tiny);
      expect_same(*hugging_face, tiny);
    }
  }
}

TEST(Weights, ShardsAreReadTogether) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const std::filesystem::path hugging_face = tiny.folder(folder);
  std::filesystem::remove(hugging_face / "model.safetensors");
  std::vector<TinyLlama::Tensor> all = tiny.tensors();
  std::vector<TinyLlama::Tensor> first(all.begin(), all.begin() + 5);
  std::vector<TinyLlama::Tensor> second(all.begin() + 5, all.end());
  folder.file("hf/one.safetensors", TinyLlama::safetensors(first));
  folder.file("hf/two.safetensors", TinyLlama::safetensors(second));
  nlohmann::json map;
  for (const auto& tensor : first) map[tensor.name] = "one.safetensors";
  for (const auto& tensor : second) map[tensor.name] = "two.safetensors";
  const nlohmann::json index{{"weight_map", map}};
  folder.file("hf/model.safetensors.index.json", index.dump());
  expect_same(*open_weights(hugging_face), tiny);

  std::filesystem::remove(hugging_face / "two.safetensors");
  EXPECT_EQ(message_of<Error>([&] { open_weights(hugging_face); }),
            (hugging_face / "two.safetensors").string() +
                ": it is named by model.safetensors.index.json and not there; fetch it too");
  map["a"] = "../one.safetensors";
  const nlohmann::json outside{{"weight_map", map}};
  folder.file("hf/model.safetensors.index.json", outside.dump());
  EXPECT_EQ(message_of<Error>([&] { open_weights(hugging_face); }),
            (hugging_face / "model.safetensors.index.json").string() +
                ": 'a' is in no file with a plain name");
}

// Every type of number that ggml can write, as it reads it.
TEST(Weights, EveryQuantisationIsReadAsGgmlReadsIt) {
  const TinyLlama tiny{.layers = 1,
                       .width = 256,
                       .heads = 1,
                       .kv_heads = 1,
                       .head_size = 64,
                       .feed_forward = 32,
                       .scaled = false};
  int types = 0;
  for (int number = 0; number < GGML_TYPE_COUNT; ++number) {
    const auto type = static_cast<ggml_type>(number);
    const bool is_float = type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
    if ((!is_float && !ggml_is_quantized(type)) ||
        (type != GGML_TYPE_F32 && ggml_get_type_traits(type)->to_float == nullptr)) {
      continue;
    }
    ++types;
    GgufBuilder file = tiny.metadata();
    std::map<std::string, std::vector<float>> expected;
    for (const TinyLlama::Tensor& tensor : tiny.tensors()) {
      const std::vector<float> numbers = tiny.gguf_order(tensor);
      // Rows that fill the largest block; the vocabulary would only take time.
      if (tensor.columns != 256 || tensor.rows == 1 || tensor.rows > 64) {
        std::vector<std::uint64_t> shape{tensor.columns};
        if (tensor.rows > 1) shape.push_back(tensor.rows);
        file.floats(tensor.gguf_name, shape, numbers);
        continue;
      }
      // Any bytes are numbers in these formats; with none of 0x60 and more every scale is finite.
      std::string bytes(ggml_row_size(type, 256) * tensor.rows, '\0');
      std::uint32_t state = static_cast<std::uint32_t>(number) + 1;
      for (char& byte : bytes) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<char>((state >> 24) % 0x60);
      }
      std::vector<float>& back = expected[tensor.name];
      back.resize(numbers.size());
      if (type == GGML_TYPE_F32) {
        std::memcpy(back.data(), bytes.data(), bytes.size());
      } else {
        ggml_get_type_traits(type)->to_float(bytes.data(), back.data(),
                                             static_cast<std::int64_t>(back.size()));
      }
      file.tensor(tensor.gguf_name, {256, tensor.rows}, number, bytes);
    }
    const TemporaryFolder folder;
    const auto weights = open_weights(folder.file("a.gguf", file.build()));
    EXPECT_EQ(weights->tensors()[2].type, ggml_type_name(type));
    for (const char* name :
         {"model.layers.0.self_attn.v_proj.weight", "model.layers.0.mlp.up_proj.weight"})
      EXPECT_EQ(read(*weights, name), expected[name]) << ggml_type_name(type);
    // A row of q, from the place that GGUF has it at.
    const std::vector<float> q = read(*weights, "model.layers.0.self_attn.q_proj.weight");
    const std::vector<float>& turned = expected["model.layers.0.self_attn.q_proj.weight"];
    const auto row = [](const std::vector<float>& matrix, long at) {
      return std::vector<float>(matrix.begin() + at * 256, matrix.begin() + (at + 1) * 256);
    };
    EXPECT_EQ(row(q, 33), row(turned, 3)) << ggml_type_name(type);
  }
  EXPECT_GE(types, 26);
}

std::string gguf_problem(const std::function<void(GgufBuilder&)>& change) {
  const TemporaryFolder folder;
  GgufBuilder file = TinyLlama().gguf();
  change(file);
  const std::filesystem::path path = folder.file("a.gguf", file.build());
  const std::string message = message_of<Error>([&] { open_weights(path); });
  return message.empty() ? "" : message.substr(path.string().size() + 2);
}

void replace_text(GgufBuilder& file, const std::string& key, const std::string& value) {
  GgufBuilder other;
  other.text(key, value);
  for (std::string& entry : file.entries) {
    if (entry.find(key) == 8) entry = other.entries[0];
  }
}

TEST(Weights, AGgufOfAnotherKindIsNamed) {
  EXPECT_EQ(gguf_problem([](GgufBuilder&) {}), "");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { replace_text(f, "general.architecture", "qwen3"); }),
            "the architecture 'qwen3' is not read; only GGUF files of the architecture 'llama' can "
            "be read");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { replace_text(f, "general.type", "adapter"); }),
            "it is an adapter, no model; merge it into its model: selene models merge BASE ADAPTER "
            "OUT");
  for (const char* scaling : {"yarn", "linear", "longrope"}) {
    EXPECT_EQ(gguf_problem([&](GgufBuilder& f) { f.text("llama.rope.scaling.type", scaling); }),
              fmt::format("the RoPE scaling '{}' is not read; only the default and 'llama3' are",
                          scaling));
  }
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { f.f32("llama.rope.scaling.factor", 4); }),
            "the RoPE scaling 'linear' (llama.rope.scaling.factor) is not read; only the default "
            "and 'llama3' are");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { f.u32("llama.expert_count", 8); }),
            "it is a mixture of experts, which is not read; only GGUF files of the architecture "
            "'llama' can be read");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { f.u32("split.count", 3); }),
            "it is one part of several; join them first: llama-gguf-split --merge PART OUT");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) {
              f.floats("blk.0.attn_q.bias", {32}, std::vector<float>(32));
            }),
            "the tensor 'blk.0.attn_q.bias' is not read: a model without biases has none; only "
            "GGUF files of the architecture 'llama' can be read");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { f.tensors.erase(f.tensors.begin() + 3); }),
            "it has no tensor 'blk.0.attn_k.weight'");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) {
              std::swap(f.tensors[2].shape, f.tensors[3].shape);
              std::swap(f.tensors[2].bytes, f.tensors[3].bytes);
            }),
            "the tensor 'blk.0.attn_q.weight' has 16 rows of 32, expected 32 of 32");
}

TEST(Weights, AGgufThatIsCutShortIsRefusedWithBothSizes) {
  const TemporaryFolder folder;
  const std::string whole = TinyLlama().gguf().build();
  const std::filesystem::path path = folder.file("a.gguf", whole.substr(0, whole.size() - 100));
  EXPECT_NE(message_of<Error>([&] { open_weights(path); })
                .find(fmt::format("a.gguf: truncated: the file has {} bytes, its tensors need",
                                  whole.size() - 100)),
            std::string::npos);
}

TEST(Weights, NumbersThatAreNotFiniteAreRefused) {
  const TemporaryFolder folder;
  GgufBuilder file = TinyLlama().gguf();
  for (char& byte : file.tensors[1].bytes) byte = '\xff';
  const auto weights = open_weights(folder.file("a.gguf", file.build()));
  std::vector<float> out(32);
  EXPECT_EQ(message_of<Error>([&] { weights->read("model.layers.0.input_layernorm.weight", out); }),
            (folder / "a.gguf").string() +
                ": the tensor 'model.layers.0.input_layernorm.weight' holds numbers that are not "
                "finite");
  EXPECT_EQ(message_of<Error>([&] { weights->read("lm_tail", out); }),
            (folder / "a.gguf").string() + ": there is no tensor 'lm_tail'");
}

std::string config_problem(const std::function<void(nlohmann::json&)>& change) {
  nlohmann::json json = TinyLlama().config();
  change(json);
  const std::string text = json.dump();
  return message_of<Error>([&] { read_huggingface_config(text); });
}

TEST(Weights, AFolderOfAnotherKindIsNamed) {
  using Json = nlohmann::json;
  const std::string family =
      "; only the Llama family can be read: LlamaForCausalLM and MistralForCausalLM";
  EXPECT_EQ(config_problem([](Json&) {}), "");
  EXPECT_EQ(config_problem([](Json& c) {
              c["architectures"] = {"Qwen3ForCausalLM"};
              c["model_type"] = "qwen3";
            }),
            "the architecture 'Qwen3ForCausalLM' is not read" + family);
  for (const char* type : {"yarn", "linear", "dynamic", "longrope"}) {
    EXPECT_EQ(
        config_problem([&](Json& c) {
          c["rope_scaling"] = {{"type", type}, {"factor", 2}};
        }),
        fmt::format("the RoPE scaling '{}' is not read; only the default and 'llama3' are", type));
  }
  EXPECT_EQ(config_problem([](Json& c) { c["attention_bias"] = true; }),
            "it has biases (attention_bias), which are not read" + family);
  EXPECT_EQ(config_problem([](Json& c) { c["num_local_experts"] = 8; }),
            "it is a mixture of experts (num_local_experts), which is not read" + family);
  EXPECT_EQ(config_problem([](Json& c) { c["sliding_window"] = 4096; }),
            "it has a sliding window of attention, which is not read" + family);
  EXPECT_EQ(config_problem([](Json& c) { c["hidden_act"] = "gelu"; }),
            "its activation is 'gelu', which is not read" + family);
  EXPECT_EQ(config_problem([](Json& c) {
              c["quantization_config"] = {{"bits", 4}};
            }),
            "its weights are quantised (quantization_config), which is not read; take the model in "
            "bfloat16, or a GGUF of it");
  EXPECT_EQ(config_problem([](Json& c) { c.erase("hidden_size"); }), "it has no 'hidden_size'");
  EXPECT_EQ(config_problem([](Json& c) { c["hidden_size"] = "big"; }),
            "'hidden_size' is not a whole number of at least 0");
  EXPECT_EQ(message_of<Error>([] { read_huggingface_config("nonsense"); }),
            "it is not valid JSON; fetch or copy the file again");
}

TEST(Weights, TheNewerWordsForRopeAreRead) {
  nlohmann::json json = TinyLlama().config();
  json["rope_parameters"] = json["rope_scaling"];
  json["rope_parameters"]["rope_theta"] = 250000.0;
  json.erase("rope_scaling");
  json.erase("rope_theta");
  const LlamaConfig config = read_huggingface_config(json.dump());
  EXPECT_EQ(config.rope_base, 250000.0);
  EXPECT_EQ(config.rope_factors.size(), 4u);
}

TEST(Weights, AFolderThatIsNotWholeIsRefused) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const std::filesystem::path path = tiny.folder(folder);
  const std::string whole = testing::slurp(path / "model.safetensors");
  folder.file("hf/model.safetensors", whole.substr(0, whole.size() - 10));
  EXPECT_NE(message_of<Error>([&] {
              open_weights(path);
            }).find("model.safetensors: truncated: its tensors need"),
            std::string::npos);
  std::vector<TinyLlama::Tensor> tensors = tiny.tensors();
  tensors.pop_back();
  folder.file("hf/model.safetensors", TinyLlama::safetensors(tensors));
  EXPECT_EQ(message_of<Error>([&] { open_weights(path); }),
            path.string() + ": it has no tensor 'lm_head.weight'; fetch or copy the folder again");
  tensors = tiny.tensors();
  tensors.push_back({"model.layers.0.mlp.up_proj.bias", "", 1, 1, 0, {1.0f}});
  folder.file("hf/model.safetensors", TinyLlama::safetensors(tensors));
  EXPECT_NE(message_of<Error>([&] { open_weights(path); })
                .find("the tensor 'model.layers.0.mlp.up_proj.bias' is not read: a model without "
                      "biases has none"),
            std::string::npos);
  std::filesystem::remove(path / "model.safetensors");
  folder.file("hf/pytorch_model.bin", "");
  EXPECT_EQ(message_of<Error>([&] { open_weights(path); }),
            path.string() +
                ": it has pytorch_model.bin and no *.safetensors; save it as "
                "safetensors: a pickled file can run any code");
  EXPECT_EQ(message_of<Error>([&] { open_weights(folder.path()); }),
            folder.path().string() +
                ": it has no config.json; give a GGUF file or the folder of a model for "
                "transformers");
}

}  // namespace
}  // namespace selene::model
