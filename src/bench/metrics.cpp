#include "bench/metrics.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/text.h"

namespace selene::bench {
namespace {

constexpr Metric kMetrics[] = {
    {"accuracy", "accuracy", "share of items whose verdict is the truth", false},
    {"pearson", "Pearson's r", "of the judge's score with the truth", true},
};

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

const Metric& find_metric(std::string_view name) {
  for (const Metric& metric : kMetrics) {
    if (metric.name == name) return metric;
  }
  std::vector<std::string_view> names;
  for (const Metric& metric : kMetrics) names.push_back(metric.name);
  throw Error(fmt::format("unknown metric '{}'; known: {}", cut_to_columns(name, 60),
                          fmt::join(names, ", ")));
}

}  // namespace selene::bench
