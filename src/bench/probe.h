// Probes: a perturbed twin of each item of a pairwise benchmark, in which the better response is
// the same. A judge that reads what it is asked to read judges both alike.
#pragma once

#include <span>
#include <string_view>

#include "data/sample.h"

namespace selene::bench {

struct Probe {
  std::string_view name;
  std::string_view help;
  // The twin of a sample with a known label; one whose label is no response (a tie) is as it was,
  // but for its position.
  data::Sample (*twin)(const data::Sample& sample);
};

std::span<const Probe> probes();
// Throws Error that names the known ones.
const Probe& find_probe(std::string_view name);

}  // namespace selene::bench
