#include "model/llama_config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "model/number_format.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

using testing::message_of;

LlamaConfig small() {
  return {.layers = 2,
          .width = 12,
          .heads = 4,
          .kv_heads = 2,
          .head_size = 4,
          .feed_forward = 5,
          .vocabulary = 7,
          .context_length = 9};
}

TEST(LlamaConfig, FrequenciesFallFromOneByTheBase) {
  // base^(-2i / 4): 1 and 10000^(-1/2) = 0.01.
  LlamaConfig config = small();
  EXPECT_FLOAT_EQ(rope_frequencies(config)[0], 1.0f);
  EXPECT_FLOAT_EQ(rope_frequencies(config)[1], 0.01f);
  config.rope_factors = {1, 8};
  EXPECT_FLOAT_EQ(rope_frequencies(config)[0], 1.0f);
  EXPECT_FLOAT_EQ(rope_frequencies(config)[1], 0.00125f);
}

TEST(LlamaConfig, Llama3ScalingLeavesShortWavesAndStretchesLongOnes) {
  // Worked in tiny_llama.h; the third number is the one that torch gives llama.cpp's script.
  EXPECT_EQ(llama3_rope_factors({}, 500000, 8), (std::vector<float>{1, 1, 2.69453f, 8}));
}

TEST(LlamaConfig, TensorsAreAWalkThroughTheModel) {
  const std::vector<LlamaTensor> tensors = llama_tensors(small());
  ASSERT_EQ(tensors.size(), 2u * 9 + 3);
  EXPECT_EQ(tensors[0].name, "model.embed_tokens.weight");
  EXPECT_EQ(tensors[2].name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(tensors[2].gguf_name, "blk.0.attn_q.weight");
  EXPECT_EQ(tensors[2].rows, 16u);  // 4 heads of 4; the width is 12.
  EXPECT_EQ(tensors[2].columns, 12u);
  EXPECT_EQ(tensors[3].rows, 8u);
  EXPECT_EQ(tensors[5].rows, 12u);
  EXPECT_EQ(tensors[5].columns, 16u);
  EXPECT_EQ(tensors[18].name, "model.layers.1.mlp.down_proj.weight");
  EXPECT_EQ(tensors.back().name, "lm_head.weight");
  LlamaConfig tied = small();
  tied.tied_embeddings = true;
  EXPECT_EQ(llama_tensors(tied).back().name, "model.norm.weight");
}

TEST(LlamaConfig, NumbersThatMakeNoModelAreRefused) {
  const auto problem = [](auto change) {
    LlamaConfig config = small();
    change(config);
    return message_of<Error>([&] { check_config(config); });
  };
  EXPECT_EQ(problem([](LlamaConfig&) {}), "");
  EXPECT_EQ(
      problem([](LlamaConfig& c) { c.layers = 0; }),
      "the number of layers is 0, which must be from 1 to 16384; this is no model that can be "
      "read");
  EXPECT_EQ(problem([](LlamaConfig& c) { c.kv_heads = 3; }),
            "4 heads cannot share 3 key and value heads");
  EXPECT_EQ(problem([](LlamaConfig& c) { c.head_size = 3; }),
            "a head has 3 numbers, which must be even");
  EXPECT_EQ(problem([](LlamaConfig& c) { c.rope_base = 0; }),
            "the base of RoPE is not a number above 0");
  EXPECT_EQ(problem([](LlamaConfig& c) { c.rms_epsilon = -1; }),
            "the epsilon of RMSNorm is not a number of at least 0");
  EXPECT_EQ(problem([](LlamaConfig& c) { c.rope_factors = {1}; }), "1 RoPE factors, expected 2");
  EXPECT_EQ(problem([](LlamaConfig& c) {
              c.rope_factors = {1, 0};
            }),
            "a RoPE factor is not a number above 0");
}

TEST(NumberFormat, RowsOfAHeadAreHalvesHereAndNeighboursInGguf) {
  // A head of 4: Hugging Face pairs (0, 2) and (1, 3), llama.cpp (0, 1) and (2, 3).
  EXPECT_EQ(turned_row(0, 4), 0u);
  EXPECT_EQ(turned_row(2, 4), 1u);
  EXPECT_EQ(turned_row(1, 4), 2u);
  EXPECT_EQ(turned_row(3, 4), 3u);
  for (std::uint64_t row = 0; row < 64; ++row) {
    EXPECT_EQ(unturned_row(turned_row(row, 16), 16), row);
    EXPECT_EQ(turned_row(row, 16) / 16, row / 16);
  }
}

TEST(NumberFormat, NumbersThatAFormatCannotHoldAreRefused) {
  const std::vector<float> large(32, 70000.0f);
  EXPECT_EQ(message_of<Error>(
                [&] { encode_numbers(find_number_format("f16", {"f16"}).type, large, 32); }),
            "holds 70000, which is more than f16 can keep; give --format bf16 or f32");
  const std::vector<float> infinite(32, INFINITY);
  EXPECT_EQ(message_of<Error>(
                [&] { encode_numbers(find_number_format("bf16", {"bf16"}).type, infinite, 32); }),
            "holds numbers that are not finite");
  EXPECT_EQ(message_of<Error>([&] { check_finite("w", infinite); }),
            "the tensor 'w' holds numbers that are not finite");
}

}  // namespace
}  // namespace selene::model
