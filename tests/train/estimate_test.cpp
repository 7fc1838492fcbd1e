#include "train/estimate.h"

#include <gtest/gtest.h>

#include "check/failing.h"
#include "model/tiny_llama.h"
#include "temporary_folder.h"

namespace selene::train {
namespace {

using testing::error_of;
using testing::TemporaryFolder;

// Llama 3.1 8B, whose parameters are known: 8,030,261,248 (its model card: 8.03B).
model::LlamaConfig llama_8b() {
  model::LlamaConfig config;
  config.layers = 32;
  config.width = 4096;
  config.heads = 32;
  config.kv_heads = 8;
  config.head_size = 128;
  config.feed_forward = 14336;
  config.vocabulary = 128256;
  config.context_length = 131072;
  config.tied_embeddings = false;
  return config;
}

double total(const std::vector<MemoryPart>& parts) {
  double sum = 0;
  for (const MemoryPart& part : parts) sum += part.bytes;
  return sum;
}

TEST(TrainEstimate, CountsParameters) {
  EXPECT_EQ(parameters_of(llama_8b()), 8'030'261'248U);
  // Rank 16 on all seven of each layer: 16 * (in + out) numbers each.
  const std::uint64_t layer = 2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336);
  EXPECT_EQ(lora_parameters_of(llama_8b(), LoraSettings{}), 32 * 16 * layer);
}

// 16 bytes a number in fp32: weight, gradient and two moments.
TEST(TrainEstimate, MemoryOfAFullRunIsSixteenBytesANumberAndActivations) {
  TrainSettings settings;
  const double numbers = 8'030'261'248.0;
  const std::vector<MemoryPart> parts = memory_of(settings, llama_8b(), false, 1);
  EXPECT_EQ(parts[0].bytes + parts[1].bytes + parts[2].bytes, 16 * numbers);
  settings.row_tokens = 4096;
  EXPECT_GT(total(memory_of(settings, llama_8b(), false, 1)), total(parts));
  settings.model.recompute = true;
  EXPECT_LT(total(memory_of(settings, llama_8b(), false, 1)), total(parts));
}

TEST(TrainEstimate, WhatDoesNotFitIsRefusedWithWhatWould) {
  TrainSettings settings;
  const std::string message = error_of([&] { check_memory(settings, llama_8b(), 24'000'000'000); });
  EXPECT_NE(message.find("and this machine has 24.00 GB"), std::string::npos) << message;
  EXPECT_NE(message.find("with --lora as well"), std::string::npos) << message;
  check_memory(settings, llama_8b(), 1'000'000'000'000);
}

TEST(TrainEstimate, OfAModelHereIsMeasured) {
  const TemporaryFolder folder;
  testing::TinyLlama tiny;
  tiny.head_size = 16;
  tiny.scaled = false;
  TrainSettings settings;
  settings.base = folder.file("tiny.gguf", tiny.gguf().build()).string();
  settings.mix = folder / "none";
  settings.assumed_pairs = 1000;
  settings.assumed_tokens = 100;
  settings.row_tokens = 128;
  const std::string text = estimate_text(estimate(settings));
  EXPECT_NE(text.find("pairs: 1000 (assumed); 100000 tokens to compute an epoch"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("memory here: "), std::string::npos) << text;
  EXPECT_NE(text.find("tokens/s measured on one row"), std::string::npos) << text;
  settings.assumed_pairs = 0;
  EXPECT_NE(error_of([&] { estimate(settings); }).find("assumed_pairs"), std::string::npos);
}

TEST(TrainEstimate, OfAShapeIsByFormula) {
  TrainSettings settings;
  settings.base = "a-model-that-is-not-here";
  settings.mix = "a-mix-that-is-not-here";
  settings.assumed_pairs = 577000;
  settings.assumed_tokens = 1000;
  EXPECT_FALSE(error_of([&] { estimate(settings); }).empty());
  settings.shape = llama_8b();
  const std::string text = estimate_text(estimate(settings));
  EXPECT_NE(text.find("8030.3 million numbers in 32 layers (by the shape"), std::string::npos)
      << text;
  EXPECT_NE(text.find("one 80 GB GPU"), std::string::npos) << text;
  EXPECT_NE(text.find("each of 8 such GPUs"), std::string::npos) << text;
  EXPECT_EQ(text.find("measured"), std::string::npos) << text;
}

}  // namespace
}  // namespace selene::train
