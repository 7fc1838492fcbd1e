#include "bench/figure_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace selene::bench {

std::string number(double value) {
  std::string text = fmt::format("{:.3f}", value);
  if (const size_t zero = text.find("0."); zero != std::string::npos && (zero == 0 || zero == 1))
    text.erase(zero, 1);
  return text;
}

std::string value_text(const Figure& figure) {
  return figure.value ? number(*figure.value) : std::string("-");
}

std::string interval_text(const std::optional<stats::Interval>& interval) {
  if (!interval) return "";
  return fmt::format("[{}, {}]", number(interval->low), number(interval->high));
}

std::string interval_text(const Figure& figure) { return interval_text(figure.interval); }

std::string metric_text(const Score& score) {
  return score.convention.empty() ? score.metric
                                  : fmt::format("{} ({})", score.metric, score.convention);
}

const Figure* find_figure(const std::vector<Figure>& figures, std::string_view name) {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const Figure& figure) { return figure.name == name; });
  return found == figures.end() ? nullptr : &*found;
}

std::optional<double> length_baseline(const Score& score) {
  const Figure* longer = find_figure(score.baselines, "longer");
  const Figure* shorter = find_figure(score.baselines, "shorter");
  if (longer != nullptr && shorter != nullptr)
    return std::max(longer->value.value_or(0), shorter->value.value_or(0));
  const Figure* log_length = find_figure(score.baselines, "log_length");
  return log_length == nullptr ? std::nullopt : log_length->value;
}

}  // namespace selene::bench
