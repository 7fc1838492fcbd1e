// The label tree: what to compute to know the log-probability of every label, each token once.
//
// Every label is tokenised as one text with the answer before it. What all the texts share is the
// base; the rest is a tree. log p(label) is the sum of log p(token | tokens before it) over the
// label's tokens after the base. Where one label's tokens begin another's ("1" and "10"), the
// shorter one also takes the probability that none of the longer ones' next tokens follows: + log(1
// - sum of p(next token)).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace selene::engine {

using Token = std::int32_t;

class LabelTree {
 public:
  struct Node {
    int parent = -1;
    Token token = -1;
    std::vector<int> children;
  };

  // One token sequence a label, all non-empty. Throws Error when two labels have the same tokens.
  explicit LabelTree(const std::vector<std::vector<Token>>& sequences);

  const std::vector<Token>& base() const { return base_; }
  // Nodes whose next-token distribution is needed, parents first; node 0 is the root (after the
  // base).
  const std::vector<int>& inner_nodes() const { return inner_nodes_; }
  // Base and the tokens down to `node`.
  std::vector<Token> tokens_to(int node) const;

  // Gives the next-token logits (over the whole vocabulary) after an inner node.
  void set_logits(int node, std::span<const float> logits);
  // One log-probability a label. All inner nodes must have been set.
  std::vector<double> log_probs() const;

 private:
  std::vector<Token> base_;
  std::vector<Node> nodes_;
  std::vector<int> inner_nodes_;
  std::vector<int> label_nodes_;
  std::vector<double> edge_log_probs_;  // log p(token of the node | its parent)
};

// log sum exp over all logits, in double and in index order, so that it is the same on every
// machine.
double log_sum_exp(std::span<const float> logits);

// Length of the common beginning.
size_t common_prefix(std::span<const Token> a, std::span<const Token> b);

}  // namespace selene::engine
