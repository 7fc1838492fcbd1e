#include "bench/probe.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::bench {
namespace {

data::Sample pair(const std::string& label) {
  data::Sample sample;
  sample.task = data::Task::Pairwise;
  sample.labels = {"A", "B"};
  sample.response_a = "first";
  sample.response_b = "second";
  sample.label = label;
  return sample;
}

TEST(Probe, PositionChangesTheSidesAndTheTruth) {
  const data::Sample twin = find_probe("position").twin(pair("A"));
  EXPECT_EQ(twin.response_a, "second");
  EXPECT_EQ(twin.response_b, "first");
  EXPECT_EQ(twin.label, "B");
}

TEST(Probe, TheOthersAddToTheWorseResponseAlone) {
  for (const char* name : {"padding", "injection"}) {
    const data::Sample better_first = find_probe(name).twin(pair("A"));
    EXPECT_EQ(better_first.response_a, "first");
    EXPECT_TRUE(better_first.response_b.starts_with("second\n\n")) << name;
    EXPECT_EQ(better_first.label, "A");
    const data::Sample better_second = find_probe(name).twin(pair("B"));
    EXPECT_TRUE(better_second.response_a.starts_with("first\n\n")) << name;
    EXPECT_EQ(better_second.response_b, "second");
  }
}

TEST(Probe, AnUnknownOneNamesTheKnown) {
  EXPECT_EQ(selene::testing::message_of<Error>([] { find_probe("x"); }),
            "unknown probe 'x'; known: position, padding, injection");
}

}  // namespace
}  // namespace selene::bench
