// The normal quantile of the 95% intervals here.
#pragma once

namespace selene::stats {

// 97.5% of a standard normal distribution lies below it.
inline constexpr double kNormal975 = 1.959963984540054;

}  // namespace selene::stats
