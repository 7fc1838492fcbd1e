// Scores counted as they come, in memory that their number does not matter for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace selene::curate {

class ScoreCounts {
 public:
  static constexpr double kCell = 0.001;  // Scores are told apart to this width.

  void add(double score);
  std::uint64_t count() const { return count_; }
  // 0 where there are none.
  double least() const { return count_ == 0 ? 0 : least_; }
  double most() const { return count_ == 0 ? 0 : most_; }

  // Counts between the edges; what is outside of them is in the first or last bin.
  std::vector<std::uint64_t> in_bins(std::span<const double> edges) const;

 private:
  std::map<std::int64_t, std::uint64_t> cells_;
  std::uint64_t count_ = 0;
  double least_ = 0;
  double most_ = 0;
};

// Of `bins` of one width; from `least` to `least` + 1 where they are equal.
std::vector<double> histogram_edges(double least, double most, std::size_t bins = 20);

}  // namespace selene::curate
