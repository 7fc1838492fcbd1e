// The metrics that a benchmark can be scored by.
#pragma once

#include <span>
#include <string_view>

namespace selene::bench {

struct Metric {
  std::string_view name;   // In benchmark files.
  std::string_view title;  // In reports.
  std::string_view help;
  bool numeric_truth;  // The truth is a number, else a label.
};

std::span<const Metric> metrics();
// Throws Error that names the known ones.
const Metric& find_metric(std::string_view name);

}  // namespace selene::bench
