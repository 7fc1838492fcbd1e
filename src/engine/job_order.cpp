#include "engine/job_order.h"

#include <algorithm>
#include <numeric>

namespace selene::engine {
namespace {

class Walk {
 public:
  explicit Walk(std::span<const std::vector<Token>> sequences)
      : sorted_(sequences.size()), shared_(sequences.size()) {
    std::iota(sorted_.begin(), sorted_.end(), size_t{0});
    std::stable_sort(sorted_.begin(), sorted_.end(),
                     [&](size_t a, size_t b) { return sequences[a] < sequences[b]; });
    for (size_t i = 1; i < sorted_.size(); ++i) {
      shared_[i] = common_prefix(sequences[sorted_[i - 1]], sequences[sorted_[i]]);
    }
  }

  // The subtree of sorted_[first, last).
  void visit(size_t first, size_t last, std::vector<size_t>& order) {
    if (last - first == 1) {
      order.push_back(sorted_[first]);
      return;
    }
    // Branches part where neighbours share the least.
    const auto at = [&](size_t i) { return shared_.begin() + static_cast<std::ptrdiff_t>(i); };
    const size_t least = *std::min_element(at(first + 1), at(last));
    struct Branch {
      size_t first, last, earliest;
    };
    std::vector<Branch> branches;
    for (size_t i = first; i < last; ++i) {
      if (i == first || shared_[i] == least) branches.push_back({i, i, sorted_[i]});
      branches.back().last = i + 1;
      branches.back().earliest = std::min(branches.back().earliest, sorted_[i]);
    }
    std::sort(branches.begin(), branches.end(),
              [](const Branch& a, const Branch& b) { return a.earliest < b.earliest; });
    for (const Branch& branch : branches) visit(branch.first, branch.last, order);
  }

 private:
  std::vector<size_t> sorted_;  // Indices, the sequences in lexicographic order.
  std::vector<size_t> shared_;  // One a place in sorted_: tokens shared with the place before.
};

}  // namespace

std::vector<size_t> prefix_tree_order(std::span<const std::vector<Token>> sequences) {
  std::vector<size_t> order;
  if (!sequences.empty()) Walk(sequences).visit(0, sequences.size(), order);
  return order;
}

}  // namespace selene::engine
