#include "engine/label_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "temporary_folder.h"

namespace selene::engine {
namespace {

using Tokens = std::vector<Token>;
using Probabilities =
    std::map<Token, double>;  // Of tokens that matter; the rest shares what is left.

constexpr size_t kVocabulary = 50;

// Logits whose softmax gives these probabilities, shifted as a model's are.
std::vector<float> logits_of(const Probabilities& given) {
  double rest = 1;
  for (const auto& [token, probability] : given) rest -= probability;
  const double other = rest / static_cast<double>(kVocabulary - given.size());
  std::vector<float> logits(kVocabulary, static_cast<float>(std::log(other) + 7));
  for (const auto& [token, probability] : given) {
    logits[static_cast<size_t>(token)] = static_cast<float>(std::log(probability) + 7);
  }
  return logits;
}

// The distributions that a test's model gives after some tokens.
std::vector<double> score(LabelTree& tree, const std::map<Tokens, Probabilities>& model) {
  for (const int node : tree.inner_nodes())
    tree.set_logits(node, logits_of(model.at(tree.tokens_to(node))));
  return tree.log_probs();
}

constexpr double kTolerance = 1e-6;  // Logits are float.

TEST(LabelTree, LabelsOfOneTokenNeedOneDistribution) {
  LabelTree tree({{7, 8, 1}, {7, 8, 2}, {7, 8, 3}});
  EXPECT_EQ(tree.base(), (Tokens{7, 8}));
  EXPECT_EQ(tree.inner_nodes(), std::vector<int>{0});
  EXPECT_EQ(tree.tokens_to(0), (Tokens{7, 8}));
  const std::vector<double> log_probs = score(tree, {{{7, 8}, {{1, 0.5}, {2, 0.25}, {3, 0.01}}}});
  EXPECT_NEAR(log_probs[0], std::log(0.5), kTolerance);
  EXPECT_NEAR(log_probs[1], std::log(0.25), kTolerance);
  EXPECT_NEAR(log_probs[2], std::log(0.01), kTolerance);
}

// "needs improvement", "needs work" and "fine": the shared token is computed once.
TEST(LabelTree, LabelsOfSeveralTokensShareWhatTheyBeginWith) {
  LabelTree tree({{9, 1, 2}, {9, 1, 3}, {9, 4}});
  EXPECT_EQ(tree.base(), Tokens{9});
  ASSERT_EQ(tree.inner_nodes().size(), 2u);
  EXPECT_EQ(tree.tokens_to(tree.inner_nodes()[0]), Tokens{9});
  EXPECT_EQ(tree.tokens_to(tree.inner_nodes()[1]), (Tokens{9, 1}));
  const std::vector<double> log_probs =
      score(tree, {{{9}, {{1, 0.4}, {4, 0.5}}}, {{9, 1}, {{2, 0.7}, {3, 0.2}}}});
  EXPECT_NEAR(log_probs[0], std::log(0.4 * 0.7), kTolerance);
  EXPECT_NEAR(log_probs[1], std::log(0.4 * 0.2), kTolerance);
  EXPECT_NEAR(log_probs[2], std::log(0.5), kTolerance);
}

// "1" and "10": the shorter one also takes the probability that "0" does not follow.
TEST(LabelTree, ALabelThatBeginsAnotherTakesWhatDoesNotFollow) {
  LabelTree tree({{9, 1}, {9, 1, 0}, {9, 2}});
  EXPECT_EQ(tree.base(), Tokens{9});
  const std::vector<double> log_probs =
      score(tree, {{{9}, {{1, 0.6}, {2, 0.3}}}, {{9, 1}, {{0, 0.25}}}});
  EXPECT_NEAR(log_probs[0], std::log(0.6 * 0.75), kTolerance);
  EXPECT_NEAR(log_probs[1], std::log(0.6 * 0.25), kTolerance);
  EXPECT_NEAR(log_probs[2], std::log(0.3), kTolerance);
}

TEST(LabelTree, SeveralLongerLabelsAreAllTakenAway) {
  LabelTree tree({{9, 1}, {9, 1, 0}, {9, 1, 5, 6}, {9, 1, 5}});
  const std::vector<double> log_probs =
      score(tree, {{{9}, {{1, 0.9}}}, {{9, 1}, {{0, 0.3}, {5, 0.5}}}, {{9, 1, 5}, {{6, 0.8}}}});
  EXPECT_NEAR(log_probs[0], std::log(0.9 * 0.2), kTolerance);
  EXPECT_NEAR(log_probs[1], std::log(0.9 * 0.3), kTolerance);
  EXPECT_NEAR(log_probs[2], std::log(0.9 * 0.5 * 0.8), kTolerance);
  EXPECT_NEAR(log_probs[3], std::log(0.9 * 0.5 * 0.2), kTolerance);
}

TEST(LabelTree, ALabelThatBeginsAllOthersKeepsATokenOfItsOwn) {
  LabelTree tree({{9, 8, 1}, {9, 8, 1, 2}, {9, 8, 1, 3}});
  EXPECT_EQ(tree.base(), (Tokens{9, 8}));
  const std::vector<double> log_probs =
      score(tree, {{{9, 8}, {{1, 0.5}}}, {{9, 8, 1}, {{2, 0.5}, {3, 0.25}}}});
  EXPECT_NEAR(log_probs[0], std::log(0.5 * 0.25), kTolerance);
  EXPECT_NEAR(log_probs[1], std::log(0.5 * 0.5), kTolerance);
  EXPECT_NEAR(log_probs[2], std::log(0.5 * 0.25), kTolerance);
}

TEST(LabelTree, WhenALongerLabelIsCertainTheShorterIsImpossible) {
  LabelTree tree({{9, 1}, {9, 1, 0}});
  std::vector<float> certain(kVocabulary, -std::numeric_limits<float>::infinity());
  certain[1] = 3;
  tree.set_logits(tree.inner_nodes()[0], certain);
  std::fill(certain.begin(), certain.end(), -std::numeric_limits<float>::infinity());
  certain[0] = 3;
  tree.set_logits(tree.inner_nodes()[1], certain);
  EXPECT_EQ(tree.log_probs(), (std::vector<double>{-std::numeric_limits<double>::infinity(), 0}));
}

TEST(LabelTree, ParentsComeBeforeTheirChildren) {
  const LabelTree tree({{1, 2, 3, 4}, {1, 5, 6}, {1, 2, 7}, {1, 2, 3, 8}});
  std::vector<Tokens> seen;
  for (const int node : tree.inner_nodes()) {
    Tokens tokens = tree.tokens_to(node);
    const Tokens parent(tokens.begin(), tokens.end() - 1);
    EXPECT_TRUE(seen.empty() || std::find(seen.begin(), seen.end(), parent) != seen.end());
    seen.push_back(std::move(tokens));
  }
  EXPECT_EQ(seen, (std::vector<Tokens>{{1}, {1, 2}, {1, 2, 3}, {1, 5}}));
}

TEST(LabelTree, TheOrderOfLabelsDoesNotChangeTheirScores) {
  const std::map<Tokens, Probabilities> model = {{{9}, {{1, 0.4}, {4, 0.5}}},
                                                 {{9, 1}, {{2, 0.7}, {3, 0.2}}}};
  LabelTree one({{9, 1}, {9, 1, 2}, {9, 1, 3}, {9, 4}});
  LabelTree other({{9, 4}, {9, 1, 3}, {9, 1, 2}, {9, 1}});
  std::vector<double> reversed = score(other, model);
  std::reverse(reversed.begin(), reversed.end());
  const std::vector<double> scores = score(one, model);
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], reversed[i], 1e-12);
}

TEST(LabelTree, ASingleLabelHasADistributionToo) {
  LabelTree tree({{9, 1, 2}});
  EXPECT_EQ(tree.base(), (Tokens{9, 1}));
  EXPECT_NEAR(score(tree, {{{9, 1}, {{2, 0.5}}}})[0], std::log(0.5), kTolerance);
}

TEST(LabelTree, TwoLabelsOfTheSameTokensAreAnError) {
  EXPECT_EQ(selene::testing::message_of<Error>([] {
              LabelTree({{9, 1}, {9, 2}, {9, 1}});
            }),
            "two labels become the same tokens and cannot be told apart; rename one of them");
}

TEST(LabelTree, BugsAreCaught) {
  EXPECT_THROW(LabelTree({}), std::logic_error);
  EXPECT_THROW(LabelTree({{1}, {}}), std::logic_error);
  const LabelTree unscored({{9, 1}, {9, 2}});
  EXPECT_THROW(unscored.log_probs(), std::logic_error);
}

TEST(LogSumExp, IsExactInDouble) {
  EXPECT_NEAR(log_sum_exp(std::vector<float>{0, 0, 0, 0}), std::log(4.0), 1e-15);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000, 1000}), 1000 + std::log(2.0), 1e-12);
  EXPECT_NEAR(log_sum_exp(std::vector<float>{-1000, -std::numeric_limits<float>::infinity()}),
              -1000, 1e-12);
}

TEST(CommonPrefix, IsTheLengthOfTheCommonBeginning) {
  EXPECT_EQ(common_prefix(Tokens{1, 2, 3}, Tokens{1, 2, 4}), 2u);
  EXPECT_EQ(common_prefix(Tokens{1, 2}, Tokens{1, 2, 4}), 2u);
  EXPECT_EQ(common_prefix(Tokens{}, Tokens{1}), 0u);
  EXPECT_EQ(common_prefix(Tokens{2}, Tokens{1}), 0u);
}

}  // namespace
}  // namespace selene::engine
