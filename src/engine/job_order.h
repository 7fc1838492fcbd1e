// The order in which requests are computed so that each shared beginning is computed once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/label_tree.h"

namespace selene::engine {

// The indices of `sequences` in the order of a walk through their prefix tree, depth first: each
// shares with the one before it as much as with any earlier one, so computing only what it does not
// share computes every node of the tree once. Of several branches the one with the earliest
// sequence comes first, so results come early for the first rows.
std::vector<size_t> prefix_tree_order(std::span<const std::vector<Token>> sequences);

}  // namespace selene::engine
