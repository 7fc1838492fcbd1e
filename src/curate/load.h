// A source's rows: selected, checked, and written down for the steps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "curate/accounting.h"
#include "curate/recipe.h"

namespace selene::curate {

struct LoadOptions {
  std::filesystem::path data;     // The data folder.
  std::filesystem::path scratch;  // For copies of files without their bad lines.
  std::uint64_t seed = 0;
  double max_bad = 0.01;    // More than this share of bad rows is an Error.
  std::uint64_t limit = 0;  // Rows at most; 0: all.
  std::function<bool()> stop{};
};

// What of the source its rows depend on: its keys and the bytes of its files.
std::string load_fingerprint(const Source& source, const data::Selection& selection,
                             const LoadOptions& options);

// Writes the rows of `selection` to `rows` (lines of to_json(Row)) and the bad ones to `rejected`
// ({"source", "file", "line", "row", "id", "reason"}; of a row that the select gave, `row` is its
// number, and `line` is null where it cannot be told: table/records.h). A row is bad where it has
// no id, input, response or label, a label outside of the label set, an id that stood before, or is
// no line of JSON or CSV at all. Returns the account of the step "load". Throws Error: SQL that
// fails, a file that is cut short, more bad rows than `max_bad` (`rejected` is there then), no
// rows.
StepAccount load_source(const Source& source, const data::Selection& selection,
                        const LoadOptions& options, const std::filesystem::path& rows,
                        const std::filesystem::path& rejected);

}  // namespace selene::curate
