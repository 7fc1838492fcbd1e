#include "train/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "check/failing.h"
#include "temporary_folder.h"

namespace selene::train {
namespace {

using testing::error_of;
using testing::TemporaryFolder;

TrainSettings read(const std::string& yaml) {
  const TemporaryFolder folder;
  TrainSettings settings;
  read_settings(folder.file("train.yaml", yaml), settings);
  return settings;
}

TEST(TrainSettings, AFileIsReadOverTheDefaults) {
  const TrainSettings settings = read(
      "mix: mix\nbatch: 8\nlearning_rate: 2e-5\nprecision: bf16\nlora: {rank: 4, targets: "
      "[q_proj]}\nschedule: linear\n");
  EXPECT_EQ(settings.mix, "mix");
  EXPECT_EQ(settings.batch, 8);
  EXPECT_EQ(settings.optimizer.learning_rate, 2e-5);
  EXPECT_TRUE(settings.learning_rate_given);
  EXPECT_EQ(settings.model.precision, Precision::BF16);
  ASSERT_TRUE(settings.model.lora);
  EXPECT_EQ(settings.model.lora->rank, 4);
  EXPECT_EQ(settings.model.lora->alpha, 32);
  EXPECT_EQ(settings.model.lora->targets, std::vector<std::string>{"q_proj"});
  EXPECT_EQ(settings.optimizer.schedule, Schedule::Linear);
  EXPECT_EQ(settings.epochs, 1);
  check_settings(settings);
}

TEST(TrainSettings, ALossIsASetOfSettingsThatLaterKeysChange) {
  const TrainSettings settings = read("mix: mix\nloss: sft\nnll_weight: 2\n");
  EXPECT_EQ(settings.loss.dpo_weight, 0);
  EXPECT_EQ(settings.loss.nll_weight, 2);
}

TEST(TrainSettings, ErrorsNameFileLineAndKey) {
  const auto has = [](const std::string& yaml, const std::string& line, const std::string& part) {
    const std::string message = error_of([&] { read(yaml); });
    EXPECT_NE(message.find("train.yaml:" + line), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  has("mix: mix\nbach: 8\n", "2", "bach");
  has("mix: mix\nbatch: many\n", "2", "batch");
  has("mix: mix\nprecision: fp8\n", "2", "fp32, bf16 or fp64");
  has("mix: mix\nloss: best\n", "2", "dpo+nll");
  has("mix: mix\nlora: {rang: 4}\n", "2", "rang");
}

TEST(TrainSettings, ValuesThatMakeNoRunAreRefused) {
  const auto has = [](const std::string& yaml, const std::string& part) {
    const std::string message = error_of([&] { check_settings(read(yaml)); });
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  has("batch: 8\n", "no pairs to train on");
  has("mix: mix\nbatch: 0\n", "batch");
  has("mix: mix\nepochs: -1\n", "epochs");
  has("mix: mix\nlearning_rate: .nan\n", "learning_rate");
  has("mix: mix\nwarmup: 1\n", "warmup");
  has("mix: mix\ndpo_weight: 0\nnll_weight: 0\n", "nothing would be learned");
  has("mix: mix\nadapter: a.gguf\n", "--lora");
  has("mix: mix\nlora: {targets: [q_prj]}\n", "there is no weight 'q_prj'");
  has("mix: mix\nlora: {rank: 0}\n", "rank");
}

TEST(TrainSettings, AFlagIsNamedInItsErrors) {
  TrainSettings settings;
  set_setting("learning_rate", "3e-4", "--learning-rate", settings);
  EXPECT_EQ(settings.optimizer.learning_rate, 3e-4);
  const std::string message = error_of([&] { set_setting("batch", "x", "--batch", settings); });
  EXPECT_NE(message.find("--batch"), std::string::npos) << message;
  LoraSettings lora;
  set_lora_setting("targets", "q_proj, v_proj", "--lora-targets", lora);
  EXPECT_EQ(lora.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
}

// What a run's identity is made of: a setting that changes numbers changes it.
TEST(TrainSettings, AsJsonHaveAllThatNumbersDependOn) {
  const nlohmann::ordered_json standard = to_json(read("mix: mix\n"));
  for (const char* change : {"beta: 0.2",
                             "dpo_weight: 2",
                             "nll_weight: 2",
                             "normaliser: sum",
                             "verdict_weight: 2",
                             "precision: bf16",
                             "recompute: true",
                             "seed: 2",
                             "learning_rate: 1e-3",
                             "schedule: linear",
                             "warmup: 0.2",
                             "weight_decay: 0.1",
                             "clip: 2",
                             "batch: 4",
                             "epochs: 2",
                             "steps: 3",
                             "row_tokens: 512",
                             "max_tokens: 100",
                             "pairs: 10",
                             "validation_pairs: 10",
                             "patience: 1",
                             "lora: {}",
                             "lora: {rank: 2}"}) {
    EXPECT_NE(to_json(read("mix: mix\n" + std::string(change) + "\n")), standard) << change;
  }
  EXPECT_EQ(to_json(read("mix: mix\nkeep: 5\nformat: f16\n")), standard);
}

}  // namespace
}  // namespace selene::train
