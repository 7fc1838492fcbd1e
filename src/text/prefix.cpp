#include "text/prefix.h"

#include <algorithm>
#include <cmath>

namespace selene::text {

size_t least_shared(double threshold, size_t a, size_t b) {
  const auto all = static_cast<double>(a + b);
  auto least = static_cast<size_t>(std::floor(threshold / (1 + threshold) * all));
  least = least > 0 ? least - 1 : 0;
  while (static_cast<double>(least) / (all - static_cast<double>(least)) < threshold) ++least;
  return least;
}

// A similar set has at least threshold * size of these shingles, so it lacks size minus that many
// at most, and of one more it has one.
size_t prefix_length(double threshold, size_t size) {
  // Downwards by a hair: rounding must not make the prefix shorter.
  const auto needed =
      static_cast<size_t>(std::ceil(threshold * static_cast<double>(size) * (1 - 1e-12)));
  return size - std::min(size, std::max<size_t>(needed, 1)) + 1;
}

void first_shingles(std::span<const std::uint64_t> set, const ShingleCounts& counts, size_t length,
                    std::vector<Ranked>& first) {
  first.clear();
  for (const std::uint64_t shingle : set) first.emplace_back(counts.of(shingle), shingle);
  const auto end = first.begin() + static_cast<std::ptrdiff_t>(std::min(length, set.size()));
  if (end != first.end()) std::nth_element(first.begin(), end, first.end());
  first.erase(end, first.end());
  std::sort(first.begin(), first.end());
}

}  // namespace selene::text
