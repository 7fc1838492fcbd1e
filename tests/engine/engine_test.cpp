#include "engine/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace selene::engine {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Request critique_request() {
  Request request;
  request.answer_start = "**Reasoning:**";
  request.mark = "**Result:**";
  return request;
}

TEST(Engine, TheVerdictFollowsTheCritiqueABlankLineAndTheMark) {
  EXPECT_EQ(answer_before_label(critique_request(), "It is good."),
            "**Reasoning:** It is good.\n\n**Result:**");
}

TEST(Engine, WhiteSpaceAroundACritiqueDoesNotMatter) {
  const std::string expected = answer_before_label(critique_request(), "It is\n\ngood.");
  for (const char* same : {" It is\n\ngood.", "It is\n\ngood.\n\n", "\r\n\t It is\n\ngood. \v\f"}) {
    EXPECT_EQ(answer_before_label(critique_request(), same), expected);
  }
}

TEST(Engine, AnEmptyCritiqueLeavesTheStartAlone) {
  EXPECT_EQ(answer_body(critique_request(), " \n "), "**Reasoning:**");
  EXPECT_EQ(answer_before_label(critique_request(), ""), "**Reasoning:**\n\n**Result:**");
}

TEST(Engine, VerdictOnlyIsTheMarkAlone) {
  Request request = critique_request();
  request.answer_start.clear();
  EXPECT_EQ(answer_body(request, ""), "");
  EXPECT_EQ(answer_before_label(request, ""), "**Result:**");
  EXPECT_EQ(answer_before_label(request, "Good."), "Good.\n\n**Result:**");
}

// Re-scoring a stored critique: it becomes the start of the answer.
TEST(Engine, AStoredCritiqueAsTheStartGivesTheSameText) {
  const Request written = critique_request();
  Request stored = critique_request();
  stored.answer_start = answer_body(written, " It is good. ");
  EXPECT_EQ(answer_before_label(stored, ""), answer_before_label(written, " It is good. "));
}

TEST(Engine, SoftmaxSumsToOneAndKeepsRatios) {
  const std::vector<double> probabilities =
      softmax(std::vector<double>{std::log(0.1), std::log(0.3), std::log(0.4)});
  EXPECT_NEAR(probabilities[0], 0.125, 1e-15);
  EXPECT_NEAR(probabilities[1], 0.375, 1e-15);
  EXPECT_NEAR(probabilities[2], 0.5, 1e-15);
}

TEST(Engine, SoftmaxOfVeryUnlikelyLabelsIsExact) {
  const std::vector<double> probabilities =
      softmax(std::vector<double>{-2000, -2000 - std::log(3)});
  EXPECT_NEAR(probabilities[0], 0.75, 1e-12);
  EXPECT_NEAR(probabilities[1], 0.25, 1e-12);
}

TEST(Engine, AnImpossibleLabelHasNoProbability) {
  EXPECT_EQ(softmax(std::vector<double>{-1, -kInfinity}), (std::vector<double>{1, 0}));
  EXPECT_EQ(softmax(std::vector<double>{-kInfinity, -kInfinity}), (std::vector<double>{0.5, 0.5}));
}

TEST(Engine, SoftmaxOfNothingIsABug) { EXPECT_THROW(softmax({}), std::logic_error); }

}  // namespace
}  // namespace selene::engine
