#include "stats/calibration.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "stats/golden.h"

namespace selene::stats {
namespace {

std::vector<bool> booleans(const nlohmann::json& numbers) {
  std::vector<bool> result;
  for (const int number : numbers) result.push_back(number == 1);
  return result;
}

TEST(Brier, AgreesWithScikitLearn) {
  for (const auto& row : testing::golden("calibrations")) {
    testing::expect_golden(
        brier(row["probabilities"].get<std::vector<double>>(), booleans(row["positive"])),
        row["brier"], row["name"]);
  }
  for (const auto& row : testing::golden("briers")) {
    testing::expect_golden(brier(row["probabilities"].get<std::vector<double>>(), row["labels"],
                                 row["truth"].get<std::vector<std::size_t>>()),
                           row["brier"], row["name"]);
  }
}

// scikit-learn's manual, brier_score_loss: 0.0375.
TEST(Brier, AgreesWithAWorkedExample) {
  EXPECT_NEAR(*brier(std::vector{0.1, 0.9, 0.8, 0.3}, {false, true, true, false}), 0.0375, 1e-15);
}

TEST(Brier, OverTwoLabelsIsTwiceTheOther) {
  const std::vector<std::size_t> truth = {0, 1, 1};
  EXPECT_NEAR(*brier(std::vector{0.7, 0.3, 0.4, 0.6, 0.9, 0.1}, 2, truth),
              2 * *brier(std::vector{0.3, 0.6, 0.1}, {false, true, true}), 1e-15);
}

TEST(Brier, IsUndefinedOfNothingAndBoundedByOneAndTwo) {
  EXPECT_FALSE(brier({}, std::vector<bool>{}));
  EXPECT_FALSE(brier({}, 3, {}));
  EXPECT_EQ(*brier(std::vector{0.0, 1.0}, {true, false}), 1);
  EXPECT_EQ(*brier(std::vector{0.0, 1.0, 0.0}, 3, std::vector<std::size_t>{2}), 2);
}

TEST(Brier, ImpossibleInputIsABug) {
  EXPECT_THROW(brier(std::vector{1.5}, {true}), std::logic_error);
  EXPECT_THROW(brier(std::vector{0.5}, {true, false}), std::logic_error);
  EXPECT_THROW(brier(std::vector{0.5, 0.5}, 2, std::vector<std::size_t>{2}), std::logic_error);
  EXPECT_THROW(brier(std::vector{0.5, 0.5}, 2, std::vector<std::size_t>{0, 1}), std::logic_error);
}

TEST(CalibrationError, AgreesWithSciPysBins) {
  for (const auto& row : testing::golden("calibrations")) {
    for (const auto& [bins, error] : row["error"].items()) {
      testing::expect_golden(calibration_error(row["probabilities"].get<std::vector<double>>(),
                                               booleans(row["positive"]), std::stoul(bins)),
                             error, row["name"].get<std::string>() + " in " + bins);
    }
  }
}

// By hand. Two bins: of 0.2 and 0.5, one is right (0.5 - 0.35); of 0.9, 0.8 and 1, two are (2/3 -
// 0.9). The error is 2/5 of 0.15 and 3/5 of 0.2333.
TEST(CalibrationError, AgreesWithAWorkedExample) {
  EXPECT_NEAR(
      *calibration_error(std::vector{0.2, 0.5, 0.9, 0.8, 1.0}, {false, true, true, true, false}, 2),
      0.4 * 0.15 + 0.6 * (0.9 - 2.0 / 3), 1e-15);
}

TEST(CalibrationError, IsZeroWhereSharesAreProbabilities) {
  EXPECT_NEAR(*calibration_error(std::vector{0.5, 0.5, 1.0, 0.0}, {true, false, true, false}), 0,
              1e-15);
}

TEST(CalibrationError, OfOneBinIsTheGapOfTheMeans) {
  EXPECT_NEAR(*calibration_error(std::vector{0.1, 0.9, 0.6}, {true, true, false}, 1),
              2.0 / 3 - 1.6 / 3, 1e-15);
}

TEST(CalibrationError, CountsStandForRepeatedItems) {
  const CountStatistic error =
      calibration_error_of(std::vector{0.3, 0.7, 0.72}, {true, true, false}, 4);
  EXPECT_NEAR(*error(std::vector<std::uint32_t>{2, 0, 1}),
              *calibration_error(std::vector{0.3, 0.3, 0.72}, {true, true, false}, 4), 1e-15);
  EXPECT_FALSE(error(std::vector<std::uint32_t>{0, 0, 0}));
}

TEST(CalibrationError, OfNothingIsUndefinedAndImpossibleInputABug) {
  EXPECT_FALSE(calibration_error({}, {}));
  EXPECT_THROW(calibration_error(std::vector{-0.1}, {true}), std::logic_error);
  EXPECT_THROW(calibration_error(std::vector{0.1}, {true}, 0), std::logic_error);
  EXPECT_THROW(calibration_error(std::vector{0.1}, {}), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
