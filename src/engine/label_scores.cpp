#include "engine/label_scores.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace selene::engine {
namespace {

constexpr double kUnknownShare = 0.001;
constexpr double kSmallest = 1e-300;  // So that the logarithm stays finite.

std::string_view without_leading_space(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

}  // namespace

size_t LabelScores::count_beginning(std::string_view text) const {
  return static_cast<size_t>(std::count_if(labels_.begin(), labels_.end(),
                                           [&](const std::string& label) { return label.starts_with(text); }));
}

double LabelScores::open_probability() const {
  double sum = 0;
  for (const auto& [text, probability] : open_) sum += probability;
  return sum;
}

void LabelScores::add(std::string_view read, std::span<const Alternative> alternatives) {
  double share = 1;
  if (!read.empty()) {
    const auto open = open_.find(std::string(read));
    ensure(open != open_.end(), "what follows a text is added only where the text is open");
    share = open->second;
    open_.erase(open);
  }
  double going_on = 0;  // Of all alternatives that lead to a label.
  double smallest = 1;
  for (const Alternative& alternative : alternatives) {
    const double probability = std::exp(alternative.log_prob);
    smallest = std::min(smallest, probability);
    const std::string_view text = read.empty() ? without_leading_space(alternative.text) : alternative.text;
    const std::string whole = std::string(read).append(text);
    const size_t count = text.empty() ? 0 : count_beginning(whole);
    if (count == 0) continue;
    going_on += probability;
    if (count > 1) open_[whole] += share * probability;
    for (size_t i = 0; count == 1 && i < labels_.size(); ++i) {
      if (labels_[i].starts_with(whole)) found_[i].probability += share * probability;
    }
  }
  for (size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] == read) {
      found_[i].probability += share * std::max(0.0, 1 - going_on);
    } else if (labels_[i].starts_with(read)) {
      found_[i].at_most = share * smallest;
    }
  }
  close_whole_labels();
}

// An open text that is a label, where each longer label has an alternative of its own.
void LabelScores::close_whole_labels() {
  for (auto open = open_.begin(); open != open_.end();) {
    std::optional<size_t> itself;
    bool closed = true;
    for (size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i] == open->first) {
        itself = i;
      } else if (labels_[i].starts_with(open->first)) {
        closed &= found_[i].probability > 0;
      }
    }
    if (closed && itself) {
      found_[*itself].probability += open->second;
      open = open_.erase(open);
    } else {
      ++open;
    }
  }
}

void LabelScores::add_path(std::span<const AnswerToken> tokens) {
  std::string read;
  for (const AnswerToken& token : tokens) {
    add(read, token.alternatives);
    read += read.empty() ? without_leading_space(token.text) : std::string_view(token.text);
    if (!open_.contains(read)) return;
  }
}

std::optional<std::string> LabelScores::open_text() const {
  double known = 0;
  for (const Found& label : found_) known += label.probability;
  if (open_probability() <= kUnknownShare * known) return std::nullopt;
  return std::max_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

std::vector<double> LabelScores::log_probs() const {
  double known = 0;
  double unknown = open_probability();
  std::vector<double> log_probs;
  for (const Found& label : found_) {
    known += label.probability;
    if (label.probability == 0) unknown += label.at_most;
    log_probs.push_back(std::log(std::max(label.probability == 0 ? label.at_most : label.probability, kSmallest)));
  }
  if (known == 0 || unknown > kUnknownShare * known) return {};
  return log_probs;
}

}  // namespace selene::engine
