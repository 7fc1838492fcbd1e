// What a curation leaves: pairs, what was dropped, and the funnel (docs/formats.md, "Curation").
#pragma once

#include <filesystem>
#include <functional>

#include <nlohmann/json.hpp>

#include "curate/pipeline.h"

namespace selene::curate {

// Writes train, validation and test (.jsonl and .parquet), dropped.jsonl, rejected.jsonl,
// contamination.jsonl and funnel.json into `out`, and returns what is in funnel.json. Where the
// recipe looks for contamination, every pair that is written is looked through once more for runs
// of words that a benchmark has too. The same rows give the same bytes. Throws Error.
nlohmann::ordered_json write_outputs(const Recipe& recipe, Resources& resources,
                                     const RunResult& result, const std::filesystem::path& out);

// The bad rows alone, of a run that stopped.
void write_rejected(const std::filesystem::path& work, const std::filesystem::path& out);

}  // namespace selene::curate
