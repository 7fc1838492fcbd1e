#include "model/write_model.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "failing_writes.h"
#include "model/compare.h"
#include "model/describe.h"
#include "model/gguf_layout.h"
#include "model/quantize.h"
#include "model/tiny_llama.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;
using testing::message_of;
using testing::slurp;
using testing::TemporaryFolder;
using testing::TinyLlama;

void to_gguf(const fs::path& from, const fs::path& to, std::string_view format) {
  const auto weights = open_weights(from);
  write_gguf(to, from, weights_of(*weights), format);
}

void to_folder(const fs::path& from, const fs::path& to, std::string_view format) {
  const auto weights = open_weights(from);
  write_huggingface(to, from, weights_of(*weights), format);
}

std::string differences(const fs::path& a, const fs::path& b) {
  const ModelDifference difference = compare_models(a, b);
  std::string out;
  for (const TensorDifference& tensor : difference.tensors) {
    if (!tensor.is_same()) out += tensor.name + " ";
  }
  for (const std::string& name : difference.only_a) out += "only A: " + name + " ";
  for (const std::string& name : difference.only_b) out += "only B: " + name + " ";
  for (const std::string& line : difference.metadata) out += line + "\n";
  return out;
}

TEST(WriteModel, RoundTripsAreExactInEachFloatFormat) {
  for (const bool tied : {false, true}) {
    for (const char* format : {"f32", "f16", "bf16"}) {
      const TemporaryFolder folder;
      const fs::path gguf = folder.file("a.gguf", TinyLlama{.tied = tied}.gguf().build());
      to_folder(gguf, folder / "hf", format);
      EXPECT_EQ(differences(gguf, folder / "hf"), "") << format;
      to_gguf(folder / "hf", folder / "b.gguf", format);
      EXPECT_EQ(differences(gguf, folder / "b.gguf"), "") << format;
      // A second time nothing is new, to the byte.
      to_folder(folder / "b.gguf", folder / "hf2", format);
      EXPECT_EQ(slurp(folder / "hf" / "model.safetensors"),
                slurp(folder / "hf2" / "model.safetensors"));
      EXPECT_EQ(slurp(folder / "hf" / "tokenizer.json"), slurp(folder / "hf2" / "tokenizer.json"));
      EXPECT_EQ(slurp(folder / "hf" / "config.json"), slurp(folder / "hf2" / "config.json"));
    }
  }
}

TEST(WriteModel, AFolderWrittenByOthersBecomesTheGgufThatItWasMadeOf) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const fs::path gguf = folder.file("a.gguf", tiny.gguf().build());
  to_gguf(tiny.folder(folder), folder / "b.gguf", "f32");
  EXPECT_EQ(differences(gguf, folder / "b.gguf"), "");
}

TEST(WriteModel, AGgufKeepsItsOrderItsMetadataAndItsBytes) {
  const TemporaryFolder folder;
  testing::GgufBuilder file = TinyLlama().gguf();
  std::swap(file.tensors[0], file.tensors[7]);
  file.text("general.license", "mit");
  const fs::path path = folder.file("a.gguf", file.build());
  to_gguf(path, folder / "b.gguf", "f32");
  EXPECT_EQ(slurp(folder / "b.gguf"), slurp(path));
}

TEST(WriteModel, QuantisedFormatsAreThoseOfQuantize) {
  const TemporaryFolder folder;
  const fs::path path = folder.file("a.gguf", TinyLlama().gguf().build());
  for (const std::string_view format : quantized_formats()) {
    quantize(path, folder / "by_quantize.gguf", format);
    to_gguf(path, folder / "by_write.gguf", format);
    EXPECT_EQ(slurp(folder / "by_write.gguf"), slurp(folder / "by_quantize.gguf")) << format;
  }
}

TEST(WriteModel, RowsThatCannotBeQuantisedStayHalfPrecision) {
  const TemporaryFolder folder;
  const TinyLlama tiny{.width = 48, .heads = 6};
  to_gguf(folder.file("a.gguf", tiny.gguf().build()), folder / "b.gguf", "q8_0");
  const auto weights = open_weights(folder / "b.gguf");
  EXPECT_EQ(weights->tensors()[0].type, "f16");   // Rows of 48.
  EXPECT_EQ(weights->tensors()[1].type, "f32");   // A vector.
  EXPECT_EQ(weights->tensors()[9].type, "q8_0");  // Rows of 64.
}

TEST(WriteModel, HeadsNeedNotMakeUpTheWidth) {
  const TemporaryFolder folder;
  const fs::path gguf = folder.file("a.gguf", TinyLlama{.heads = 6}.gguf().build());
  to_folder(gguf, folder / "hf", "f32");
  EXPECT_EQ(nlohmann::json::parse(slurp(folder / "hf" / "config.json"))["head_dim"], 8);
  to_gguf(folder / "hf", folder / "b.gguf", "f32");
  EXPECT_EQ(differences(gguf, folder / "b.gguf"), "");
}

TEST(WriteModel, TensorsAreAskedForOnceInTheOrderOfTheFile) {
  const TemporaryFolder folder;
  testing::GgufBuilder file = TinyLlama{.layers = 1}.gguf();
  std::swap(file.tensors[0], file.tensors[1]);
  const fs::path path = folder.file("a.gguf", file.build());
  const auto weights = open_weights(path);
  std::vector<std::string> asked;
  write_gguf(
      folder / "b.gguf", path,
      [&](const std::string& name, std::span<float> out) {
        asked.push_back(name);
        weights->read(name, out);
      },
      "f32");
  ASSERT_EQ(asked.size(), weights->tensors().size());
  EXPECT_EQ(asked[0], "model.layers.0.input_layernorm.weight");
  EXPECT_EQ(asked[1], "model.embed_tokens.weight");
}

TEST(WriteModel, ATokenizerThatIsNotKnownComesFromAGguf) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const fs::path path = tiny.folder(folder);
  nlohmann::json json = tiny.tokenizer_json();
  json["normalizer"] = {{"type", "NFC"}};
  folder.file("hf/tokenizer.json", json.dump());
  EXPECT_NE(message_of<Error>([&] {
              to_gguf(path, folder / "b.gguf", "f32");
            }).find("give --tokenizer FILE.gguf"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "b.gguf"));
  const fs::path other = folder.file("a.gguf", tiny.gguf().build());
  const auto weights = open_weights(path);
  write_gguf(folder / "b.gguf", path, weights_of(*weights), "f32", {.tokenizer = other});
  EXPECT_EQ(differences(other, folder / "b.gguf"), "");

  const fs::path small = folder.file("c.gguf", testing::tiny_model().build());
  EXPECT_EQ(message_of<Error>([&] {
              write_gguf(folder / "d.gguf", path, weights_of(*weights), "f32",
                         {.tokenizer = small});
            }),
            small.string() +
                ": its tokenizer has 3 tokens, the model 264; take the GGUF of a model "
                "with the same tokenizer");
}

TEST(WriteModel, RopeFactorsOfNoKnownScalingStayInAGguf) {
  const TemporaryFolder folder;
  testing::GgufBuilder file = TinyLlama{.scaled = false}.gguf();
  file.floats("rope_freqs.weight", {4}, {1, 2, 3, 4.5f});
  const fs::path path = folder.file("a.gguf", file.build());
  to_gguf(path, folder / "b.gguf", "f32");
  EXPECT_EQ(differences(path, folder / "b.gguf"), "");
  EXPECT_NE(message_of<Error>([&] {
              to_folder(path, folder / "hf", "f32");
            }).find("its RoPE factors are those of no 'llama3' scaling that is known"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "hf"));
}

TEST(WriteModel, NumbersThatAFormatCannotHoldNameTheTensor) {
  const TemporaryFolder folder;
  const fs::path path = folder.file("a.gguf", TinyLlama().gguf().build());
  const WeightSource large = [](const std::string&, std::span<float> out) {
    std::fill(out.begin(), out.end(), 1e6f);
  };
  EXPECT_EQ(message_of<Error>([&] { write_gguf(folder / "b.gguf", path, large, "f16"); }),
            "model.embed_tokens.weight: holds 1000000, which is more than f16 can keep; give "
            "--format bf16 or f32");
  EXPECT_EQ(message_of<Error>([&] { write_huggingface(folder / "hf", path, large, "f16"); }),
            "model.embed_tokens.weight: holds 1000000, which is more than f16 can keep; give "
            "--format bf16 or f32");
  EXPECT_EQ(message_of<Error>([&] { write_huggingface(folder / "hf", path, large, "q8_0"); }),
            "unknown format 'q8_0'; known: f32, f16, bf16");
  EXPECT_FALSE(fs::exists(folder / "b.gguf"));
  EXPECT_FALSE(fs::exists(folder / "hf"));
}

TEST(WriteModel, AFullDiskLeavesWhatWasThere) {
  const TemporaryFolder folder;
  const fs::path path = folder.file("a.gguf", TinyLlama().gguf().build());
  to_folder(path, folder / "hf", "f32");
  folder.file("b.gguf", "before");
  const std::string before = slurp(folder / "hf" / "model.safetensors");
  {
    const testing::FailingWrites small(50'000);
    EXPECT_NE(
        message_of<Error>([&] { to_gguf(path, folder / "b.gguf", "f32"); }).find("cannot write"),
        std::string::npos);
    EXPECT_NE(
        message_of<Error>([&] { to_folder(path, folder / "hf", "bf16"); }).find("cannot write"),
        std::string::npos);
  }
  EXPECT_EQ(slurp(folder / "b.gguf"), "before");
  EXPECT_EQ(slurp(folder / "hf" / "model.safetensors"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 3);
}

TEST(WriteModel, NoFolderOfAnotherKindIsReplaced) {
  const TemporaryFolder folder;
  const fs::path path = folder.file("a.gguf", TinyLlama().gguf().build());
  folder.file("mine/letters.txt", "dear");
  EXPECT_EQ(message_of<Error>([&] { to_folder(path, folder / "mine", "f32"); }),
            (folder / "mine").string() +
                ": the folder has no config.json, so it is not replaced; name another folder");
  to_folder(path, folder / "hf", "f32");
  to_folder(path, folder / "hf/", "bf16");  // Over itself.
  EXPECT_EQ(open_weights(folder / "hf")->tensors()[0].type, "bf16");
  const auto weights = open_weights(path);
  EXPECT_EQ(message_of<Error>([&] {
              write_huggingface(folder / "hf", path, weights_of(*weights), "f32",
                                {.overwrite = false});
            }),
            (folder / "hf").string() +
                ": the output folder exists; give --overwrite or name another folder");
}

TEST(WriteModel, ALargeModelIsCutIntoShardsWithAnIndex) {
  const TemporaryFolder folder;
  const fs::path path = folder.file("a.gguf", TinyLlama().gguf().build());
  const auto weights = open_weights(path);
  write_huggingface(folder / "hf", path, weights_of(*weights), "f32", {.shard_bytes = 50'000});
  const auto index = nlohmann::json::parse(slurp(folder / "hf" / "model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], 35488 * 4);
  EXPECT_EQ(index["weight_map"]["model.embed_tokens.weight"], "model-00001-of-00004.safetensors");
  EXPECT_EQ(index["weight_map"]["lm_head.weight"], "model-00004-of-00004.safetensors");
  EXPECT_FALSE(fs::exists(folder / "hf" / "model.safetensors"));
  EXPECT_EQ(differences(path, folder / "hf"), "");
}

TEST(WriteModel, FoldersKeepTheirOwnWordsAndFiles) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const fs::path path = tiny.folder(folder);
  folder.file("hf/README.md", "a card");
  to_folder(path, folder / "out", "bf16");
  EXPECT_EQ(slurp(folder / "out" / "README.md"), "a card");
  EXPECT_EQ(slurp(folder / "out" / "tokenizer.json"), slurp(path / "tokenizer.json"));
  const auto config = nlohmann::json::parse(slurp(folder / "out" / "config.json"));
  EXPECT_EQ(config["torch_dtype"], "bfloat16");
  EXPECT_EQ(config["rope_scaling"], tiny.config()["rope_scaling"]);
}

TEST(CompareModels, SaysWhichNumbersAndWhichMetadataDiffer) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const fs::path a = folder.file("a.gguf", tiny.gguf().build());
  testing::GgufBuilder changed = tiny.gguf();
  const std::string half = testing::le(0.5f);
  changed.tensors[1].bytes.replace(4, 4, half);
  changed.text("general.license", "mit");
  const fs::path b = folder.file("b.gguf", changed.build());
  const ModelDifference difference = compare_models(a, b);
  EXPECT_FALSE(difference.same_numbers());
  const TensorDifference& norm = difference.tensors[1];
  const double before = tiny.tensors()[1].numbers[1];
  EXPECT_EQ(norm.differing, 1u);
  EXPECT_DOUBLE_EQ(norm.largest, 0.5 - before);
  EXPECT_DOUBLE_EQ(norm.mean, (0.5 - before) / 32);
  EXPECT_TRUE(difference.tensors[2].is_same());
  EXPECT_EQ(difference.metadata, std::vector<std::string>{"general.license: none and 'mit'"});

  const fs::path tied = folder.file("c.gguf", TinyLlama{.layers = 1, .tied = true}.gguf().build());
  const ModelDifference other = compare_models(a, tied);
  EXPECT_EQ(other.only_a.back(), "lm_head.weight");
  EXPECT_EQ(other.metadata[0], "layers: 2 and 1");
  EXPECT_EQ(other.metadata[1], "tied embeddings: false and true");
}

TEST(DescribeModel, SaysTheSameOfAGgufAndOfItsFolder) {
  const TemporaryFolder folder;
  const fs::path path = folder.file("a.gguf", TinyLlama().gguf().build());
  to_folder(path, folder / "hf", "bf16");
  const ModelFacts gguf = describe_model(path);
  const ModelFacts hugging_face = describe_model(folder / "hf");
  EXPECT_EQ(gguf.kind, "GGUF");
  EXPECT_EQ(hugging_face.kind, "Hugging Face");
  EXPECT_EQ(hugging_face.name, "tiny");
  EXPECT_EQ(gguf.config, hugging_face.config);
  EXPECT_EQ(gguf.parameters, hugging_face.parameters + 4);  // The factors of RoPE.
  ASSERT_EQ(hugging_face.types.size(), 1u);
  EXPECT_EQ(hugging_face.types[0].type, "bf16");
  EXPECT_EQ(hugging_face.types[0].bytes, 2 * hugging_face.parameters);
  EXPECT_EQ(gguf.tokenizer.special, hugging_face.tokenizer.special);
  EXPECT_EQ(gguf.tokenizer.pre, "llama-bpe");
  EXPECT_EQ(gguf.chat_template, hugging_face.chat_template);
}

TEST(DescribeModel, AModelOfAnotherFamilyIsDescribedByItsHeader) {
  const TemporaryFolder folder;
  testing::GgufBuilder file;
  file.text("general.architecture", "qwen3").u32("qwen3.block_count", 3);
  file.floats("token_embd.weight", {32, 2}, std::vector<float>(64));
  const ModelFacts facts = describe_model(folder.file("a.gguf", file.build()));
  EXPECT_FALSE(facts.config);
  EXPECT_EQ(facts.not_read, "the architecture 'qwen3' is not read");
  EXPECT_EQ(facts.parameters, 64u);
}

}  // namespace
}  // namespace selene::model
