#include "engine/label_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace selene::engine {

LabelTree::LabelTree(const std::vector<std::vector<Token>>& sequences) {
  ensure(!sequences.empty(), "a label tree needs labels");
  size_t shared = sequences.front().size();
  for (const auto& sequence : sequences) {
    ensure(!sequence.empty(), "a label without tokens");
    shared = std::min(shared, common_prefix(sequences.front(), sequence));
  }
  // Every label keeps a token of its own, also the one that begins all others.
  for (const auto& sequence : sequences) shared = std::min(shared, sequence.size() - 1);
  base_.assign(sequences.front().begin(),
               sequences.front().begin() + static_cast<std::ptrdiff_t>(shared));

  nodes_.emplace_back();
  for (const auto& sequence : sequences) {
    int at = 0;
    for (size_t i = shared; i < sequence.size(); ++i) {
      const auto& children = nodes_[static_cast<size_t>(at)].children;
      const auto found = std::find_if(children.begin(), children.end(), [&](int child) {
        return nodes_[static_cast<size_t>(child)].token == sequence[i];
      });
      if (found != children.end()) {
        at = *found;
        continue;
      }
      const int child = static_cast<int>(nodes_.size());
      nodes_.push_back({.parent = at, .token = sequence[i], .children = {}});
      nodes_[static_cast<size_t>(at)].children.push_back(child);
      at = child;
    }
    if (std::find(label_nodes_.begin(), label_nodes_.end(), at) != label_nodes_.end()) {
      throw Error("two labels become the same tokens and cannot be told apart", "",
                  "rename one of them");
    }
    label_nodes_.push_back(at);
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].children.empty()) inner_nodes_.push_back(static_cast<int>(i));
  }
  edge_log_probs_.assign(nodes_.size(), std::numeric_limits<double>::quiet_NaN());
}

std::vector<Token> LabelTree::tokens_to(int node) const {
  std::vector<Token> path;
  for (int at = node; at > 0; at = nodes_[static_cast<size_t>(at)].parent) {
    path.push_back(nodes_[static_cast<size_t>(at)].token);
  }
  std::vector<Token> tokens = base_;
  tokens.insert(tokens.end(), path.rbegin(), path.rend());
  return tokens;
}

void LabelTree::set_logits(int node, std::span<const float> logits) {
  const double total = log_sum_exp(logits);
  for (int child : nodes_[static_cast<size_t>(node)].children) {
    const auto token = static_cast<size_t>(nodes_[static_cast<size_t>(child)].token);
    edge_log_probs_[static_cast<size_t>(child)] = static_cast<double>(logits[token]) - total;
  }
}

std::vector<double> LabelTree::log_probs() const {
  std::vector<double> result;
  for (int label : label_nodes_) {
    double sum = 0;
    for (int at = label; at > 0; at = nodes_[static_cast<size_t>(at)].parent) {
      sum += edge_log_probs_[static_cast<size_t>(at)];
    }
    double longer = 0;
    for (int child : nodes_[static_cast<size_t>(label)].children) {
      longer += std::exp(edge_log_probs_[static_cast<size_t>(child)]);
    }
    if (longer > 0) sum += std::log1p(-std::min(longer, 1.0));
    ensure(!std::isnan(sum), "a label was scored before all logits were set");
    result.push_back(sum);
  }
  return result;
}

double log_sum_exp(std::span<const float> logits) {
  const float highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits)
    sum += std::exp(static_cast<double>(logit) - static_cast<double>(highest));
  return static_cast<double>(highest) + std::log(sum);
}

size_t common_prefix(std::span<const Token> a, std::span<const Token> b) {
  const auto [end, ignored] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<size_t>(end - a.begin());
}

}  // namespace selene::engine
