#include "curate/histogram.h"

#include <gtest/gtest.h>

#include <numeric>

namespace selene::curate {
namespace {

using Bins = std::vector<std::uint64_t>;

TEST(ScoreCounts, EdgesBelongToTheBinAbove) {
  const std::vector<double> edges = histogram_edges(0, 1, 4);
  EXPECT_EQ(edges, (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  ScoreCounts counts;
  for (const double score : {0.0, 0.2, 0.25, 0.5, 0.74, 1.0}) counts.add(score);
  EXPECT_EQ(counts.in_bins(edges), (Bins{2, 1, 2, 1}));
  EXPECT_EQ(counts.count(), 6u);
}

TEST(ScoreCounts, EveryScoreIsInABin) {
  ScoreCounts counts;
  for (int i = 0; i < 1000; ++i) counts.add(-7.5 + i * 0.0173);
  EXPECT_EQ(counts.least(), -7.5);
  const Bins bins = counts.in_bins(histogram_edges(counts.least(), counts.most()));
  EXPECT_EQ(bins.size(), 20u);
  EXPECT_EQ(std::accumulate(bins.begin(), bins.end(), 0u), 1000u);
  for (const std::uint64_t bin : bins) EXPECT_NEAR(static_cast<double>(bin), 50, 1);
}

TEST(ScoreCounts, NoScoresAndOneScoreHaveBinsToo) {
  ScoreCounts counts;
  EXPECT_EQ(counts.in_bins(histogram_edges(0, 0)), Bins(20));
  counts.add(3);
  const Bins bins = counts.in_bins(histogram_edges(3, 3));
  EXPECT_EQ(bins.front(), 1u);
}

}  // namespace
}  // namespace selene::curate
