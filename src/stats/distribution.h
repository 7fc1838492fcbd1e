// The normal and Student's t distribution, as far as the intervals here need them.
#pragma once

namespace selene::stats {

// 97.5% of a standard normal distribution lies below it.
inline constexpr double kNormal975 = 1.959963984540054;

// The share below `z`, and what the share `p`, above 0 and below 1, lies below.
double normal_cdf(double z);
double normal_quantile(double p);

// The same of Student's t with `degrees` of freedom, at least 1.
double student_cdf(double t, double degrees);
double student_quantile(double p, double degrees);

}  // namespace selene::stats
