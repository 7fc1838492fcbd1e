#include "train/trainer.h"

#include <gtest/gtest.h>
#include <fstream>

#include "check/failing.h"
#include "core/file.h"
#include "model/tiny_llama.h"
#include "model/write_model.h"
#include "temporary_folder.h"
#include "train/checkpoint.h"

namespace selene::train {
namespace {

using Json = nlohmann::ordered_json;
using testing::error_of;
using testing::TemporaryFolder;

Json pair_row(int number) {
  const std::string question = "Is " + std::to_string(number % 7) + " even? Answer Yes or No.";
  const bool even = number % 7 % 2 == 0;
  const std::string label = even ? "Yes" : "No";
  const std::string other = even ? "No" : "Yes";
  const auto answer = [](const std::string& of) {
    return Json::array({{{"role", "assistant"}, {"content", "**Result:** " + of}}});
  };
  return {{"id", "p" + std::to_string(number)},
          {"prompt", Json::array({{{"role", "user"}, {"content", question}}})},
          {"chosen", answer(label)},
          {"rejected", answer(other)},
          {"label", label},
          {"rejected_label", other},
          {"kind", "verdict"}};
}

std::string rows(int begin, int end) {
  std::string text;
  for (int i = begin; i < end; ++i) text += pair_row(i).dump() + "\n";
  return text;
}

class Training : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::TinyLlama tiny;
    tiny.head_size = 16;
    tiny.scaled = false;
    base_ = folder_.file("base.gguf", tiny.gguf().build());
    folder_.file("mix/train.jsonl", rows(0, 24));
    folder_.file("mix/validation.jsonl", rows(24, 32));
    settings_.mix = (folder_ / "mix").string();
    settings_.batch = 4;
    settings_.epochs = 2;  // 12 steps.
    settings_.optimizer.learning_rate = 2e-3;
    settings_.validate_every = 3;
    settings_.format = "f32";
  }

  // Stops before the step of this number.
  TrainOutcome run(const std::string& out, std::int64_t stop_before = 1 << 30) {
    std::int64_t steps = 0;
    TrainEvents events;
    events.say = [this](const std::string& line) { said_ += line + "\n"; };
    events.work = [](const char*, std::size_t, std::size_t) {};
    events.step = [&](const TrainProgress& at) { steps = at.step; };
    events.stop = [&] { return steps + 1 >= stop_before; };
    Json record;
    std::filesystem::create_directories(folder_ / out);
    return train(settings_, base_, folder_ / out, events, record);
  }
  std::string model_bytes(const std::string& out) {
    return read_file(folder_ / out / "model.gguf");
  }

  TemporaryFolder folder_;
  std::filesystem::path base_;
  TrainSettings settings_;
  std::string said_;
};

TEST_F(Training, LearnsWhatThePairsSay) {
  settings_.epochs = 40;
  settings_.validate_every = 40;
  settings_.optimizer.learning_rate = 5e-3;
  const TrainOutcome outcome = run("a");
  ASSERT_TRUE(outcome.done);
  EXPECT_EQ(outcome.steps, 240);
  EXPECT_LT(outcome.after->loss, outcome.before->loss / 2);
  EXPECT_EQ(outcome.after->verdict_accuracy, 1);
  EXPECT_EQ(outcome.before->margin, 0);
  EXPECT_LT(outcome.tokens, outcome.plain_tokens / 2);
}

TEST_F(Training, TheSameRunGivesTheSameBytes) {
  run("a");
  run("b");
  EXPECT_EQ(model_bytes("a"), model_bytes("b"));
  EXPECT_NE(model_bytes("a"), read_file(base_));
}

TEST_F(Training, AStoppedRunGoesOnToTheSameBytes) {
  for (const bool lora : {false, true}) {
    if (lora) settings_.model.lora = LoraSettings{.rank = 2};
    const std::string straight = lora ? "straight-lora" : "straight";
    const std::string stopped = lora ? "stopped-lora" : "stopped";
    run(straight);
    EXPECT_FALSE(run(stopped, 2).done);
    EXPECT_FALSE(run(stopped, 8).done);
    EXPECT_TRUE(run(stopped).done);
    EXPECT_EQ(model_bytes(straight), model_bytes(stopped)) << lora;
  }
}

// What a kill leaves: a checkpoint that was being written, metrics of later steps, half a record of
// the reference.
TEST_F(Training, GoesOnAfterAKill) {
  run("straight");
  run("killed", 8);
  std::ofstream(folder_ / "killed/checkpoints/step-9.safetensors") << "half";
  std::ofstream(folder_ / "killed/metrics.jsonl", std::ios::app) << R"({"step":8,"loss":1})"
                                                                 << "\n{";
  std::ofstream(folder_ / "killed/reference.bin", std::ios::app) << "half";
  EXPECT_TRUE(run("killed").done);
  EXPECT_EQ(model_bytes("straight"), model_bytes("killed"));
  const auto without_speed = [&](const std::string& name) {
    std::string lines;
    std::istringstream text(read_file(folder_ / name / "metrics.jsonl"));
    for (std::string line; std::getline(text, line);) {
      Json json = Json::parse(line);
      json.erase("tokens_per_second");
      if (!json.contains("gradient_share")) lines += json.dump() + "\n";
    }
    return lines;
  };
  EXPECT_EQ(without_speed("straight"), without_speed("killed"));
}

TEST_F(Training, SmallRowsAddUpToTheSameStep) {
  settings_.model.precision = Precision::F64;
  settings_.steps = 3;
  const auto loss_of = [&](const std::string& name) {
    std::istringstream text(read_file(folder_ / name / "metrics.jsonl"));
    double loss = 0;
    for (std::string line; std::getline(text, line);)
      if (const Json json = Json::parse(line); json.contains("loss")) loss = json["loss"];
    return loss;
  };
  run("whole");
  settings_.row_tokens = 16;
  run("rows");
  EXPECT_NEAR(loss_of("whole"), loss_of("rows"), 1e-9);
}

TEST_F(Training, LoraWritesAdaptersThatMakeTheModel) {
  settings_.model.lora = LoraSettings{.rank = 2};
  run("lora");
  const auto base = model::open_weights(base_);
  const auto merged = model::open_weights(folder_ / "lora/model.gguf");
  const model::LoraAdapter adapter =
      model::read_adapter(folder_ / "lora/adapter.gguf", base->config());
  EXPECT_EQ(adapter.matrices.size(), 14U);
  EXPECT_EQ(model::read_adapter(folder_ / "lora/adapter", base->config()).rank, 2U);
  for (const model::WeightInfo& info : base->tensors()) {
    std::vector<float> expected(info.rows * info.columns);
    std::vector<float> found(expected.size());
    base->read(info.name, expected);
    model::add_adapter(adapter, info.name, expected);
    merged->read(info.name, found);
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-6);
  }
}

TEST_F(Training, AnAdapterIsTrainedFurther) {
  settings_.model.lora = LoraSettings{.rank = 2};
  settings_.validate_every = 12;
  const TrainOutcome first = run("first");
  settings_.adapter = (folder_ / "first/adapter.gguf").string();
  const TrainOutcome second = run("second");
  EXPECT_NEAR(second.before->chosen_log_p, first.after->chosen_log_p, 1e-3);
  settings_.model.lora->rank = 3;
  EXPECT_NE(error_of([&] { run("third"); }).find("--lora-rank"), std::string::npos);
}

TEST_F(Training, EndsEarlyAndKeepsTheBest) {
  settings_.optimizer.learning_rate = 0.3;  // Ruins the model.
  settings_.validate_every = 1;
  settings_.patience = 2;
  const TrainOutcome outcome = run("a");
  EXPECT_TRUE(outcome.done);
  EXPECT_LT(outcome.steps, 12);
  EXPECT_NE(said_.find("no better for 2 validations"), std::string::npos) << said_;
}

TEST_F(Training, OldCheckpointsGo) {
  settings_.checkpoint_every = 1;
  settings_.keep = 2;
  settings_.validation_pairs = 0;
  run("a");
  EXPECT_EQ(Checkpoints(folder_ / "a/checkpoints", "", 2).steps(),
            (std::vector<std::int64_t>{11, 12}));
}

TEST_F(Training, ACheckpointOfAnotherRunIsRefused) {
  run("a", 6);
  settings_.loss.beta = 0.5;
  const std::string message = error_of([&] { run("a"); });
  EXPECT_NE(message.find("of another run"), std::string::npos) << message;
  EXPECT_NE(message.find("--overwrite"), std::string::npos);
}

TEST_F(Training, ADamagedCheckpointIsNamed) {
  run("a", 6);
  std::filesystem::resize_file(folder_ / "a/checkpoints/step-5.safetensors", 1000);
  EXPECT_NE(error_of([&] { run("a"); }).find("step-5.safetensors"), std::string::npos);
}

TEST_F(Training, ALossThatIsNoNumberNamesThePairs) {
  settings_.optimizer.learning_rate = 1e38;
  settings_.optimizer.warmup = 0;
  settings_.validation_pairs = 0;
  const std::string message = error_of([&] { run("a"); });
  EXPECT_NE(message.find("no finite number at step 2, of the pairs p"), std::string::npos)
      << message;
}

// --- Pairs that are none -----------------------------------------------------------------------

class BadPairs : public Training {
 protected:
  std::string error_with(const std::function<void(Json&)>& change) {
    Json row = pair_row(1);
    change(row);
    const auto file = folder_.file("bad.jsonl", pair_row(0).dump() + "\n" + row.dump() + "\n");
    settings_.mix = file.string();
    return error_of([&] { run("bad"); });
  }
};

TEST_F(BadPairs, AreNamedByFileAndLine) {
  const auto has = [&](const std::string& part, const std::function<void(Json&)>& change) {
    const std::string message = error_with(change);
    EXPECT_NE(message.find("bad.jsonl:2"), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  has("'chosen' is missing", [](Json& row) { row.erase("chosen"); });
  has("'prompt' must be a list", [](Json& row) { row["prompt"] = "text"; });
  has("'rejected' is empty", [](Json& row) { row["rejected"][0]["content"] = " "; });
  has("are the same", [](Json& row) { row["rejected"] = row["chosen"]; });
  has("does not end with its label", [](Json& row) { row["label"] = "Maybe"; });
  has("one message of the assistant", [](Json& row) { row["chosen"][0]["role"] = "user"; });
}

TEST_F(BadPairs, NoneIsAnError) {
  settings_.mix = folder_.file("none.jsonl", "").string();
  EXPECT_NE(error_of([&] { run("none"); }).find("there are no pairs"), std::string::npos);
}

TEST_F(BadPairs, LongOnesLoseTheMiddleOfTheirData) {
  Json row = pair_row(1);
  std::string data = "begin ";
  for (int i = 0; i < 400; ++i) data += "é";
  row["prompt"][0]["content"] = "Judge this.\n```\n" + data + " end\n```\nAnswer.";
  settings_.mix = folder_.file("long.jsonl", row.dump() + "\n").string();
  settings_.max_tokens = 120;
  settings_.validation_pairs = 0;
  const TrainOutcome outcome = run("long");
  EXPECT_EQ(outcome.cut, 1U);
  EXPECT_EQ(outcome.pairs, 1U);
  EXPECT_NE(said_.find("the middle of their data is cut out"), std::string::npos);
}

TEST(CutMiddle, CutsTheLongestFencedTextAndWholeCharacters) {
  const std::string message =
      "Do.\n```\nshort\n```\n```\n" + std::string("aaaa€€€€€€€€zzzz") + "\n```\nEnd.";
  const std::string cut = cut_middle(message, 6);
  EXPECT_TRUE(cut.starts_with("Do.\n```\nshort\n```\n```\naaaa")) << cut;
  EXPECT_TRUE(cut.ends_with("zzzz\n```\nEnd.")) << cut;
  EXPECT_NE(cut.find(" […] "), std::string::npos);
  EXPECT_LE(cut.size(), message.size() - 6);
  EXPECT_NO_THROW((void)Json(cut).dump());  // Throws for half a character.
}

}  // namespace
}  // namespace selene::train
