// Results of an engine folded into a verdict: a label with its distribution, or unreadable with a reason.
#pragma once

#include <string>
#include <vector>

#include "data/judgment.h"
#include "engine/engine.h"

namespace selene::judge {

// One request's verdict. `swapped` says that the request showed A and B in the other order: labels are mapped back.
data::Part make_part(const engine::Request& request, const engine::Result& result, bool swapped);

// Fills label, distribution, statistics, critique, flags and key of `judgment` from its parts:
// - the combined distribution is the parts' mean, label by label; its label the most probable, the first of equals;
// - where no part has a distribution, the label is the one that most parts read, unreadable when none or two lead;
// - the critique is that of the first part whose label is the combined one;
// - `flipped` is added when two orders of one pair disagree;
// - the key of several parts is the digest of theirs. `parts` stays empty when there is only one.
void combine(std::vector<data::Part> parts, data::Judgment& judgment);

}  // namespace selene::judge
