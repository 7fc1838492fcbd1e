#include "engine/label_scores.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace selene::engine {
namespace {

constexpr double kUnknownShare = 0.001;
constexpr double kSmallest = 1e-300;  // So that the logarithm stays finite.

std::string_view without_leading_space(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

double probability_of(const AnswerToken& token) {
  const auto itself =
      std::find_if(token.alternatives.begin(), token.alternatives.end(),
                   [&](const Alternative& alternative) { return alternative.text == token.text; });
  return itself == token.alternatives.end() ? 0 : std::exp(itself->log_prob);
}

}  // namespace

void LabelScores::add(std::string_view read, std::span<const AnswerToken> tokens) {
  ensure(read.empty() || open_.contains(std::string(read)),
         "what follows a text is added only where it is open");
  std::string so_far(read);
  double share = 1;
  for (const AnswerToken& token : tokens) {
    if (!so_far.empty()) {
      const auto open = open_.extract(so_far);
      if (open.empty()) return;
      share = open.mapped();
    }
    add_place(so_far, share, token.alternatives);
    const std::string_view text =
        so_far.empty() ? without_leading_space(token.text) : std::string_view(token.text);
    if (text.empty()) share *= probability_of(token);
    so_far += text;
  }
}

size_t LabelScores::count_beginning(std::string_view text) const {
  return static_cast<size_t>(
      std::count_if(labels_.begin(), labels_.end(),
                    [&](const std::string& label) { return label.starts_with(text); }));
}

// `count` labels begin with `text`.
bool LabelScores::counts_at_once(const std::string& text, size_t count) const {
  if (count != 1) return false;
  if (std::find(labels_.begin(), labels_.end(), text) != labels_.end()) return true;
  return !can_ask_ && is_valid_utf8(text);  // The first byte of a character begins too much else.
}

// What can stand after `read`, which has the probability `share`.
void LabelScores::add_place(std::string_view read, double share,
                            std::span<const Alternative> alternatives) {
  double going_on = 0;  // Of all alternatives that lead to a label.
  double smallest = 1;
  has_seen_ = has_seen_ || !alternatives.empty();
  for (const Alternative& alternative : alternatives) {
    const double probability = std::exp(alternative.log_prob);
    smallest = std::min(smallest, probability);
    const std::string_view text =
        read.empty() ? without_leading_space(alternative.text) : alternative.text;
    const std::string whole = std::string(read).append(text);
    const size_t count = text.empty() ? 0 : count_beginning(whole);
    if (count == 0) continue;
    going_on += probability;
    if (!counts_at_once(whole, count)) {
      open_[whole] += share * probability;
      continue;
    }
    const auto label = std::find_if(labels_.begin(), labels_.end(),
                                    [&](const std::string& one) { return one.starts_with(whole); });
    found_[static_cast<size_t>(label - labels_.begin())].probability += share * probability;
  }
  for (size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] == read) {
      found_[i].probability += share * std::max(0.0, 1 - going_on);
    } else if (labels_[i].starts_with(read)) {
      found_[i].unlisted += share * smallest;
    }
  }
  close_whole_labels();
}

// A token longer than `text` was listed that is `label` or begins it.
bool LabelScores::is_listed_beyond(size_t label, std::string_view text) const {
  return found_[label].probability > 0 ||
         std::any_of(open_.begin(), open_.end(), [&](const auto& open) {
           return open.first.size() > text.size() && labels_[label].starts_with(open.first);
         });
}

// An open text that is a label, where each longer label was listed in another way.
void LabelScores::close_whole_labels() {
  for (auto open = open_.begin(); open != open_.end();) {
    const std::string& text = open->first;
    const auto itself = std::find(labels_.begin(), labels_.end(), text);
    bool closed = itself != labels_.end();
    for (size_t i = 0; i < labels_.size(); ++i) {
      const bool longer = labels_[i].size() > text.size() && labels_[i].starts_with(text);
      if (longer && !is_listed_beyond(i, text)) closed = false;
    }
    if (closed) {
      found_[static_cast<size_t>(itself - labels_.begin())].probability += open->second;
      open = open_.erase(open);
    } else {
      ++open;
    }
  }
}

double LabelScores::known() const {
  double sum = 0;
  for (const Found& label : found_) sum += label.probability;
  return sum;
}

double LabelScores::open() const {
  double sum = 0;
  for (const auto& [text, probability] : open_) sum += probability;
  return sum;
}

std::optional<std::string> LabelScores::open_text() const {
  if (!can_ask_ || open() <= kUnknownShare * known()) return std::nullopt;
  const std::pair<const std::string, double>* most = nullptr;
  for (const auto& entry : open_) {
    if (is_valid_utf8(entry.first) && (most == nullptr || entry.second > most->second)) {
      most = &entry;
    }
  }
  return most == nullptr ? std::nullopt : std::optional(most->first);
}

std::vector<double> LabelScores::log_probs() const {
  double unknown = open();
  std::vector<double> log_probs;
  for (size_t i = 0; i < labels_.size(); ++i) {
    double probability = found_[i].probability;
    if (probability == 0) {
      unknown += found_[i].unlisted;
      probability = found_[i].unlisted;
      for (const auto& [text, most] : open_) probability += labels_[i].starts_with(text) ? most : 0;
    }
    log_probs.push_back(std::log(std::max(probability, kSmallest)));
  }
  if (known() == 0 || unknown > kUnknownShare * known()) return {};
  return log_probs;
}

}  // namespace selene::engine
