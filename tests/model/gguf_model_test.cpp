// The default model itself: SELENE_TEST_MODEL, else the store's.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/digest.h"
#include "core/error.h"
#include "core/lock.h"
#include "model/gguf.h"
#include "model/quantize.h"
#include "model/store.h"
#include "temporary_folder.h"

namespace selene::model {
namespace {

std::filesystem::path default_model() {
  if (const char* set = std::getenv("SELENE_TEST_MODEL")) return set;
  return store_path("default");
}

class DefaultModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(path_)) {
      GTEST_SKIP() << "SKIPPED: no default model at " << path_
                   << "; get it with: selene models pull";
    }
  }
  std::filesystem::path path_ = default_model();
};

TEST_F(DefaultModelTest, IsTheCanonicalFile) {
  EXPECT_EQ(sha256_file(path_), lock_value("smollm2-135m-instruct", "q8_0_sha256"));
  EXPECT_EQ(std::filesystem::file_size(path_), find_known_model("default")->bytes);
}

TEST_F(DefaultModelTest, SaysWhatItIs) {
  const GgufInfo info = inspect_gguf(path_);
  EXPECT_EQ(info.architecture, "llama");
  EXPECT_EQ(info.file_type, "Q8_0");
  EXPECT_EQ(info.parameters, 134'515'008u);
  EXPECT_EQ(info.tensors, 272u);
  EXPECT_EQ(info.context_length, 8192u);
  EXPECT_EQ(info.layers, 30u);
  EXPECT_EQ(info.heads, 9u);
  EXPECT_EQ(info.kv_heads, 3u);
  EXPECT_EQ(info.key_size, 64u);
  EXPECT_EQ(info.vocabulary, 49'152u);
  ASSERT_TRUE(info.chat_template);
  EXPECT_NE(info.chat_template->find("<|im_start|>"), std::string::npos);
}

TEST_F(DefaultModelTest, CutShortItIsRefusedWithBothSizes) {
  const testing::TemporaryFolder folder;
  const auto cut = folder / "cut.gguf";
  std::filesystem::copy_file(path_, cut);
  std::filesystem::resize_file(cut, 100'000'000);
  EXPECT_EQ(testing::message_of<Error>([&] { inspect_gguf(cut); }),
            cut.string() +
                ": truncated: the file has 100000000 bytes, its tensors need 144811072; fetch or "
                "copy the file again");
}

}  // namespace
}  // namespace selene::model
