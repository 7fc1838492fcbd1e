#include <fmt/format.h>

#include "core/random.h"
#include "curate/step.h"

namespace selene::curate {

std::uint64_t chance(std::uint64_t seed, std::string_view purpose, std::string_view id) {
  return derive_seed(seed, fmt::format("{}\n{}", purpose, id));
}

double chance_share(std::uint64_t seed, std::string_view purpose, std::string_view id) {
  return Random(chance(seed, purpose, id)).uniform();
}

}  // namespace selene::curate
