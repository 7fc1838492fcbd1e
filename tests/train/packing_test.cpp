#include "train/packing.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <set>

#include "train/random_model.h"

namespace selene::train {
namespace {

TokenPair pair_of(std::vector<Token> prompt, std::vector<Token> chosen,
                  std::vector<Token> rejected) {
  return {"p", std::move(prompt), std::move(chosen), std::move(rejected), 0, 0};
}

// The tokens that a target's prediction sees, read off the row.
std::vector<Token> context_of(const Row& row, std::int32_t place) {
  const auto before = seen_before(row.segments);
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    const Segment& segment = row.segments[s];
    if (place < segment.begin || place >= segment.end) continue;
    std::vector<Token> tokens;
    for (const Range& range : before[s])
      tokens.insert(tokens.end(), row.tokens.begin() + range.begin, row.tokens.begin() + range.end);
    EXPECT_EQ(static_cast<std::size_t>(segment.position), tokens.size());
    tokens.insert(tokens.end(), row.tokens.begin() + segment.begin, row.tokens.begin() + place + 1);
    return tokens;
  }
  ADD_FAILURE() << "no segment has " << place;
  return {};
}

void expect_branch(const Row& row, const Branch& branch, const std::vector<Token>& prompt,
                   const std::vector<Token>& answer) {
  ASSERT_EQ(branch.targets.size(), answer.size());
  std::vector<Token> text = prompt;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const Target& target = row.targets[static_cast<std::size_t>(branch.targets[i])];
    EXPECT_EQ(target.token, answer[i]);
    EXPECT_EQ(context_of(row, target.from), text);
    text.push_back(answer[i]);
  }
}

TEST(Packing, APairIsItsPromptOnceAndTwoBranches) {
  const std::vector<TokenPair> pairs{pair_of({1, 2, 3}, {4, 5, 9}, {6, 7, 9})};
  const std::vector<Row> rows = pack(pairs, 100);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].tokens, (std::vector<Token>{1, 2, 3, 4, 5, 6, 7}));
  ASSERT_EQ(rows[0].segments.size(), 3U);
  EXPECT_EQ(rows[0].segments[1].parent, 0);
  EXPECT_EQ(rows[0].segments[2].parent, 0);
  EXPECT_EQ(rows[0].segments[2].position, 3);
  EXPECT_EQ(plain_tokens(pairs), 12U);
}

TEST(Packing, AnswersThatBeginAlikeShareTheirBeginning) {
  const std::vector<TokenPair> pairs{pair_of({1, 2}, {5, 6, 7, 9}, {5, 6, 8, 9})};
  const Row row = pack(pairs, 100).at(0);
  EXPECT_EQ(row.tokens, (std::vector<Token>{1, 2, 5, 6, 7, 8}));
  // 5 and 6 are predicted once, then 7, 8 and an end each.
  EXPECT_EQ(row.targets.size(), 6U);
  expect_branch(row, row.pairs[0].chosen, {1, 2}, {5, 6, 7, 9});
  expect_branch(row, row.pairs[0].rejected, {1, 2}, {5, 6, 8, 9});
}

TEST(Packing, AnAnswerThatIsTheBeginningOfTheOtherIsWhole) {
  const std::vector<TokenPair> pairs{pair_of({1}, {5, 6, 9}, {5, 9})};
  const Row row = pack(pairs, 100).at(0);
  EXPECT_EQ(row.tokens, (std::vector<Token>{1, 5, 6}));
  expect_branch(row, row.pairs[0].chosen, {1}, {5, 6, 9});
  expect_branch(row, row.pairs[0].rejected, {1}, {5, 9});
}

TEST(Packing, EveryAnswerSeesItsOwnTextAlone) {
  const std::vector<TokenPair> pairs = testing::random_pairs(20);
  for (const std::size_t most : {1U, 150U, 400U, 100000U}) {
    std::multiset<std::size_t> seen;
    for (const Row& row : pack(pairs, most)) {
      EXPECT_TRUE(std::is_sorted(row.targets.begin(), row.targets.end(),
                                 [](const Target& a, const Target& b) { return a.from < b.from; }));
      for (const PackedPair& packed : row.pairs) {
        seen.insert(packed.pair);
        expect_branch(row, packed.chosen, pairs[packed.pair].prompt, pairs[packed.pair].chosen);
        expect_branch(row, packed.rejected, pairs[packed.pair].prompt, pairs[packed.pair].rejected);
      }
      if (row.pairs.size() > 1) {
        EXPECT_LE(row.tokens.size(), most);
      }
    }
    EXPECT_EQ(seen.size(), pairs.size());
    EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), pairs.size());
  }
}

TEST(Packing, PairsOfOnePromptShareIt) {
  const std::vector<TokenPair> pairs{pair_of({1, 2, 3}, {4, 9}, {5, 9}),
                                     pair_of({7, 7}, {4, 9}, {5, 9}),
                                     pair_of({1, 2, 3}, {6, 9}, {8, 9})};
  const std::vector<Row> rows = pack(pairs, 8);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].pairs.size(), 2U);
  EXPECT_EQ(rows[0].tokens, (std::vector<Token>{1, 2, 3, 4, 5, 6, 8}));
}

}  // namespace
}  // namespace selene::train
