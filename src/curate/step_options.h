// Values of a step's options, with their ranges.
#pragma once

#include <vector>

#include <fmt/format.h>

#include "data/yaml_map.h"

namespace selene::curate {

// Throws Error where the number is not from `least` to `most`.
template <typename Number>
Number number_between(const data::Entry& entry, Number least, Number most) {
  const Number number = entry.as<Number>();
  if (number >= least && number <= most) return number;
  throw Error(fmt::format("'{}' must be from {} to {}, not {}", entry.key, least, most, number),
              entry.place);
}

// The options of the step, a map, by a table of keys.
template <typename Options, size_t kCount>
Options read_options(const data::Entry& step, const data::Key<Options> (&keys)[kCount]) {
  Options options;
  data::read_keys(
      options,
      data::entries_of(step.value, fmt::format("the options of '{}'", step.key), step.file), keys);
  return options;
}

// Throws Error where a step that has no options is given some.
inline void check_no_options(const data::Entry& step) {
  const auto given =
      data::entries_of(step.value, fmt::format("the options of '{}'", step.key), step.file);
  if (!given.empty()) throw Error(fmt::format("'{}' has no options", step.key), step.place);
}

}  // namespace selene::curate
