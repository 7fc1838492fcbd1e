// The texts of the items that a report gives to read: rows of a run do not repeat them, so they are
// read again from the data.
#pragma once

#include <filesystem>

#include "bench/report.h"

namespace selene::bench {

// What is shown of one text at most, in bytes.
inline constexpr std::size_t kShownText = 4000;

// Adds the texts of the disagreements of every score. `data`: the data folder; empty: where the run
// found it. A score whose data is not there, or is of another revision than its benchmark's file
// says, keeps none, and its `no_texts` says why.
void add_texts(Report& report, const std::filesystem::path& data);

}  // namespace selene::bench
