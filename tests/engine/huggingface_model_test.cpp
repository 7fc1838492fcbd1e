// Models that selene writes, opened by others: llama.cpp, and transformers, tokenizers and PEFT
// where PEERS_PYTHON names a Python that has them.
#include <gtest/gtest.h>
#include <llama-cpp.h>
#include <llama.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "default_model.h"
#include "engine/llama_engine.h"
#include "model/adapter.h"
#include "model/compare.h"
#include "model/gguf_layout.h"
#include "model/mapped_file.h"
#include "model/tiny_llama.h"
#include "model/tokenizer.h"
#include "model/write_model.h"
#include "vocab.h"

namespace selene::engine {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using selene::testing::TemporaryFolder;
using selene::testing::TinyLlama;
using selene::testing::Vocab;

const std::vector<std::string> kTexts = {
    "Hello, world!",
    "",
    " ",
    "  two spaces  and three   here",
    "line\nbreaks\n\n\nand\ttabs\t\t",
    "It's they're WE'VE I'll don't 'tis",
    "1 22 333 4444 55555 3.14159 1,000,000",
    "naïve café, Ångström, ÜBER",
    "你好，世界。今日は良い天気です",
    "Привет, как дела? Καλημέρα",
    "مرحبا بالعالم",
    "emoji 🙂🙃 👩‍👩‍👧‍👦 and ☃︎",
    "def f(x):\n    return x ** 2  # square\n",
    "a" + std::string(40, '!') + std::string(7, '?'),
    "https://example.org/path?query=1&other=two#three",
    "<|im_start|>user\nAn injected turn<|im_end|>",
    "{\"key\": [1, 2.5, null, true]}",
    "trailing space ",
    "\r\nWindows lines\r\n",
    "mixedCASEandNumbers123abc٣٤٥",
};

std::vector<llama_token> llama_ids(const llama_vocab* vocab, const std::string& text) {
  std::vector<llama_token> ids(text.size() + 8);
  const int count =
      llama_tokenize(vocab, text.data(), static_cast<std::int32_t>(text.size()), ids.data(),
                     static_cast<std::int32_t>(ids.size()), /*add_special=*/true,
                     /*parse_special=*/true);
  ids.resize(static_cast<size_t>(std::max(count, 0)));
  return ids;
}

// Rows of logits after each token, from llama.cpp.
std::vector<std::vector<float>> llama_logits(const fs::path& gguf,
                                             const std::vector<llama_token>& ids,
                                             const fs::path& adapter = {}) {
  llama_system_info();  // Silences llama.cpp.
  const llama_model_ptr model(
      llama_model_load_from_file(gguf.c_str(), llama_model_default_params()));
  if (model == nullptr) throw Error("llama.cpp cannot load it", gguf.string());
  llama_context_params params = llama_context_default_params();
  params.n_ctx = 64;
  params.n_outputs_max = 64;
  params.n_threads = params.n_threads_batch = 1;
  const llama_context_ptr context(llama_init_from_model(model.get(), params));
  llama_adapter_lora* lora = nullptr;
  if (!adapter.empty()) {
    lora = llama_adapter_lora_init(model.get(), adapter.c_str());
    if (lora == nullptr) throw Error("llama.cpp cannot load the adapter", adapter.string());
    float scale = 1;
    llama_set_adapters_lora(context.get(), &lora, 1, &scale);
  }
  llama_batch batch = llama_batch_init(64, 0, 1);
  for (const llama_token id : ids) {
    const std::int32_t place = batch.n_tokens++;
    batch.token[place] = id;
    batch.pos[place] = place;
    batch.n_seq_id[place] = 1;
    batch.seq_id[place][0] = 0;
    batch.logits[place] = 1;
  }
  std::vector<std::vector<float>> rows;
  if (llama_decode(context.get(), batch) == 0) {
    for (std::int32_t i = 0; i < batch.n_tokens; ++i) {
      const float* row = llama_get_logits_ith(context.get(), i);
      rows.emplace_back(row, row + llama_vocab_n_tokens(llama_model_get_vocab(model.get())));
    }
  }
  llama_batch_free(batch);
  return rows;
}

double largest_difference(const std::vector<std::vector<float>>& a,
                          const std::vector<std::vector<float>>& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < a[i].size(); ++j)
      largest = std::max(largest, std::fabs(double{a[i][j]} - double{b[i][j]}));
  }
  return largest;
}

void convert(const fs::path& from, const fs::path& to, std::string_view format) {
  const auto weights = model::open_weights(from);
  if (to.extension() == ".gguf") {
    model::write_gguf(to, from, model::weights_of(*weights), format);
  } else {
    model::write_huggingface(to, from, model::weights_of(*weights), format);
  }
}

model::LoraAdapter adapter_of(const TinyLlama& tiny) {
  model::LoraAdapter adapter{.rank = 2, .alpha = 4};
  std::uint32_t salt = 500;
  for (const TinyLlama::Tensor& tensor : tiny.tensors()) {
    if (tensor.name.find("_proj") == std::string::npos) continue;
    adapter.matrices.push_back({tensor.name, tensor.columns, tensor.rows,
                                tiny.random(2 * tensor.columns, ++salt),
                                tiny.random(2 * tensor.rows, ++salt)});
  }
  return adapter;
}

const std::vector<llama_token> kIds = {261, 72, 101, 108, 257, 32, 5, 200, 256, 90, 91, 260, 10};

class ConvertedDefaultModel : public selene::testing::DefaultModelTest {};

TEST_F(ConvertedDefaultModel, ComesBackFromAFolderWithTheSameBytesInEveryTensor) {
  const TemporaryFolder folder;
  convert(path_, folder / "hf", "f32");
  convert(folder / "hf", folder / "back.gguf", "q8_0");
  const model::MappedFile before(path_);
  const model::MappedFile after(folder / "back.gguf");
  const model::GgufLayout a = model::read_gguf_layout(before.bytes());
  const model::GgufLayout b = model::read_gguf_layout(after.bytes());
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const model::GgufTensor& tensor : a.tensors) {
    const auto found = std::find_if(b.tensors.begin(), b.tensors.end(),
                                    [&](const auto& other) { return other.name == tensor.name; });
    ASSERT_NE(found, b.tensors.end()) << tensor.name;
    EXPECT_EQ(found->type, tensor.type) << tensor.name;
    EXPECT_TRUE(found->bytes == tensor.bytes) << tensor.name;
  }
  // All that llama.cpp reads is as it was; what is gone says where the model is from.
  for (const model::GgufEntry& entry : a.entries) {
    const model::GgufEntry* other = b.find(entry.key);
    const bool is_origin = entry.key.starts_with("general.") && entry.key != "general.name" &&
                           entry.key != "general.architecture";
    if (is_origin) continue;
    ASSERT_NE(other, nullptr) << entry.key;
    EXPECT_TRUE(other->record == entry.record) << entry.key;
  }
}

TEST(TinyModel, AdapterOnAndAdapterInAreTheSameToLlamaCpp) {
  const TemporaryFolder folder;
  const TinyLlama tiny;
  const fs::path gguf = folder.file("tiny.gguf", tiny.gguf().build());
  const auto weights = model::open_weights(gguf);
  const model::LoraAdapter adapter = adapter_of(tiny);
  model::write_adapter_gguf(folder / "adapter.gguf", adapter, weights->config());
  model::write_gguf(
      folder / "merged.gguf", gguf,
      [&](const std::string& name, std::span<float> out) {
        weights->read(name, out);
        model::add_adapter(adapter, name, out);
      },
      "f32");
  const auto base = llama_logits(gguf, kIds);
  const auto on = llama_logits(gguf, kIds, folder / "adapter.gguf");
  const auto in = llama_logits(folder / "merged.gguf", kIds);
  ASSERT_EQ(base.size(), kIds.size());
  EXPECT_GT(largest_difference(base, on), 0.01);
  const double difference = largest_difference(on, in);
  RecordProperty("largest_difference", fmt::format("{:.3g}", difference));
  EXPECT_LT(difference, 1e-4);
}

class Peers : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* python = std::getenv("PEERS_PYTHON");
    if (python == nullptr || *python == '\0') {
      GTEST_SKIP() << "SKIPPED: PEERS_PYTHON names no Python with torch, transformers and peft";
    }
    python_ = python;
  }

  Json ask(const std::string& arguments) const {
    const fs::path out = folder_ / "answer.json";
    const std::string command = fmt::format(
        "HF_HUB_OFFLINE=1 '{}' '{}/tests/engine/peers_models.py' {} > '{}' 2> '{}'", python_,
        SELENE_SOURCE_DIR, arguments, out.string(), (folder_ / "log").string());
    if (std::system(command.c_str()) != 0)
      throw std::runtime_error(selene::testing::slurp(folder_ / "log"));
    return Json::parse(selene::testing::slurp(out));
  }

  void expect_same_tokens(const fs::path& gguf, const fs::path& tokenizer) const {
    const Vocab vocab(gguf);
    const fs::path texts = folder_.file("texts.json", Json(kTexts).dump());
    const Json answer = ask(fmt::format("tokens '{}' '{}'", tokenizer.string(), texts.string()));
    ASSERT_EQ(answer["ids"].size(), kTexts.size());
    for (size_t i = 0; i < kTexts.size(); ++i) {
      EXPECT_EQ(answer["ids"][i].get<std::vector<llama_token>>(), llama_ids(vocab.get(), kTexts[i]))
          << kTexts[i];
    }
    EXPECT_EQ(answer["bos"], vocab.bos());
    EXPECT_EQ(answer["eos"], vocab.eos());
  }

  std::vector<std::vector<float>> peers_logits(const fs::path& model, const fs::path& peft) const {
    const fs::path ids = folder_.file("ids.json", Json(kIds).dump());
    return ask(fmt::format("logits '{}' '{}' {}", model.string(), ids.string(),
                           peft.empty() ? "" : fmt::format("'{}'", peft.string())))["logits"]
        .get<std::vector<std::vector<float>>>();
  }

  TemporaryFolder folder_;
  std::string python_;
};

TEST_F(Peers, TransformersSplitsTextAsLlamaCppDoesForTheDefaultModel) {
  fs::path path;
  try {
    path = model::resolve_model("").path;
  } catch (const Error& failure) {
    GTEST_SKIP() << "SKIPPED: " << failure.what();
  }
  convert(path, folder_ / "hf", "bf16");
  expect_same_tokens(path, folder_ / "hf");
}

TEST_F(Peers, TransformersSplitsTextAsLlamaCppDoesForTheVocabularyOfLlama3) {
  const fs::path path = selene::testing::llama_source("models/ggml-vocab-llama-bpe.gguf");
  const model::MappedFile file(path);
  const model::Tokenizer tokenizer =
      model::read_gguf_tokenizer(model::read_gguf_layout(file.bytes()));
  for (const model::FolderFile& part : model::huggingface_tokenizer_files(tokenizer, 8192))
    folder_.file("llama3/" + part.name, part.bytes);
  expect_same_tokens(path, folder_ / "llama3");
  const model::Tokenizer back =
      model::read_huggingface_tokenizer(folder_ / "llama3", tokenizer.tokens.size());
  EXPECT_EQ(back.pre, tokenizer.pre);
  EXPECT_TRUE(back.tokens == tokenizer.tokens);
  EXPECT_TRUE(back.types == tokenizer.types);
  EXPECT_TRUE(back.merges == tokenizer.merges);
}

// Every key and number that llama.cpp's own script writes, but for those that say where a model is
// from.
TEST_F(Peers, AFolderBecomesTheGgufThatTheScriptOfLlamaCppMakesOfIt) {
  fs::path path;
  try {
    path = model::resolve_model("").path;
  } catch (const Error& failure) {
    GTEST_SKIP() << "SKIPPED: " << failure.what();
  }
  const fs::path ours = folder_ / "ours.gguf";
  const fs::path theirs = folder_ / "theirs.gguf";
  convert(path, folder_ / "hf", "bf16");
  convert(folder_ / "hf", ours, "bf16");
  const std::string command =
      fmt::format("HF_HUB_OFFLINE=1 '{}' '{}' '{}' --outfile '{}' --outtype bf16 > '{}' 2>&1",
                  python_, selene::testing::llama_source("convert_hf_to_gguf.py").string(),
                  (folder_ / "hf").string(), theirs.string(), (folder_ / "log").string());
  ASSERT_EQ(std::system(command.c_str()), 0) << selene::testing::slurp(folder_ / "log");
  const model::MappedFile our_file(ours);
  const model::MappedFile their_file(theirs);
  const model::GgufLayout a = model::read_gguf_layout(our_file.bytes());
  const model::GgufLayout b = model::read_gguf_layout(their_file.bytes());
  for (const model::GgufEntry& entry : b.entries) {
    if (entry.key.starts_with("general.") && entry.key != "general.file_type") continue;
    const model::GgufEntry* other = a.find(entry.key);
    ASSERT_NE(other, nullptr) << entry.key;
    EXPECT_TRUE(other->record == entry.record) << entry.key;
  }
  for (const model::GgufEntry& entry : a.entries)
    EXPECT_NE(b.find(entry.key), nullptr) << entry.key;
  EXPECT_TRUE(model::compare_models(ours, theirs).same_numbers());
}

TEST_F(Peers, ATinyModelHasTheSameLogitsInTransformersAndInLlamaCpp) {
  for (const bool tied : {false, true}) {
    const TinyLlama tiny{.tied = tied};
    const fs::path gguf = folder_.file("tiny.gguf", tiny.gguf().build());
    convert(gguf, folder_ / "hf", "f32");
    const double difference =
        largest_difference(peers_logits(folder_ / "hf", {}), llama_logits(gguf, kIds));
    fmt::print("largest difference of logits, tied {}: {:.3g}\n", tied, difference);
    EXPECT_LT(difference, 1e-3);
  }
}

TEST_F(Peers, AnAdapterHasTheSameLogitsInPeftAndInLlamaCpp) {
  const TinyLlama tiny;
  const fs::path gguf = folder_.file("tiny.gguf", tiny.gguf().build());
  convert(gguf, folder_ / "hf", "f32");
  const model::LlamaConfig config = model::open_weights(gguf)->config();
  const model::LoraAdapter adapter = adapter_of(tiny);
  model::write_adapter_gguf(folder_ / "adapter.gguf", adapter, config);
  model::write_peft_folder(folder_ / "peft", adapter, config, (folder_ / "hf").string());
  const double difference = largest_difference(peers_logits(folder_ / "hf", folder_ / "peft"),
                                               llama_logits(gguf, kIds, folder_ / "adapter.gguf"));
  fmt::print("largest difference of logits with an adapter: {:.3g}\n", difference);
  EXPECT_LT(difference, 1e-3);

  ask(fmt::format("merged '{}' '{}' '{}'", (folder_ / "hf").string(), (folder_ / "peft").string(),
                  (folder_ / "theirs").string()));
  const auto theirs = model::open_weights(folder_ / "theirs");
  const auto ours = model::open_weights(gguf);
  for (const model::WeightInfo& tensor : ours->tensors()) {
    std::vector<float> a(tensor.rows * tensor.columns);
    std::vector<float> b(a.size());
    ours->read(tensor.name, a);
    model::add_adapter(adapter, tensor.name, a);
    theirs->read(tensor.name, b);
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-6) << tensor.name;
  }
}

}  // namespace
}  // namespace selene::engine
