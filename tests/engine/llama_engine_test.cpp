// What the llama engine says of files before it loads them.
#include "engine/llama_engine.h"

#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/error.h"
#include "model/gguf_builder.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

namespace fs = std::filesystem;
using selene::testing::GgufBuilder;
using selene::testing::message_of;
using selene::testing::TemporaryFolder;
using selene::testing::tiny_model;

class LlamaEngineFiles : public ::testing::Test {
 protected:
  std::string opening(const LlamaOptions& options) const {
    return message_of<Error>([&] { open_llama_engine(options); });
  }
  static GgufBuilder adapter(const std::string& architecture) {
    GgufBuilder file;
    file.text("general.architecture", architecture)
        .text("general.type", "adapter")
        .text("adapter.type", "lora");
    return file;
  }

  TemporaryFolder folder_;
  // Digests of files are remembered there.
  selene::testing::ScopedEnvironment cache_{"SELENE_CACHE", (folder_ / "cache").string()};
  fs::path model_ = folder_.file("tiny.gguf", tiny_model().build());
};

TEST_F(LlamaEngineFiles, AModelIsKnownWithoutLoadingIt) {
  const auto engine = open_llama_engine({.model = model_});
  EXPECT_EQ(engine->id().name, "tiny.gguf");
  EXPECT_EQ(engine->id().model, sha256_file(model_));
  EXPECT_EQ(engine->id().adapter, "");
  EXPECT_EQ(engine->id().options, "date 2024-07-26");
  EXPECT_EQ(engine->context_limit(), 128);
}

TEST_F(LlamaEngineFiles, WhatChangesResultsIsInTheId) {
  const EngineId plain = open_llama_engine({.model = model_})->id();
  EXPECT_NE(open_llama_engine({.model = model_, .date = "2025-01-01"})->id().options,
            plain.options);
  EXPECT_NE(open_llama_engine({.model = model_, .chat_template = "{{ messages }}"})->id().options,
            plain.options);
  EXPECT_NE(open_llama_engine({.model = model_, .exact = false})->id().version, plain.version);
  const fs::path lora = folder_.file("lora.gguf", adapter("llama").build());
  const std::string adapted = open_llama_engine({.model = model_, .adapter = lora})->id().adapter;
  EXPECT_EQ(adapted, sha256_file(lora));
  EXPECT_EQ(
      open_llama_engine({.model = model_, .adapter = lora, .adapter_scale = 0.5})->id().adapter,
      adapted + "*0.5");
}

TEST_F(LlamaEngineFiles, WhatDoesNotChangeResultsIsNotInTheId) {
  const EngineId plain = open_llama_engine({.model = model_})->id();
  const EngineId other = open_llama_engine({.model = model_,
                                            .threads = 1,
                                            .context_tokens = 64,
                                            .kv_mib = 7,
                                            .max_slots = 2,
                                            .batch_tokens = 64,
                                            .mmap = false})
                             ->id();
  EXPECT_EQ(other.model, plain.model);
  EXPECT_EQ(other.version, plain.version);
  EXPECT_EQ(other.options, plain.options);
}

TEST_F(LlamaEngineFiles, TheVersionNamesWhatNumbersDependOn) {
  const std::string version = llama_engine_version(/*gpu=*/false);
  EXPECT_EQ(version.rfind("llama.cpp ", 0), 0u) << version;
  EXPECT_NE(version.find(", numerics "), std::string::npos) << version;
  EXPECT_NE(version.find(", cpu"), std::string::npos) << version;
}

TEST_F(LlamaEngineFiles, IsExactOnTheCpuUnlessToldOtherwise) {
  EXPECT_TRUE(open_llama_engine({.model = model_, .gpu_layers = 0})->exact());
  EXPECT_FALSE(open_llama_engine({.model = model_, .exact = false, .gpu_layers = 0})->exact());
}

TEST_F(LlamaEngineFiles, AnAdapterIsNoModel) {
  const fs::path lora = folder_.file("lora.gguf", adapter("llama").build());
  EXPECT_EQ(opening({.model = lora}),
            lora.string() + ": this file is a LoRA adapter, not a model; give it as --adapter");
}

TEST_F(LlamaEngineFiles, AModelIsNoAdapter) {
  EXPECT_EQ(
      opening({.model = model_, .adapter = model_}),
      model_.string() + ": this file is no LoRA adapter; make one with convert_lora_to_gguf.py");
}

TEST_F(LlamaEngineFiles, AnAdapterIsForItsArchitecture) {
  const fs::path lora = folder_.file("lora.gguf", adapter("qwen2").build());
  EXPECT_EQ(opening({.model = model_, .adapter = lora}),
            lora.string() +
                ": the adapter is for architecture 'qwen2', the model's is 'llama'; give the model "
                "that it was trained on");
}

TEST_F(LlamaEngineFiles, AModelWithoutAChatTemplateNeedsOne) {
  GgufBuilder file;
  file.text("general.architecture", "llama").u32("llama.context_length", 128);
  file.floats("output_norm.weight", {1}, {1});
  const fs::path bare = folder_.file("bare.gguf", file.build());
  EXPECT_EQ(opening({.model = bare}),
            bare.string() + ": the model has no chat template; give one with --chat-template FILE");
  EXPECT_EQ(opening({.model = bare, .chat_template = "{{ messages }}"}), "");
}

TEST_F(LlamaEngineFiles, TheContextIsAtMostWhatTheModelWasTrainedFor) {
  EXPECT_EQ(opening({.model = model_, .context_tokens = 129}),
            model_.string() +
                ": --ctx-size 129 is more than the 128 tokens that the model was trained for");
  EXPECT_EQ(open_llama_engine({.model = model_, .context_tokens = 128})->context_limit(), 128);
}

TEST_F(LlamaEngineFiles, AFileThatIsNoGgufIsRefused) {
  const fs::path other = folder_.file("other.gguf", "no model");
  EXPECT_NE(opening({.model = other}), "");
  EXPECT_NE(opening({.model = folder_ / "missing.gguf"}), "");
}

TEST_F(LlamaEngineFiles, WhyLlamaCppCannotLoadAModelIsSaid) {
  const auto engine = open_llama_engine({.model = model_});
  const std::string message =
      message_of<Error>([&] { engine->context_tokens(std::vector<Request>(1)); });
  const std::string expected = model_.string() + ": llama.cpp cannot load the model: ";
  EXPECT_EQ(message.rfind(expected, 0), 0u) << message;
  EXPECT_GT(message.size(), expected.size());
}

}  // namespace
}  // namespace selene::engine
