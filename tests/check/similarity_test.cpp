#include "check/similarity.h"

#include <gtest/gtest.h>

namespace selene::check {
namespace {

double measure(std::string_view name, std::string_view text, std::string_view reference) {
  for (const Similarity& one : similarities()) {
    if (one.name == name) return one.measure(text, reference);
  }
  throw std::logic_error("no such measure");
}

TEST(Similarity, TokenF1CountsSharedWords) {
  // 2 of 3 and 2 of 2 words: 2 * 2 / (3 + 2).
  EXPECT_DOUBLE_EQ(measure("token_f1", "the cat sat", "The cat."), 0.8);
  EXPECT_DOUBLE_EQ(measure("token_f1", "a a a", "a"), 0.5);  // A word counts as often as in both.
}

TEST(Similarity, RougeLKeepsTheOrder) {
  // Lin 2004, section 3.1: "police killed the gunman" against "police kill the gunman" (3 of 4)
  // and "the gunman kill police" (2 of 4).
  EXPECT_DOUBLE_EQ(measure("rouge_l", "police kill the gunman", "police killed the gunman"), 0.75);
  EXPECT_DOUBLE_EQ(measure("rouge_l", "the gunman kill police", "police killed the gunman"), 0.5);
}

TEST(Similarity, LevenshteinIsOfTheLonger) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_DOUBLE_EQ(measure("levenshtein", "kitten", "sitting"), 1 - 3.0 / 7);
}

TEST(Similarity, AllAreOneForEqualsAndZeroForStrangers) {
  for (const Similarity& one : similarities()) {
    EXPECT_EQ(one.measure("", ""), 1) << one.name;
    EXPECT_EQ(one.measure("caf\u00E9 one", "caf\u00E9 one"), 1) << one.name;
    EXPECT_EQ(one.measure("xyz", "abc"), 0) << one.name;
    EXPECT_EQ(one.measure("", "abc"), 0) << one.name;
  }
}

}  // namespace
}  // namespace selene::check
