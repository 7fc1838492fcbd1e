#include "engine/job_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace selene::engine {
namespace {

TEST(PrefixTreeOrder, NothingAndOne) {
  EXPECT_TRUE(prefix_tree_order({}).empty());
  EXPECT_EQ(prefix_tree_order({{{1, 2}}}), (std::vector<size_t>{0}));
}

TEST(PrefixTreeOrder, BranchesFollowTheirEarliestSequence) {
  const std::vector<std::vector<Token>> sequences = {{1, 9, 9}, {1, 2, 3}, {1, 9, 1},
                                                     {1, 2, 3}, {1, 2},    {0}};
  EXPECT_EQ(prefix_tree_order(sequences), (std::vector<size_t>{0, 2, 1, 3, 4, 5}));
}

TEST(PrefixTreeOrder, UnrelatedSequencesKeepTheirOrder) {
  EXPECT_EQ(prefix_tree_order({{{3}, {1}, {2}}}), (std::vector<size_t>{0, 1, 2}));
}

// What each sequence does not share with the one before it is, in all, every node of the tree once.
TEST(PrefixTreeOrder, EveryNodeOfTheTreeIsComputedOnce) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<Token>> sequences(1 + random() % 60);
    std::set<std::vector<Token>> nodes;
    for (std::vector<Token>& sequence : sequences) {
      for (size_t i = 1 + random() % 8; i > 0; --i) {
        sequence.push_back(static_cast<Token>(random() % 3));
        nodes.insert(sequence);
      }
    }
    const std::vector<size_t> order = prefix_tree_order(sequences);
    EXPECT_EQ(std::set<size_t>(order.begin(), order.end()).size(), sequences.size());
    EXPECT_EQ(order.front(), 0u);
    std::vector<Token> before;
    size_t computed = 0;
    for (size_t i : order) {
      computed +=
          sequences[i].size() - std::min(common_prefix(before, sequences[i]), sequences[i].size());
      before = sequences[i];
    }
    EXPECT_EQ(computed, nodes.size());
  }
}

}  // namespace
}  // namespace selene::engine
