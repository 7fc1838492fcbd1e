#include "core/run_record.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "temporary_folder.h"

namespace selene {
namespace {

// `text` with every digit written as d.
std::string shape(std::string text) {
  for (char& c : text) {
    if (c >= '0' && c <= '9') c = 'd';
  }
  return text;
}

TEST(RunRecord, HoldsWhatWasRunAndOnWhat) {
  const testing::TemporaryFolder folder;
  RunRecord record("judge");
  record.fields()["counts"] = {{"rows", 3}};
  record.write(folder / "a/run.json");
  const auto json = nlohmann::ordered_json::parse(testing::slurp(folder / "a/run.json"));
  EXPECT_EQ(json["command"], "judge");
  EXPECT_EQ(json["selene"], version());
  EXPECT_EQ(json["counts"]["rows"], 3);
  EXPECT_EQ(shape(json["started"].get<std::string>()), "dddd-dd-ddTdd:dd:ddZ");
  EXPECT_GE(json["wall_s"].get<double>(), 0);
  EXPECT_GT(json["peak_memory_bytes"].get<std::uint64_t>(), 1'000'000u);
  EXPECT_GE(json["machine"]["cores"].get<unsigned>(), 1u);
  EXPECT_GT(json["machine"]["memory_bytes"].get<std::uint64_t>(), 1'000'000u);
}

TEST(RunRecord, TheVersionIsThreeNumbers) {
  const std::string digits = shape(version());
  EXPECT_EQ(std::count(digits.begin(), digits.end(), '.'), 2) << version();
  EXPECT_EQ(digits.find_first_not_of("d."), std::string::npos) << version();
}

}  // namespace
}  // namespace selene
