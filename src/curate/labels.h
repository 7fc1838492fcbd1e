// The label that is rejected: the same for the step that writes critiques for it and for the step
// that makes pairs.
#pragma once

#include <cstdint>
#include <string>

#include "curate/row.h"

namespace selene::data {
struct Entry;
}

namespace selene::curate {

enum class RejectedChoice {
  Nearest,   // Of numbers the next above or below, by chance; else any other label.
  Random,    // Any other label, all alike.
  Probable,  // That which the judge (Row::judged) finds most probable; not judged: nearest.
};

// `nearest`, `random` or `probable`. Throws Error that names them.
RejectedChoice read_rejected_choice(const data::Entry& entry);

// Another label than the row's own. By chance of the seed and the row's id alone.
std::string rejected_label(const Row& row, RejectedChoice choice, std::uint64_t seed);

}  // namespace selene::curate
