// Results folded into verdicts.
#include "judge/verdict.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/digest.h"

namespace selene::judge {
namespace {

using data::Distribution;
using data::Judgment;
using data::Part;
using Flags = std::vector<std::string>;

using Labels = std::vector<std::string>;

engine::Result scored(const std::vector<double>& probabilities) {
  engine::Result result;
  for (const double probability : probabilities)
    result.label_log_probs.push_back(std::log(probability));
  return result;
}

void expect_near(const Distribution& distribution, const Distribution& expected) {
  ASSERT_EQ(distribution.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(distribution[i].first, expected[i].first);
    EXPECT_NEAR(distribution[i].second, expected[i].second, 1e-12);
  }
}

// --- one request ---

TEST(Part, TheMostProbableLabelIsTheVerdict) {
  const Part part = make_part(Labels({"A", "B", "Tie"}), scored({0.2, 0.5, 0.1}), false);
  EXPECT_EQ(part.label, "B");
  expect_near(part.probabilities, {{"A", 0.25}, {"B", 0.625}, {"Tie", 0.125}});
  EXPECT_EQ(part.unreadable, "");
}

TEST(Part, OfASwappedPairIsMappedBack) {
  const Part part = make_part(Labels({"A", "B", "Tie"}), scored({0.2, 0.5, 0.1}), true);
  EXPECT_EQ(part.label, "A");
  expect_near(part.probabilities, {{"A", 0.625}, {"B", 0.25}, {"Tie", 0.125}});
}

TEST(Part, OfEqualLabelsTheFirstIsTaken) {
  EXPECT_EQ(make_part(Labels({"A", "B"}), scored({0.5, 0.5}), false).label, "A");
  EXPECT_EQ(make_part(Labels({"A", "B"}), scored({0.5, 0.5}), true).label, "A");
}

TEST(Part, ALabelReadFromTextHasNoDistribution) {
  engine::Result result;
  result.label_read = 1;
  EXPECT_EQ(make_part(Labels({"A", "B"}), result, false).label, "B");
  EXPECT_EQ(make_part(Labels({"A", "B"}), result, true).label, "A");
  EXPECT_TRUE(make_part(Labels({"A", "B"}), result, false).probabilities.empty());
}

TEST(Part, UnreadableKeepsReasonAndText) {
  engine::Result result;
  result.text = "I cannot say.";
  result.unreadable = "no label after the mark";
  const Part part = make_part(Labels({"A", "B"}), result, false);
  EXPECT_FALSE(part.label);
  EXPECT_EQ(part.unreadable, "no label after the mark");
  EXPECT_EQ(part.critique, "I cannot say.");
  EXPECT_EQ(make_part(Labels({"A", "B"}), {}, false).unreadable, "the engine gave no verdict");
}

TEST(Part, SaysWhatHappenedToTheText) {
  engine::Result result = scored({0.5, 0.5});
  EXPECT_EQ(make_part(Labels({"A", "B"}), result, false).flags, Flags{});
  result.truncated = true;
  result.invalid_utf8 = true;
  EXPECT_EQ(make_part(Labels({"A", "B"}), result, false).flags,
            (Flags{"truncated", "invalid_utf8"}));
}

// --- several ---

Part part(const std::string& label, Distribution probabilities = {}) {
  Part made;
  if (!label.empty()) made.label = label;
  if (label.empty()) made.unreadable = "no label after the mark";
  made.probabilities = std::move(probabilities);
  made.critique = "says " + (label.empty() ? std::string("nothing") : label);
  made.key = "key of " + label;
  return made;
}

Part ordered(Part made, const std::string& order) {
  made.order = order;
  return made;
}

Judgment combined(std::vector<Part> parts, Judgment judgment = {}) {
  combine(std::move(parts), judgment);
  return judgment;
}

TEST(Combine, OnePartIsTheJudgment) {
  const Judgment judgment = combined({part("4", {{"3", 0.25}, {"4", 0.5}, {"5", 0.25}})});
  EXPECT_EQ(judgment.label, "4");
  EXPECT_EQ(judgment.score, 4);
  EXPECT_EQ(judgment.margin, 0.25);
  EXPECT_EQ(judgment.entropy, 1.5);
  EXPECT_EQ(judgment.critique, "says 4");
  EXPECT_EQ(judgment.key, "key of 4");
  EXPECT_TRUE(judgment.parts.empty());
  EXPECT_EQ(judgment.flags, Flags{});
}

TEST(Combine, LabelsThatAreNoNumbersHaveNoScore) {
  EXPECT_FALSE(combined({part("A", {{"A", 0.75}, {"B", 0.25}})}).score);
}

TEST(Combine, TwoOrdersGiveTheMeanOfTheirDistributions) {
  const Judgment judgment = combined({ordered(part("A", {{"A", 0.9}, {"B", 0.1}}), "ab"),
                                      ordered(part("A", {{"A", 0.6}, {"B", 0.4}}), "ba")});
  EXPECT_EQ(judgment.label, "A");
  expect_near(judgment.probabilities, {{"A", 0.75}, {"B", 0.25}});
  EXPECT_NEAR(*judgment.margin, 0.5, 1e-12);
  EXPECT_EQ(judgment.flags, Flags{});
  ASSERT_EQ(judgment.parts.size(), 2u);
  EXPECT_EQ(judgment.parts[1].order, "ba");
  EXPECT_EQ(judgment.key, sha256("key of A\nkey of A\n"));
}

TEST(Combine, OrdersThatDisagreeAreFlippedAndTheSurerOneWins) {
  const Judgment judgment = combined({ordered(part("A", {{"A", 0.6}, {"B", 0.4}}), "ab"),
                                      ordered(part("B", {{"A", 0.1}, {"B", 0.9}}), "ba")});
  EXPECT_EQ(judgment.label, "B");
  EXPECT_EQ(judgment.flags, Flags{"flipped"});
  EXPECT_EQ(judgment.critique, "says B");
}

// A judge that always prefers the first place says nothing: the mean is even, the first label
// stands, the flip is said.
TEST(Combine, APurePositionBiasIsEven) {
  const Judgment judgment = combined({ordered(part("A", {{"A", 0.75}, {"B", 0.25}}), "ab"),
                                      ordered(part("B", {{"A", 0.25}, {"B", 0.75}}), "ba")});
  expect_near(judgment.probabilities, {{"A", 0.5}, {"B", 0.5}});
  EXPECT_EQ(judgment.label, "A");
  EXPECT_EQ(judgment.margin, 0);
  EXPECT_EQ(judgment.entropy, 1);
  EXPECT_EQ(judgment.flags, Flags{"flipped"});
}

TEST(Combine, TiesAreALabelLikeOthers) {
  const Judgment judgment =
      combined({ordered(part("A", {{"A", 0.5}, {"B", 0.1}, {"Tie", 0.4}}), "ab"),
                ordered(part("B", {{"A", 0.1}, {"B", 0.5}, {"Tie", 0.4}}), "ba")});
  EXPECT_EQ(judgment.label, "Tie");
  EXPECT_EQ(judgment.flags, Flags{"flipped"});
  EXPECT_EQ(judgment.critique, "says A") << "no part says Tie: the first one's critique stands";
}

TEST(Combine, RepeatsThatDisagreeAreNotFlipped) {
  std::vector<Part> parts = {part("3", {{"3", 0.8}, {"4", 0.2}}),
                             part("4", {{"3", 0.3}, {"4", 0.7}})};
  parts[1].sample = 1;
  const Judgment judgment = combined(parts);
  EXPECT_EQ(judgment.label, "3");
  EXPECT_EQ(judgment.flags, Flags{});
}

TEST(Combine, FlipsAreSoughtWithinARepeat) {
  std::vector<Part> parts;
  for (const auto& [label, order, sample] :
       {std::tuple{"A", "ab", 0}, {"A", "ba", 0}, {"B", "ab", 1}, {"B", "ba", 1}}) {
    parts.push_back(ordered(
        part(label, {{"A", label[0] == 'A' ? 0.9 : 0.2}, {"B", label[0] == 'A' ? 0.1 : 0.8}}),
        order));
    parts.back().sample = sample;
  }
  EXPECT_EQ(combined(parts).flags, Flags{});
  std::swap(parts[1].label, parts[3].label);
  EXPECT_EQ(combined(parts).flags, Flags{"flipped"});
}

TEST(Combine, WeightsCount) {
  std::vector<Part> parts = {part("Yes", {{"Yes", 1}, {"No", 0}}),
                             part("No", {{"Yes", 0}, {"No", 1}})};
  parts[0].judge = "small";
  parts[1].judge = "large";
  parts[1].weight = 3;
  const Judgment judgment = combined(parts);
  EXPECT_EQ(judgment.label, "No");
  expect_near(judgment.probabilities, {{"Yes", 0.25}, {"No", 0.75}});
  EXPECT_EQ(judgment.flags, Flags{"members_disagree"});
}

TEST(Combine, AMembersWeightIsSharedByItsParts) {
  // Three samples of one member, one of another that weighs as much; the one that has no verdict
  // takes none of the weight.
  std::vector<Part> parts = {
      part("Yes", {{"Yes", 0.75}, {"No", 0.25}}), part("Yes", {{"Yes", 0.75}, {"No", 0.25}}),
      part("Yes", {{"Yes", 0.75}, {"No", 0.25}}), part("No", {{"Yes", 0}, {"No", 1}}), part("")};
  for (size_t i = 0; i < 3; ++i) parts[i].judge = "often";
  parts[3].judge = parts[4].judge = "once";
  const Judgment judgment = combined(parts);
  EXPECT_EQ(judgment.label, "No");
  expect_near(judgment.probabilities, {{"Yes", 0.375}, {"No", 0.625}});
  parts[3].weight = 3;
  expect_near(combined(parts).probabilities, {{"Yes", 0.1875}, {"No", 0.8125}});
}

TEST(Combine, AMajorityOfMembersNotOfTheirParts) {
  std::vector<Part> parts = {part("Yes"), part("Yes"), part("Yes"), part("No")};
  for (size_t i = 0; i < 3; ++i) parts[i].judge = "often";
  parts[3].judge = "once";
  EXPECT_FALSE(combined(parts).label) << "one member against one";
  parts[3].weight = 1.5;
  EXPECT_EQ(combined(parts).label, "No");
  // Each member is of two minds: sevenths and thirds still add up to as much.
  std::vector<Part> many;
  for (int i = 0; i < 7; ++i) many.push_back(part("Yes"));
  for (int i = 0; i < 3; ++i) many.push_back(part("No"));
  for (size_t i = 0; i < many.size(); ++i) many[i].judge = i < 7 ? "seven" : "three";
  EXPECT_FALSE(combined(many).label);
}

TEST(Combine, MembersAreComparedByTheirOwnMeans) {
  // Each member flips, and both agree on A over both orders.
  std::vector<Part> parts = {ordered(part("A", {{"A", 0.9}, {"B", 0.1}}), "ab"),
                             ordered(part("B", {{"A", 0.4}, {"B", 0.6}}), "ba"),
                             ordered(part("A", {{"A", 0.8}, {"B", 0.2}}), "ab"),
                             ordered(part("B", {{"A", 0.3}, {"B", 0.7}}), "ba")};
  parts[2].judge = parts[3].judge = "other";
  EXPECT_EQ(combined(parts).flags, Flags{"flipped"});
  EXPECT_EQ(combined(parts).label, "A");
}

TEST(Combine, UnreadablePartsDoNotCountAndAreSaid) {
  const Judgment judgment = combined({part(""), part("Yes", {{"Yes", 0.75}, {"No", 0.25}})});
  EXPECT_EQ(judgment.label, "Yes");
  expect_near(judgment.probabilities, {{"Yes", 0.75}, {"No", 0.25}});
  EXPECT_EQ(judgment.critique, "says Yes");
  EXPECT_EQ(judgment.flags, Flags{"part_unreadable"});
}

TEST(Combine, WithoutAReadablePartTheReasonStands) {
  const Judgment judgment = combined({part(""), part("")});
  EXPECT_FALSE(judgment.label);
  EXPECT_EQ(judgment.unreadable, "no label after the mark");
  EXPECT_TRUE(judgment.probabilities.empty());
  EXPECT_FALSE(judgment.score);
  EXPECT_FALSE(judgment.margin);
  EXPECT_FALSE(judgment.entropy);
  EXPECT_EQ(judgment.critique, "says nothing");
  EXPECT_EQ(judgment.flags, Flags{});
}

TEST(Combine, WithoutDistributionsTheMajorityWins) {
  const Judgment judgment = combined({part("No"), part("Yes"), part("Yes")});
  EXPECT_EQ(judgment.label, "Yes");
  EXPECT_TRUE(judgment.probabilities.empty());
  EXPECT_EQ(judgment.critique, "says Yes");
}

TEST(Combine, AMajorityOfWeightNotOfHeads) {
  std::vector<Part> parts = {part("No"), part("Yes"), part("Yes")};
  parts[0].weight = 5;
  EXPECT_EQ(combined(parts).label, "No");
}

TEST(Combine, WithoutAMajorityThereIsNoVerdict) {
  const Judgment judgment = combined({part("Yes"), part("No")});
  EXPECT_FALSE(judgment.label);
  EXPECT_EQ(judgment.unreadable, "as much weight is behind one label as another");
  EXPECT_EQ(judgment.critique, "says Yes");
  // A third that has less weight than the two leaders changes nothing.
  std::vector<Part> parts = {part("Yes"), part("No"), part("Maybe")};
  parts[2].weight = 0.5;
  EXPECT_FALSE(combined(parts).label);
}

TEST(Combine, APartWithoutADistributionMakesItAMajority) {
  const Judgment judgment =
      combined({part("Yes", {{"Yes", 0.9}, {"No", 0.1}}), part("No"), part("No")});
  EXPECT_EQ(judgment.label, "No");
  EXPECT_TRUE(judgment.probabilities.empty());
}

TEST(Combine, FlagsAreSortedDistinctAndKept) {
  Judgment judgment;
  judgment.flags = {"mark_in_data", "empty_response"};
  std::vector<Part> parts = {part("A", {{"A", 1}, {"B", 0}}), part("A", {{"A", 1}, {"B", 0}})};
  parts[0].flags = {"truncated"};
  parts[1].flags = {"truncated", "invalid_utf8"};
  EXPECT_EQ(combined(parts, judgment).flags,
            (Flags{"empty_response", "invalid_utf8", "mark_in_data", "truncated"}));
}

TEST(Combine, NothingIsABug) { EXPECT_THROW(combined({}), std::logic_error); }

}  // namespace
}  // namespace selene::judge
