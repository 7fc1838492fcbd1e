// One pair to read, as figure 5 of the Selene Mini paper (arXiv 2501.17195) shows one: the prompt,
// and the chosen and the rejected judgment with their verdicts.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "report/table.h"

namespace selene::curate {

struct FoundPair {
  std::string split;
  nlohmann::ordered_json row;  // As its file has it.
};

// The pair of this id, or the first of the row of this id, found as explain() finds rows; without
// an id the first pair there is. `folder` is that of a finished curation. Throws Error: there is
// none (it names the nearest), or there are several rows.
FoundPair find_pair(const std::filesystem::path& folder, const std::string& id = {});

// Chosen and rejected stand side by side on a terminal that is wide enough. Throws Error where the
// row is no pair.
std::string pair_text(const FoundPair& pair, report::Terminal terminal);

}  // namespace selene::curate
