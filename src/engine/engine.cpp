#include "engine/engine.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace selene::engine {

std::string answer_body(const Request& request, std::string_view generated) {
  const std::string_view text = trim(generated);
  if (text.empty()) return request.answer_start;
  if (request.answer_start.empty()) return std::string(text);
  return request.answer_start + " " + std::string(text);
}

std::string answer_before_label(const Request& request, std::string_view generated) {
  const std::string body = answer_body(request, generated);
  return body.empty() ? request.mark : body + "\n\n" + request.mark;
}

std::vector<double> softmax(std::span<const double> log_probs) {
  ensure(!log_probs.empty(), "softmax of nothing");
  const double highest = *std::max_element(log_probs.begin(), log_probs.end());
  std::vector<double> probabilities;
  double sum = 0;
  for (double log_prob : log_probs) {
    // With every label at -inf (no probability left anywhere) the labels are equally likely.
    const double weight = std::isinf(highest) ? 1.0 : std::exp(log_prob - highest);
    probabilities.push_back(weight);
    sum += weight;
  }
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

}  // namespace selene::engine
