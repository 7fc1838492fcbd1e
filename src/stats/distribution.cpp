#include "stats/distribution.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "core/error.h"

namespace selene::stats {
namespace {

// The continued fraction of the incomplete beta function, NIST Digital Library of Mathematical
// Functions 8.17.22, by Lentz's method. It converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto nonzero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int m = 1; m < 10'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    for (const double step : {even, odd}) {
      d = 1 / nonzero(1 + step * d);
      c = nonzero(1 + step / c);
      result *= c * d;
    }
    if (std::abs(c * d - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return result;
}

// The logarithm of the gamma function, without the global of std::lgamma: J. Stirling's series,
// shifted to where it is exact to rounding.
double log_gamma(double x) {
  double shift = 0;
  for (; x < 12; ++x) shift += std::log(x);
  const double square = 1 / (x * x);
  const double series =
      (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680)))) / x;
  return (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * std::numbers::pi) + series - shift;
}

// The regularised incomplete beta function; y is 1 - x, given apart as it may be tiny.
double beta(double x, double y, double a, double b) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front =
      std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(y, b, a) / b;
}

// By halving below 0, where a symmetric distribution function has all its digits.
template <typename Cdf>
double quantile(double p, const Cdf& cdf) {
  ensure(p > 0 && p < 1, "a quantile outside 0..1");
  if (p > 0.5) return -quantile(1 - p, cdf);
  double high = 0;
  double low = -1;
  while (cdf(low) > p) low *= 2;
  // Until no number is between, but not into the many that are next to 0.
  for (double middle = low / 2; middle > low && middle < high && middle < -1e-16;
       middle = low + (high - low) / 2) {
    (cdf(middle) > p ? high : low) = middle;
  }
  return high;
}

}  // namespace

double normal_cdf(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

double normal_quantile(double p) { return quantile(p, normal_cdf); }

double student_cdf(double t, double degrees) {
  ensure(degrees >= 1, "a t distribution without degrees of freedom");
  const double square = t * t;
  const double tail =
      beta(degrees / (degrees + square), square / (degrees + square), degrees / 2, 0.5) / 2;
  return t <= 0 ? tail : 1 - tail;
}

double student_quantile(double p, double degrees) {
  return quantile(p, [degrees](double t) { return student_cdf(t, degrees); });
}

}  // namespace selene::stats
