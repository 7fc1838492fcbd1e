// Logits of the default model, dequantised, against Hugging Face's transformers by a golden file,
// and against llama.cpp on the file that is written of it.
#include "train/golden.h"

#include <ATen/ATen.h>
#include <llama-cpp.h>
#include <llama.h>
#include <iostream>

#include "default_model.h"
#include "model/write_model.h"
#include "temporary_folder.h"

namespace selene::train {
namespace {

using testing::golden_prompts;
using testing::GoldenPrompt;
using testing::worst_difference;

class GoldenModel : public testing::DefaultModelTest {};

TEST_F(GoldenModel, LogitsAreThoseOfTransformers) {
  const auto model = make_model(*model::open_weights(path_), {.precision = Precision::F32});
  const auto prompts = golden_prompts("default_logits.json");
  ASSERT_EQ(prompts.size(), 8U);
  const double worst = worst_difference(*model, prompts);
  std::cout << "largest difference from transformers: " << worst << '\n';
  EXPECT_LT(worst, 1e-3);
}

// llama.cpp in fp32 throughout: keys and values as well, which it keeps in fp16 unless told.
class LlamaLogits {
 public:
  explicit LlamaLogits(const std::filesystem::path& path) {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    model_.reset(llama_model_load_from_file(path.c_str(), params));
    if (model_ == nullptr) throw std::runtime_error("llama.cpp cannot load " + path.string());
  }

  // Tokens x vocabulary.
  at::Tensor of(std::vector<Token> tokens) const {
    const auto count = static_cast<std::int32_t>(tokens.size());
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = static_cast<std::uint32_t>(count);
    params.n_outputs_max = params.n_ctx;
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    const llama_context_ptr context(llama_init_from_model(model_.get(), params));
    llama_batch batch = llama_batch_init(count, 0, 1);
    batch.n_tokens = count;
    for (std::int32_t i = 0; i < count; ++i) {
      batch.token[i] = tokens[static_cast<std::size_t>(i)];
      batch.pos[i] = i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    const bool decoded = context != nullptr && llama_decode(context.get(), batch) == 0;
    llama_batch_free(batch);
    if (!decoded) throw std::runtime_error("llama_decode failed");
    const std::int64_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model_.get()));
    at::Tensor logits = at::empty({count, vocabulary}, at::kFloat);
    for (std::int32_t i = 0; i < count; ++i)
      std::copy_n(llama_get_logits_ith(context.get(), i), vocabulary, logits[i].data_ptr<float>());
    return logits;
  }

 private:
  llama_model_ptr model_;
};

double largest(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST_F(GoldenModel, TheWrittenFileHasTheSameLogitsInLlamaCpp) {
  const auto weights = model::open_weights(path_);
  const testing::TemporaryFolder folder;
  model::write_gguf(folder / "f32.gguf", path_, model::weights_of(*weights), "f32");
  const LlamaLogits written(folder / "f32.gguf");
  const auto model = make_model(*weights, {.precision = Precision::F32});
  double worst = 0;
  for (const GoldenPrompt& prompt : golden_prompts("default_logits.json"))
    worst = std::max(
        worst, largest(model->logits(testing::row_of(prompt.tokens)), written.of(prompt.tokens)));
  std::cout << "largest difference from llama.cpp, over all logits: " << worst << '\n';
  EXPECT_LT(worst, 1e-3);
}

}  // namespace
}  // namespace selene::train
