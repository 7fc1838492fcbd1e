#include "core/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace selene {
namespace {

TEST(Interrupt, ASignalIsNoticedAndASecondOneEnds) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        const bool before = interrupted();
        ::raise(SIGINT);
        if (before || !interrupted()) ::_exit(1);
        ::raise(SIGINT);
        ::_exit(2);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

TEST(Interrupt, CanBeSetAndTakenBack) {
  set_interrupted(true);
  EXPECT_TRUE(interrupted());
  set_interrupted(false);
  EXPECT_FALSE(interrupted());
}

}  // namespace
}  // namespace selene
