#include "stats/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "stats/golden.h"

namespace selene::stats {
namespace {

void expect_close(double value, double expected) {
  EXPECT_NEAR(value, expected, 1e-12 * std::abs(expected) + 1e-300);
}

TEST(Distribution, AgreesWithSciPy) {
  const auto golden = testing::golden("distributions");
  for (const auto& row : golden["normal_cdf"]) expect_close(normal_cdf(row[0]), row[1]);
  for (const auto& row : golden["normal_quantile"]) expect_close(normal_quantile(row[0]), row[1]);
  for (const auto& row : golden["student_cdf"]) {
    SCOPED_TRACE(row.dump());
    EXPECT_NEAR(student_cdf(row[0], row[1]) / row[2].get<double>(), 1, 1e-9);
  }
  for (const auto& row : golden["student_quantile"]) {
    SCOPED_TRACE(row.dump());
    EXPECT_NEAR(student_quantile(row[0], row[1]), row[2], 1e-9 * std::abs(row[2].get<double>()));
  }
}

TEST(Distribution, QuantilesUndoDistributionFunctions) {
  for (const double p : {1e-12, 0.01, 0.3, 0.5, 0.7, 0.999}) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-14);
    for (const double degrees : {1.0, 3.5, 40.0, 1e5}) {
      EXPECT_NEAR(student_cdf(student_quantile(p, degrees), degrees) / p, 1, 1e-9);
    }
  }
}

TEST(Distribution, IsSymmetric) {
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_EQ(student_quantile(0.5, 3), 0);
  EXPECT_NEAR(normal_quantile(0.975), kNormal975, 1e-15);
  EXPECT_EQ(student_quantile(0.25, 7), -student_quantile(0.75, 7));
}

TEST(Distribution, ImpossibleArgumentsAreBugs) {
  EXPECT_THROW(normal_quantile(0), std::logic_error);
  EXPECT_THROW(normal_quantile(1), std::logic_error);
  EXPECT_THROW(student_quantile(0, 3), std::logic_error);
  EXPECT_THROW(student_cdf(0, 0.5), std::logic_error);
}

}  // namespace
}  // namespace selene::stats
