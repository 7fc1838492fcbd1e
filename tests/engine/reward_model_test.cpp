// That the default judge is no reward model.
#include "engine/reward_model.h"

#include "core/error.h"
#include "default_model.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

using RewardOfDefaultModel = selene::testing::DefaultModelTest;

TEST_F(RewardOfDefaultModel, ThePlainJudgeIsRefused) {
  const std::string message =
      selene::testing::message_of<Error>([&] { RewardModel({.model = path_}); });
  EXPECT_EQ(message.rfind(path_.string() + ": llama.cpp has no classification head for "
                                           "architecture '",
                          0),
            0u)
      << message;
}

}  // namespace
}  // namespace selene::engine
