// `selene models info`, `convert`, `quantize`, `merge` and `diff`, on a tiny model and on the
// default one.
#include <gtest/gtest.h>

#include "default_model.h"
#include "model/adapter.h"
#include "model/tiny_llama.h"
#include "model/weights.h"
#include "program.h"

namespace selene::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class ModelFiles : public ::testing::Test {
 protected:
  std::string tiny(const TinyLlama& model = {}) const {
    return folder_.file("tiny.gguf", model.gguf().build());
  }
  std::string at(std::string_view name) const { return folder_ / name; }

  TemporaryFolder folder_;
};

TEST_F(ModelFiles, InfoSaysWhatAFileIs) {
  const Finished text = run({"models", "info", tiny()});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.out,
            "name           tiny\n"
            "kind           GGUF, llama, F32\n"
            "parameters     35492 in 22 tensors\n"
            "size           0.15 MB\n"
            "numbers        f32: 22 tensors, 35492 parameters, 0.14 MB\n"
            "shape          2 layers of width 32, 4 heads of 8, 2 of keys and values, feed-forward "
            "64\n"
            "context        256 tokens\n"
            "RoPE           base 500000, scaled as Llama 3.1\n"
            "RMSNorm        epsilon 1e-05\n"
            "embedding      264 rows, apart from the output\n"
            "tokenizer      264 tokens, gpt2 (llama-bpe)\n"
            "               bos <|begin|>, eos <|end|>, pad <|pad|>\n"
            "chat template  43 characters\n");
  const Finished json = run({"models", "info", tiny(), "--format", "json"});
  const Json object = Json::parse(json.out);
  EXPECT_EQ(object["shape"]["layers"], 2);
  EXPECT_EQ(object["tokenizer"]["special"]["bos"], "<|begin|>");
  EXPECT_EQ(object["chat_template"], TinyLlama::chat_template());
}

TEST_F(ModelFiles, ConvertGoesToAFolderAndBack) {
  const Finished to = run({"models", "convert", tiny(), at("hf")});
  ASSERT_EQ(to.exit_code, 0) << to.err;
  EXPECT_EQ(to.out, at("hf") + "\n");
  EXPECT_NE(to.err.find("a Hugging Face folder, 21 tensors in f32"), std::string::npos) << to.err;
  EXPECT_EQ(run({"models", "convert", at("hf"), at("back.gguf"), "--quiet"}).exit_code, 0);
  const Finished same = run({"models", "diff", at("tiny.gguf"), at("back.gguf")});
  EXPECT_EQ(same.exit_code, 0) << same.out;
  EXPECT_EQ(same.out, "0 of 21 tensors have other numbers; the metadata is the same\n");

  const Finished again = run({"models", "convert", tiny(), at("hf")});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.err, "error: " + at("hf") +
                           ": the output folder exists; give --overwrite or name another folder\n");
  EXPECT_EQ(run({"models", "convert", tiny(), at("hf"), "--overwrite"}).exit_code, 0);
  const Finished file = run({"models", "convert", at("hf"), at("back.gguf")});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_EQ(file.err, "error: " + at("back.gguf") +
                          ": the output file exists; give --overwrite or name another file\n");
}

TEST_F(ModelFiles, DiffShowsWhatAFormatChanges) {
  ASSERT_EQ(run({"models", "quantize", tiny(), at("q8.gguf"), "--format", "q8_0"}).exit_code, 0);
  const Finished text = run({"models", "diff", at("tiny.gguf"), at("q8.gguf")});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_NE(text.out.find("model.layers.0.self_attn.q_proj.weight"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("f32 q8_0"), std::string::npos);
  EXPECT_TRUE(text.out.ends_with("tensors have other numbers; the metadata is the same\n"))
      << text.out;
  const Finished json = run({"models", "diff", at("tiny.gguf"), at("q8.gguf"), "--format", "json"});
  EXPECT_EQ(json.exit_code, 1);
  const Json object = Json::parse(json.out);
  EXPECT_EQ(object["same"], false);
  EXPECT_EQ(object["tensors"].size(), 21u);
  EXPECT_GT(object["tensors"][0]["largest"], 0.0);
  EXPECT_EQ(object["tensors"][1]["largest"], 0.0);  // A vector, which stays f32.

  GgufBuilder other = TinyLlama().gguf();
  other.text("general.license", "mit");
  const std::string licensed = folder_.file("b.gguf", other.build());
  EXPECT_EQ(run({"models", "diff", at("tiny.gguf"), licensed}).exit_code, 1);
  EXPECT_EQ(run({"models", "diff", at("tiny.gguf"), licensed, "--numbers"}).exit_code, 0);
  const Finished trouble = run({"models", "diff", at("tiny.gguf"), at("nowhere")});
  EXPECT_EQ(trouble.exit_code, 2);
  EXPECT_TRUE(trouble.err.starts_with("error: ")) << trouble.err;
}

TEST_F(ModelFiles, AdaptersAreConvertedAndMerged) {
  const TinyLlama model;
  const std::string base = tiny();
  const model::LlamaConfig config = model::open_weights(base)->config();
  model::LoraAdapter adapter{.rank = 1, .alpha = 2};
  adapter.matrices.push_back(
      {"model.layers.1.self_attn.q_proj.weight", 32, 32, model.random(32, 7), model.random(32, 8)});
  model::write_adapter_gguf(folder_ / "a.gguf", adapter, config);
  const Finished info = run({"models", "info", at("a.gguf")});
  EXPECT_EQ(info.out,
            "kind           GGUF adapter (LoRA)\n"
            "rank           1, alpha 2\n"
            "parameters     64 in 1 weights' changes\n"
            "targets        q_proj\n"
            "size           0.00 MB\n");
  const Finished without = run({"models", "convert", at("a.gguf"), at("peft")});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_EQ(
      without.err,
      "error: an adapter is converted by the shape of its model; give --base MODEL, the model "
      "that it is for\n");
  ASSERT_EQ(run({"models", "convert", at("a.gguf"), at("peft"), "--base", base}).exit_code, 0);
  ASSERT_EQ(run({"models", "merge", base, at("a.gguf"), at("one.gguf"), "--quiet"}).exit_code, 0);
  ASSERT_EQ(run({"models", "merge", base, at("peft"), at("two.gguf"), "--quiet"}).exit_code, 0);
  EXPECT_EQ(slurp(folder_ / "one.gguf"), slurp(folder_ / "two.gguf"));
  const Finished difference = run({"models", "diff", base, at("one.gguf"), "--format", "json"});
  for (const Json& tensor : Json::parse(difference.out)["tensors"]) {
    EXPECT_EQ(tensor["largest"] > 0.0, tensor["name"] == "model.layers.1.self_attn.q_proj.weight")
        << tensor;
  }
  const Finished wrong = run({"models", "merge", base, base, at("three.gguf")});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_NE(wrong.err.find("it is a model, no adapter"), std::string::npos);
}

TEST_F(ModelFiles, WrongUseIsSaidBeforeAnythingIsWritten) {
  const Finished format = run({"models", "convert", tiny(), at("hf"), "--format", "q8_0"});
  EXPECT_EQ(format.exit_code, 2);
  EXPECT_EQ(format.err,
            "error: a Hugging Face folder is not written in q8_0; name a file OUT.gguf, or give "
            "--format f32, f16 or bf16\n");
  EXPECT_FALSE(fs::exists(folder_ / "hf"));
  const Finished base = run({"models", "convert", tiny(), at("hf"), "--base", at("tiny.gguf")});
  EXPECT_EQ(base.exit_code, 2);
  const Finished other = run({"models", "convert", at("nowhere.gguf"), at("hf")});
  EXPECT_EQ(other.exit_code, 1);
  GgufBuilder qwen;
  qwen.text("general.architecture", "qwen3").floats("a", {32}, std::vector<float>(32));
  const std::string path = folder_.file("qwen.gguf", qwen.build());
  const Finished family = run({"models", "convert", path, at("hf")});
  EXPECT_EQ(family.err, "error: " + path +
                            ": the architecture 'qwen3' is not read; only GGUF files of the "
                            "architecture 'llama' can be read\n");
  // Quantising needs no shape.
  EXPECT_EQ(run({"models", "quantize", path, at("q.gguf"), "--format", "f16"}).exit_code, 0);
}

class DefaultModelFiles : public DefaultModelTest {};

TEST_F(DefaultModelFiles, JudgesWithTheSameBitsAfterAFolderAndBack) {
  const TemporaryFolder folder;
  const std::string hf = folder / "hf";
  const std::string back = folder / "back.gguf";
  ASSERT_EQ(run({"models", "convert", "default", hf, "--quiet"}).exit_code, 0);
  ASSERT_EQ(run({"models", "convert", hf, back, "--format", "q8_0", "--quiet"}).exit_code, 0);
  const Finished same = run({"models", "diff", "default", back, "--numbers", "--quiet"});
  EXPECT_EQ(same.exit_code, 0) << same.out;
  const auto judged = [&](const std::string& model) {
    const Finished finished = judge({source_file("examples/answers.jsonl"), "--judge", model,
                                     "--mode", "verdict", "--no-ledger", "--format", "jsonl"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    std::vector<Json> results;
    for (const Json& row : rows_of(finished.out)) results.push_back(row.at("probabilities"));
    return results;
  };
  const std::vector<Json> before = judged("default");
  EXPECT_EQ(before.size(), 8u);
  EXPECT_EQ(judged(back), before);
}

}  // namespace
}  // namespace selene::testing
