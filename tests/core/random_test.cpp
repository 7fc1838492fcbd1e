#include "core/random.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace selene {
namespace {

// Vigna's reference splitmix64.c, seed 1234567 (the vectors that Rosetta Code prints).
TEST(Random, AgreesWithTheReference) {
  Random random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317ull, 3203168211198807973ull, 9817491932198370423ull,
        4593380528125082431ull, 16408922859458223821ull}) {
    EXPECT_EQ(random.next(), expected);
  }
  EXPECT_EQ(Random(0).next(), 0xE220A8397B1DCDAFull);
}

TEST(Random, SkippingIsTakingNumbers) {
  Random taken(3);
  for (int i = 0; i < 1000; ++i) taken.next();
  Random skipped(3);
  skipped.skip(1000);
  EXPECT_EQ(skipped.next(), taken.next());
}

TEST(Random, UniformIsInTheHalfOpenUnitInterval) {
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

TEST(Random, DerivedSeedsDifferByNameAndBySeed) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (int i = 0; i < 200; ++i) seeds.insert(derive_seed(seed, "sample-" + std::to_string(i)));
  }
  EXPECT_EQ(seeds.size(), 4000u);
  EXPECT_EQ(derive_seed(1, "a"), derive_seed(1, "a"));
  EXPECT_NE(derive_seed(1, ""), derive_seed(2, ""));
  // FNV-1a of "a" is 0xAF63DC4C8601EC8C (its authors' test suite); then one step of SplitMix64.
  EXPECT_EQ(derive_seed(5, "a"), Random(5 ^ 0xAF63DC4C8601EC8Cull).next());
}

}  // namespace
}  // namespace selene
