#include "judge/judge_spec.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::judge {
namespace {

std::string refusal(const std::string& yaml) {
  return testing::message_of<Error>([&] { parse_judge_file(yaml, "j.yaml"); });
}

TEST(JudgeSpec, ABadValueIsRefusedWhereItStands) {
  EXPECT_EQ(refusal("model: default\nmode: fast\n"),
            "j.yaml: unknown mode 'fast'; known: critique, verdict");
  EXPECT_EQ(refusal("model: default\norder: any\n"),
            "j.yaml: unknown order 'any'; known: one, both");
  EXPECT_EQ(refusal("model: default\nmax_tokens: 0\n"),
            "j.yaml: max_tokens must be from 1 to 1048576");
  EXPECT_EQ(refusal("members:\n- model: default\n- model: default\n  samples: 0\n"),
            "j.yaml: member 2: samples must be from 1 to 1000");
  EXPECT_EQ(refusal("model: default\ntemperature: -1\n"),
            "j.yaml: temperature must be from 0 to 10");
}

TEST(JudgeSpec, AKeyTwiceIsRefusedWithItsLine) {
  EXPECT_EQ(refusal("model: default\nmode: verdict\nmode: critique\n"),
            "j.yaml:3: the key 'mode' stands twice; keep one of the two");
  EXPECT_EQ(refusal("members:\n- model: default\n- model: default\n  weight: 1\n  weight: 2\n"),
            "j.yaml:5: the key 'weight' stands twice; keep one of the two");
  EXPECT_EQ(refusal("members:\n- &one {model: default}\n- *one\n"), "");
}

}  // namespace
}  // namespace selene::judge
