#include "curate/histogram.h"

#include <algorithm>
#include <cmath>

namespace selene::curate {

void ScoreCounts::add(double score) {
  // Far beyond what a model gives, and within what a cell's number can hold.
  constexpr double kFar = 1e12;
  least_ = count_ == 0 ? score : std::min(least_, score);
  most_ = count_ == 0 ? score : std::max(most_, score);
  ++count_;
  ++cells_[static_cast<std::int64_t>(std::floor(std::clamp(score, -kFar, kFar) / kCell))];
}

std::vector<std::uint64_t> ScoreCounts::in_bins(std::span<const double> edges) const {
  std::vector<std::uint64_t> bins(edges.size() - 1);
  for (const auto& [cell, count] : cells_) {
    const double middle = (static_cast<double>(cell) + 0.5) * kCell;
    const auto above = std::upper_bound(edges.begin() + 1, edges.end() - 1, middle);
    bins[static_cast<std::size_t>(above - edges.begin() - 1)] += count;
  }
  return bins;
}

std::vector<double> histogram_edges(double least, double most, std::size_t bins) {
  const double width = most > least ? most - least : 1;
  std::vector<double> edges;
  for (std::size_t i = 0; i <= bins; ++i)
    edges.push_back(least + width * static_cast<double>(i) / static_cast<double>(bins));
  return edges;
}

}  // namespace selene::curate
