// The default model, for tests with the label `model`: skipped aloud where it is not there.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "model/store.h"

namespace selene::testing {

class DefaultModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      path_ = model::resolve_model("").path;
    } catch (const Error& failure) {
      GTEST_SKIP() << "SKIPPED: " << failure.what();
    }
  }

  std::filesystem::path path_;
};

}  // namespace selene::testing
