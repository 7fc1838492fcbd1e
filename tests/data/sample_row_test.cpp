#include "data/sample_row.h"

#include <gtest/gtest.h>

namespace selene::data {
namespace {

TEST(SampleRow, IsReadAsTheSameSample) {
  const auto whole = nlohmann::ordered_json::parse(R"({
    "id": 7, "task": "classification", "input": "What is 2+2?", "context": "none", "response": "4",
    "reference": "4", "criteria": "Is it right?", "rubric": {"Yes": "right"},
    "labels": ["Yes", "No", "Perhaps"],
    "examples": [{"input": "1+1", "response": "2", "reference": "2", "critique": "Right.", "label": "Yes"}],
    "label": "Yes", "group": "g", "category": "sums", "other": [1, null]})");
  EXPECT_EQ(to_json(sample_from_json(whole, 1)), whole);
  const auto pair = nlohmann::ordered_json::parse(R"({
    "id": "p", "task": "pairwise", "input": "Hi", "response_a": "", "response_b": "y",
    "examples": [{"input": "1", "response_a": "x", "response_b": "y", "label": "B"}]})");
  EXPECT_EQ(to_json(sample_from_json(pair, 1)), pair);
}

}  // namespace
}  // namespace selene::data
