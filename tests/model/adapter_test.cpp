#include "model/adapter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/error.h"
#include "model/gguf_layout.h"
#include "model/tiny_llama.h"
#include "model/weights.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::GgufBuilder;
using testing::message_of;
using testing::TemporaryFolder;
using testing::TinyLlama;

LlamaConfig shape() {
  const TemporaryFolder folder;
  return open_weights(folder.file("a.gguf", TinyLlama().gguf().build()))->config();
}

// Rank 2 on q and down of both layers.
LoraAdapter adapter_of(const TinyLlama& tiny) {
  LoraAdapter adapter{.rank = 2, .alpha = 16};
  std::uint32_t salt = 100;
  for (const TinyLlama::Tensor& tensor : tiny.tensors()) {
    if (tensor.name.find("q_proj") == std::string::npos &&
        tensor.name.find("down_proj") == std::string::npos) {
      continue;
    }
    adapter.matrices.push_back({tensor.name, tensor.columns, tensor.rows,
                                tiny.random(2 * tensor.columns, ++salt),
                                tiny.random(2 * tensor.rows, ++salt)});
  }
  return adapter;
}

void expect_same(const LoraAdapter& a, const LoraAdapter& b) {
  EXPECT_EQ(a.rank, b.rank);
  EXPECT_EQ(a.alpha, b.alpha);
  ASSERT_EQ(a.matrices.size(), b.matrices.size());
  for (size_t i = 0; i < a.matrices.size(); ++i) {
    EXPECT_EQ(a.matrices[i].name, b.matrices[i].name);
    EXPECT_EQ(a.matrices[i].in, b.matrices[i].in);
    EXPECT_EQ(a.matrices[i].out, b.matrices[i].out);
    EXPECT_EQ(a.matrices[i].a, b.matrices[i].a);
    EXPECT_EQ(a.matrices[i].b, b.matrices[i].b);
  }
}

TEST(Adapter, ComesBackFromAGgufAndFromAFolder) {
  const TemporaryFolder folder;
  const LoraAdapter adapter = adapter_of({});
  write_adapter_gguf(folder / "a.gguf", adapter, shape());
  expect_same(read_adapter(folder / "a.gguf", shape()), adapter);
  write_peft_folder(folder / "peft", adapter, shape(), "tiny");
  expect_same(read_adapter(folder / "peft", shape()), adapter);
}

TEST(Adapter, ItsRowsOfQArePermutedAsThoseOfTheWeight) {
  // llama.cpp adds B A to its own q: row for row, B must stand as q does.
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const LoraAdapter adapter = adapter_of(tiny);
  write_adapter_gguf(folder / "a.gguf", adapter, shape());
  const std::string bytes = testing::slurp(folder / "a.gguf");
  const GgufLayout layout = read_gguf_layout(bytes);
  ASSERT_EQ(layout.tensors[1].name, "blk.0.attn_q.weight.lora_b");
  TinyLlama::Tensor b{
      .rows = 32, .columns = 2, .turned_heads = 4, .numbers = adapter.matrices[0].b};
  const std::vector<float> expected = tiny.gguf_order(b);
  EXPECT_EQ(layout.tensors[1].bytes,
            std::string_view(reinterpret_cast<const char*>(expected.data()), 32 * 2 * 4));
  EXPECT_EQ(layout.text("adapter.type"), "lora");
  EXPECT_EQ(layout.text("general.type"), "adapter");
}

TEST(Adapter, MergedIsTheWeightAndItsChange) {
  LoraAdapter adapter{.rank = 2, .alpha = 6};
  // B A by hand: (1 2 / 3 4) (1 0 2 / 0 1 1) = (1 2 4 / 3 4 10); alpha / rank = 3.
  adapter.matrices.push_back({"w", 3, 2, {1, 0, 2, 0, 1, 1}, {1, 2, 3, 4}});
  std::vector<float> weight{1, 1, 1, 2, 2, 2};
  add_adapter(adapter, "w", weight);
  EXPECT_EQ(weight, (std::vector<float>{4, 7, 13, 11, 14, 32}));
  add_adapter(adapter, "other", weight);
  EXPECT_EQ(weight[0], 4);
}

TEST(Adapter, SaysWhatItIs) {
  const TemporaryFolder folder;
  write_adapter_gguf(folder / "a.gguf", adapter_of({}), shape());
  write_peft_folder(folder / "peft", adapter_of({}), shape(), "the/base");
  EXPECT_TRUE(is_adapter(folder / "a.gguf"));
  EXPECT_TRUE(is_adapter(folder / "peft"));
  EXPECT_FALSE(is_adapter(folder / "none"));
  const AdapterFacts gguf = inspect_adapter(folder / "a.gguf");
  const AdapterFacts peft = inspect_adapter(folder / "peft");
  EXPECT_EQ(gguf.kind, "GGUF");
  EXPECT_EQ(peft.base, "the/base");
  for (const AdapterFacts& facts : {gguf, peft}) {
    EXPECT_EQ(facts.rank, 2u);
    EXPECT_EQ(facts.alpha, 16);
    EXPECT_EQ(facts.matrices, 4u);
    EXPECT_EQ(facts.parameters, 2u * (2 * (32 + 32) + 2 * (64 + 32)));
    EXPECT_EQ(facts.targets, (std::vector<std::string>{"down_proj", "q_proj"}));
  }
}

TEST(Adapter, AFolderNamesTheModulesThatItChanges) {
  const TemporaryFolder folder;
  LoraAdapter adapter = adapter_of({});
  write_peft_folder(folder / "peft", adapter, shape(), "tiny");
  const auto targets = [&] {
    return Json::parse(testing::slurp(folder / "peft" / "adapter_config.json"))["target_modules"];
  };
  EXPECT_EQ(targets(), Json::parse(R"(["down_proj","q_proj"])"));
  adapter.matrices.pop_back();  // Not in every layer: full names.
  write_peft_folder(folder / "peft", adapter, shape(), "tiny");
  EXPECT_EQ(targets()[0], "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(targets().size(), 3u);
}

TEST(Adapter, RankStabilisedScaleBecomesAnAlphaOfOurs) {
  const TemporaryFolder folder;
  write_peft_folder(folder / "peft", adapter_of({}), shape(), "tiny");
  Json config = Json::parse(testing::slurp(folder / "peft" / "adapter_config.json"));
  config["use_rslora"] = true;
  folder.file("peft/adapter_config.json", config.dump());
  EXPECT_DOUBLE_EQ(read_adapter(folder / "peft", shape()).alpha, 16 * std::sqrt(2.0));
}

std::string peft_problem(const std::function<void(Json&)>& change) {
  const TemporaryFolder folder;
  write_peft_folder(folder / "peft", adapter_of({}), shape(), "tiny");
  Json config = Json::parse(testing::slurp(folder / "peft" / "adapter_config.json"));
  change(config);
  folder.file("peft/adapter_config.json", config.dump());
  const std::string message = message_of<Error>([&] { read_adapter(folder / "peft", shape()); });
  const std::string place = (folder / "peft").string();
  return message.starts_with(place) ? message.substr(place.size()) : message;
}

TEST(Adapter, AFolderOfAnotherKindIsNamed) {
  const std::string plain = "; only plain LoRA is read: one rank, one alpha, no biases";
  const std::string config = "/adapter_config.json: ";
  EXPECT_EQ(peft_problem([](Json&) {}), "");
  EXPECT_EQ(peft_problem([](Json& c) { c["use_dora"] = true; }),
            config + "it has 'use_dora', which is not read" + plain);
  EXPECT_EQ(peft_problem([](Json& c) {
              c["rank_pattern"] = {{"q_proj", 8}};
            }),
            config + "it has 'rank_pattern', which is not read" + plain);
  EXPECT_EQ(peft_problem([](Json& c) { c["modules_to_save"] = {"lm_head"}; }),
            config + "it has 'modules_to_save', which is not read" + plain);
  EXPECT_EQ(peft_problem([](Json& c) { c["bias"] = "all"; }),
            config + "it trains biases, which are not read" + plain);
  EXPECT_EQ(peft_problem([](Json& c) { c["peft_type"] = "IA3"; }),
            config + "an adapter of the kind 'IA3' is not read" + plain);
  EXPECT_EQ(peft_problem([](Json& c) { c.erase("r"); }), config + "it lacks 'r' or 'lora_alpha'");
  EXPECT_EQ(peft_problem([](Json& c) { c["r"] = 3; }),
            "/adapter_model.safetensors: the matrices of "
            "'model.layers.0.mlp.down_proj.weight' are not of the rank 3 of adapter_config.json");
}

TEST(Adapter, OneForAnotherModelIsRefused) {
  const TemporaryFolder folder;
  LoraAdapter adapter = adapter_of({});
  LlamaConfig wider = shape();
  write_adapter_gguf(folder / "a.gguf", adapter, shape());
  wider.feed_forward = 96;
  EXPECT_EQ(
      message_of<Error>([&] { read_adapter(folder / "a.gguf", wider); }),
      (folder / "a.gguf").string() +
          ": its change of 'model.layers.0.mlp.down_proj.weight' is 32 x 64, the model has 32 "
          "x 96; give the model that the adapter is for");
  LlamaConfig shallow = shape();
  shallow.layers = 1;
  EXPECT_NE(message_of<Error>([&] {
              read_adapter(folder / "a.gguf", shallow);
            }).find("which is no matrix of this model that an adapter can change"),
            std::string::npos);
  adapter.matrices[0].a.pop_back();
  EXPECT_EQ(message_of<Error>([&] { write_adapter_gguf(folder / "b.gguf", adapter, shape()); }),
            "its change of 'model.layers.0.self_attn.q_proj.weight' is not of the rank 2");
  adapter.matrices.clear();
  EXPECT_EQ(message_of<Error>([&] { write_peft_folder(folder / "p", adapter, shape(), ""); }),
            "the adapter changes nothing: it has no matrices");
}

std::string gguf_problem(const std::function<void(GgufBuilder&)>& change) {
  const TemporaryFolder folder;
  GgufBuilder file;
  file.text("general.architecture", "llama").text("general.type", "adapter");
  file.text("adapter.type", "lora").f32("adapter.lora.alpha", 4);
  file.floats("blk.0.attn_v.weight.lora_a", {32, 1}, std::vector<float>(32));
  file.floats("blk.0.attn_v.weight.lora_b", {1, 16}, std::vector<float>(16));
  change(file);
  const fs::path path = folder.file("a.gguf", file.build());
  const std::string message = message_of<Error>([&] { read_adapter(path, shape()); });
  return message.empty() ? "" : message.substr(path.string().size() + 2);
}

TEST(Adapter, AGgufThatIsNoneIsNamed) {
  EXPECT_EQ(gguf_problem([](GgufBuilder&) {}), "");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { f.tensors.pop_back(); }),
            "damaged: 'model.layers.0.self_attn.v_proj.weight' has one of two matrices");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) { f.tensors[0].name = "blk.0.oddity.weight.lora_a"; }),
            "it changes 'blk.0.oddity.weight', which a Llama model does not have");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) {
              f.floats("blk.0.attn_norm.weight", {32}, std::vector<float>(32));
            }),
            "the tensor 'blk.0.attn_norm.weight' is not read: it is no matrix of LoRA");
  EXPECT_EQ(gguf_problem([](GgufBuilder& f) {
              f.floats("blk.0.attn_k.weight.lora_a", {32, 2}, std::vector<float>(64));
              f.floats("blk.0.attn_k.weight.lora_b", {2, 16}, std::vector<float>(32));
            }),
            "its matrices are of the ranks 2 and 1; one rank is read");
  const TemporaryFolder folder;
  const fs::path model = folder.file("a.gguf", TinyLlama().gguf().build());
  EXPECT_EQ(message_of<Error>([&] { read_adapter(model, shape()); }),
            model.string() +
                ": it is a model, no adapter; give a GGUF adapter or a PEFT folder "
                "(adapter_config.json)");
}

}  // namespace
}  // namespace selene::model
