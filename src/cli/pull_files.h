// The public files of a selection, fetched into the data folder.
#pragma once

#include <filesystem>
#include <string>

#include "data/selection.h"

namespace selene::cli {

struct PullOptions {
  std::string owner;      // What the files belong to, for messages: "benchmark".
  std::string paper;      // Says where the data is, where there is no public address.
  std::string token_env;  // The variable with the account's token; empty: none is wanted.
  bool quiet = false;
};

// Each file that is not there yet, checked by its SHA-256 where that is known, and made of its
// workbook where it is made of one; says of each where it lies. Throws Error: no address, a file of
// another revision, a failed download.
void pull_files(const data::Selection& selection, const std::filesystem::path& folder,
                const PullOptions& options);

}  // namespace selene::cli
