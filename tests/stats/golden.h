// The values of golden.json, made beforehand by make_golden.py with SciPy and scikit-learn.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace selene::stats::testing {

inline nlohmann::json golden(const std::string& section) {
  std::ifstream file(SELENE_SOURCE_DIR "/tests/stats/golden.json");
  return nlohmann::json::parse(file).at(section);
}

// Null stands for an undefined value.
inline void expect_golden(const std::optional<double>& value, const nlohmann::json& expected,
                          const std::string& name) {
  SCOPED_TRACE(name);
  ASSERT_EQ(value.has_value(), !expected.is_null());
  if (value) {
    EXPECT_NEAR(*value, expected.get<double>(), 1e-12);
  }
}

}  // namespace selene::stats::testing
