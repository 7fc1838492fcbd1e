// Results of an engine folded into a verdict: a label with its distribution, or unreadable with a
// reason.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/judgment.h"
#include "engine/engine.h"

namespace selene::judge {

// One request's verdict; `labels` are the sample's, one for each that the request scored. `swapped`
// says that it showed A and B in the other order: labels are mapped back.
data::Part make_part(std::span<const std::string> labels, const engine::Result& result,
                     bool swapped);

// Fills label, distribution, statistics, critique, flags and key of `judgment` from its parts.
// Unreadable parts do not count; they are flagged `part_unreadable`.
// - A member's weight is shared by its parts that count, so that more samples or orders give it no
// more of it.
// - Where every part that counts has a distribution, the combined one is their weighted mean, label
// by label; its label
//   the most probable, the first of equals. Else there is none, and the label is the one with most
//   weight behind it: unreadable when two lead.
// - The critique is that of the first part whose label is the combined one.
// - `flipped`: the two orders of one pair disagree; `members_disagree`: the members of a jury do
// (each by the mean of
//   its own parts).
// - The key of several parts is the digest of theirs. `parts` stays empty when there is only one.
void combine(std::vector<data::Part> parts, data::Judgment& judgment);

}  // namespace selene::judge
