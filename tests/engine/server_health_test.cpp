#include "engine/server_health.h"

#include <gtest/gtest.h>

namespace selene::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Backoff kBackoff{.first = milliseconds(100), .most = milliseconds(1000)};
const TimePoint kStart = TimePoint{} + std::chrono::hours(1);

TEST(Backoff, DoublesUpToTheMostWithJitterBelow) {
  Random random(1);
  const int expected[] = {100, 200, 400, 800, 1000, 1000};
  for (int failures = 1; failures <= 6; ++failures) {
    const auto wait = kBackoff.before_attempt(failures, random).count();
    EXPECT_GE(wait, expected[failures - 1] / 2);
    EXPECT_LE(wait, expected[failures - 1]);
  }
  EXPECT_LE(kBackoff.before_attempt(10'000, random), kBackoff.most);
}

TEST(Backoff, IsTheSameForTheSameSeed) {
  Random one(5);
  Random two(5);
  EXPECT_EQ(kBackoff.before_attempt(1, one), kBackoff.before_attempt(1, two));
}

TEST(ServerHealth, StartsWithAll) {
  EXPECT_EQ(ServerHealth(16, kBackoff, "a").allowed(kStart), 16);
}

TEST(ServerHealth, RestsAfterAFailureThenTriesOneThenMore) {
  ServerHealth health(3, kBackoff, "a");
  health.failed(kStart, kStart - seconds(1), "refused", std::nullopt);
  EXPECT_EQ(health.failures(), 1);
  EXPECT_EQ(health.last_failure(), "refused");
  EXPECT_EQ(health.allowed(kStart + milliseconds(49)), 0);
  EXPECT_EQ(health.allowed(kStart + milliseconds(100)), 1);
  health.succeeded();
  EXPECT_EQ(health.failures(), 0);
  EXPECT_EQ(health.allowed(kStart + milliseconds(100)), 2);
  health.succeeded();
  health.succeeded();
  EXPECT_EQ(health.allowed(kStart + milliseconds(100)), 3);
}

TEST(ServerHealth, OneIncidentCountsOnce) {
  ServerHealth health(16, kBackoff, "a");
  for (int i = 0; i < 16; ++i) {
    health.failed(kStart + milliseconds(i), kStart - seconds(1), "refused", std::nullopt);
  }
  EXPECT_EQ(health.failures(), 1);
  health.failed(kStart + seconds(1), kStart + milliseconds(500), "refused", std::nullopt);
  EXPECT_EQ(health.failures(), 2);
}

TEST(ServerHealth, RestsAsLongAsTheServerAsks) {
  ServerHealth health(16, kBackoff, "a");
  health.failed(kStart, kStart - seconds(1), "loading", seconds(5));
  EXPECT_EQ(health.rests_until(), kStart + seconds(5));
}

TEST(ServerHealth, HasHalfAsMuchToDoWhenOverloaded) {
  ServerHealth health(16, kBackoff, "a");
  health.overloaded(kStart, kStart - seconds(1), seconds(2));
  EXPECT_EQ(health.failures(), 0);
  EXPECT_EQ(health.allowed(kStart + seconds(1)), 0);
  EXPECT_EQ(health.allowed(kStart + seconds(2)), 8);
  for (int i = 0; i < 10; ++i) health.overloaded(kStart, kStart - seconds(1), seconds(1));
  EXPECT_EQ(health.allowed(kStart + seconds(2)), 1);
}

TEST(ServerHealth, RestsLongerTheMoreOftenItIsOverloaded) {
  ServerHealth health(16, kBackoff, "a");
  TimePoint now = kStart;
  for (const int most : {100, 200, 400}) {
    for (int i = 0; i < 5; ++i) {  // One incident.
      health.overloaded(now + milliseconds(i), now - milliseconds(1), std::nullopt);
    }
    EXPECT_GE(health.rests_until() - now, milliseconds(most / 2));
    EXPECT_LE(health.rests_until() - now, milliseconds(most));
    now = health.rests_until() + milliseconds(10);
  }
  health.succeeded();
  health.overloaded(now, now - milliseconds(1), std::nullopt);
  EXPECT_LE(health.rests_until() - now, milliseconds(100));
}

}  // namespace
}  // namespace selene::engine
