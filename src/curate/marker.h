// What says that a file of rows is whole, and what it was made of: a run that was killed goes on
// behind it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "curate/accounting.h"

namespace selene::curate {

struct Marker {
  std::string fingerprint;  // Of all that the rows depend on.
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // Of the file of rows.
  std::vector<StepAccount> accounts;
};

// Nothing where there is none, or none that can be read.
std::optional<Marker> read_marker(const std::filesystem::path& path);
void write_marker(const std::filesystem::path& path, const Marker& marker);

// Whether the file of rows is as it was when its marker was written.
bool is_whole(const std::filesystem::path& rows, const Marker& marker);

}  // namespace selene::curate
