// Figures as a report writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/score.h"

namespace selene::bench {

// ".512", "-.03": figures between -1 and 1.
std::string number(double value);
// The number, or "-".
std::string value_text(const Figure& figure);
// "[.31, .42]"; empty without an interval.
std::string interval_text(const Figure& figure);
std::string interval_text(const std::optional<stats::Interval>& interval);
// The metric, with its convention where it has one.
std::string metric_text(const Score& score);

// Null where there is none of this name.
const Figure* find_figure(const std::vector<Figure>& figures, std::string_view name);
// The better of the longer and the shorter response, or the correlation of log length.
std::optional<double> length_baseline(const Score& score);

}  // namespace selene::bench
