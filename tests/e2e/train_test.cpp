// `selene train`, on a tiny model whose runs take seconds, and on the default one.
#include <gtest/gtest.h>
#include <fstream>

#include "core/file.h"
#include "default_model.h"
#include "model/tiny_llama.h"
#include "program.h"

namespace selene::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string rows(int begin, int end) {
  std::string text;
  for (int i = begin; i < end; ++i) {
    const bool even = i % 7 % 2 == 0;
    const auto answer = [](const std::string& label) {
      return Json::array({{{"role", "assistant"}, {"content", "**Result:** " + label}}});
    };
    const std::string question = fmt::format("Is {} even? Answer Yes or No.", i % 7);
    text += Json{{"id", fmt::format("p{}", i)},
                 {"prompt", Json::array({{{"role", "user"}, {"content", question}}})},
                 {"chosen", answer(even ? "Yes" : "No")},
                 {"rejected", answer(even ? "No" : "Yes")},
                 {"label", even ? "Yes" : "No"},
                 {"rejected_label", even ? "No" : "Yes"},
                 {"kind", "verdict"}}
                .dump() +
            "\n";
  }
  return text;
}

class TrainCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    TinyLlama tiny;
    tiny.head_size = 16;
    tiny.scaled = false;
    folder_.file("base.gguf", tiny.gguf().build());
    folder_.file("mix/train.jsonl", rows(0, 24));
    folder_.file("mix/validation.jsonl", rows(24, 32));
  }
  Call train(const std::string& out, const std::vector<std::string>& more = {},
             const std::string& base = "base.gguf") const {
    Call call{.args = {"train", "--mix", folder_ / "mix", "--base", folder_ / base, "--out",
                       folder_ / out, "--threads", "1", "--batch", "4", "--epochs", "20",
                       "--checkpoint-every", "5", "--validate-every", "40", "--format", "f32"}};
    call.args.insert(call.args.end(), more.begin(), more.end());
    return call;
  }
  // Waits until so many steps are in the metrics.
  void wait_for_step(Running& running, const std::string& out, int step) const {
    const fs::path metrics = folder_ / out / "metrics.jsonl";
    const std::string line = fmt::format("{{\"step\":{},", step);
    while (!running.ended()) {
      if (path_exists(metrics) && read_file(metrics).find(line) != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  std::string model(const std::string& out) const {
    return read_file(folder_ / out / "model.gguf");
  }

  TemporaryFolder folder_;
};

TEST_F(TrainCommand, SaysHowItWentAndIsFinished) {
  const Finished done = run(train("a"));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.err.find("24 pairs to train on, 8 to validate; 120 steps of 4 pairs"),
            std::string::npos)
      << done.err;
  EXPECT_NE(done.err.find("before: loss "), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("after:  loss "), std::string::npos) << done.err;
  const Json record = Json::parse(read_file(folder_ / "a/run.json"));
  EXPECT_EQ(record["counts"]["steps"], 120);
  int steps = 0;
  int validations = 0;
  for (const Json& line : rows_of(read_file(folder_ / "a/metrics.jsonl"))) {
    steps += line.contains("learning_rate") ? 1 : 0;
    validations += line.contains("validation") ? 1 : 0;
  }
  EXPECT_EQ(steps, 120);
  EXPECT_EQ(validations, 4);  // Before, and after steps 40, 80, 120.

  const Finished again = run(train("a"));
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.err.find("the run is finished"), std::string::npos) << again.err;
  EXPECT_EQ(run(train("a", {"--overwrite", "--steps", "2", "--quiet"})).exit_code, 0);

  const Finished plot = run({"train", "plot", folder_ / "a", "--out", folder_ / "a.svg"});
  EXPECT_EQ(plot.exit_code, 0) << plot.err;
  EXPECT_TRUE(read_file(folder_ / "a.svg").starts_with("<svg"));
}

TEST_F(TrainCommand, GoesOnAfterKillsAndCtrlCToTheSameBytes) {
  ASSERT_EQ(run(train("straight")).exit_code, 0);
  for (const int step : {7, 23, 61}) {
    Running running(train("killed"));
    wait_for_step(running, "killed", step);
    running.signal(SIGKILL);
    ASSERT_EQ(running.wait().exit_code, 128 + SIGKILL) << "ended before step " << step;
  }
  Running stopped(train("killed"));
  wait_for_step(stopped, "killed", 72);
  stopped.signal(SIGINT);
  const Finished interrupted = stopped.wait();
  ASSERT_EQ(interrupted.exit_code, 130) << interrupted.err;
  EXPECT_NE(interrupted.err.find("the same command again goes on from there"), std::string::npos);
  const Finished done = run(train("killed"));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.err.find("going on from step"), std::string::npos) << done.err;
  EXPECT_EQ(model("straight"), model("killed"));
}

// A limit on the size of files does what a full disk does.
TEST_F(TrainCommand, AFullDiskLosesNothing) {
  ASSERT_EQ(run(train("straight")).exit_code, 0);
  Running stopped(train("full"));
  wait_for_step(stopped, "full", 12);
  stopped.signal(SIGINT);
  ASSERT_EQ(stopped.wait().exit_code, 130);
  const Finished full = run(in_bash(train("full"), "trap '' XFSZ; ulimit -f 100; exec \"$@\""));
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_NE(full.err.find(".safetensors"), std::string::npos) << full.err;
  const Finished done = run(train("full"));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(model("straight"), model("full"));
}

TEST_F(TrainCommand, BadCallsAndBasesAreNamed) {
  const auto fails = [&](const std::vector<std::string>& more, int code, const std::string& part,
                         const std::string& base = "base.gguf") {
    const Finished finished = run(train("bad", more, base));
    EXPECT_EQ(finished.exit_code, code) << finished.err;
    EXPECT_NE(finished.err.find(part), std::string::npos) << finished.err;
  };
  fails({"--lora-rank", "4"}, 2, "--lora-rank needs --lora");
  fails({"--loss", "best"}, 1, "dpo+nll");
  fails({"--lora", "--lora-targets", "q_prj"}, 1, "there is no weight 'q_prj'");
  GgufBuilder other;
  other.text("general.architecture", "mamba");
  folder_.file("mamba.gguf", other.build());
  fails({}, 1, "mamba", "mamba.gguf");
  folder_.file("short.gguf", read_file(folder_ / "base.gguf").substr(0, 40000));
  fails({}, 1, "short.gguf", "short.gguf");
  folder_.file("mine/notes.txt", "mine");
  const Finished finished = run(train("mine"));
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find("not of a training run"), std::string::npos) << finished.err;
}

class TrainDefaultModel : public DefaultModelTest {
 protected:
  TemporaryFolder folder_;
};

TEST_F(TrainDefaultModel, ARunIsAJudge) {
  const Finished done = run({"train", "--mix", source_file("examples/train"), "--out",
                             folder_ / "run", "--lora", "--lora-rank", "2", "--pairs", "2",
                             "--batch", "2", "--validation-pairs", "1", "--threads", "1"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(path_exists(folder_ / "run/adapter.gguf"));
  EXPECT_TRUE(path_exists(folder_ / "run/adapter/adapter_model.safetensors"));
  Call call = judge_call({source_file("examples/answers.jsonl"), "--judge", folder_ / "run",
                          "--mode", "verdict", "--format", "jsonl"});
  const Finished judged = run(call);
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  for (const Json& row : rows_of(judged.out)) EXPECT_FALSE(row["label"].is_null()) << row;
}

TEST_F(TrainDefaultModel, TooLittleMemorySaysWhatWouldFit) {
  const Finished failed = run(
      in_bash({.args = {"train", "--mix", source_file("examples/train"), "--out", folder_ / "run",
                        "--pairs", "4", "--validation-pairs", "0", "--threads", "1"}},
              "ulimit -v 2500000; exec \"$@\""));
  EXPECT_EQ(failed.exit_code, 1) << failed.err;
  EXPECT_NE(failed.err.find("there is not enough memory"), std::string::npos) << failed.err;
  EXPECT_NE(failed.err.find("--lora"), std::string::npos) << failed.err;
}

}  // namespace
}  // namespace selene::testing
