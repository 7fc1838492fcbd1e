// A recipe run over its sources: rows in batches through the steps, pass by pass.
//
// A pass reads a file of rows and writes another. Steps that look at one row at a time share a
// pass; one that waits for all rows, one that makes several rows of one, and one that runs a model
// end it. So memory does not grow with the number of rows, and a run that was killed goes on after
// its last whole pass. Rows keep their order; what a step does is the same on any number of
// threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "curate/accounting.h"
#include "curate/pass.h"
#include "curate/recipe.h"
#include "curate/step.h"

namespace selene::curate {

struct RunOptions {
  std::filesystem::path data;  // The folder of the sources' files.
  std::filesystem::path work;  // For the files between passes.
  double max_bad = 0.01;       // Share of a source's rows.
  std::uint64_t limit = 0;     // Rows of each source at most, from its beginning; 0: all.
  bool every_step = false;     // A pass a step, so that the rows after each can be read.
  bool no_models = false;      // Steps that run a model are passed over.
  std::string from;            // The first step to be done again; empty: those that are not done.
  PassProgress progress;
};

// The rows after a step.
struct StageFile {
  std::string step;
  std::filesystem::path rows;
  std::filesystem::path
      dropped;  // Lines of {"id", "source", "step", "reason", "detail", "history", "text"}.
};

struct RunResult {
  bool done = false;                            // False: stopped by Resources::stop.
  std::vector<StepAccount> accounts;            // "load", then each step.
  std::vector<StageFile> stages;                // A pass each; the last has the pairs.
  std::vector<std::filesystem::path> loaded;    // A file of rows for each source that is present.
  std::vector<std::filesystem::path> rejected;  // Likewise: the bad rows.
  std::vector<std::pair<std::string, std::string>> not_present;  // Source and reason.
  std::vector<std::string> skipped;      // Steps that no_models passed over.
  std::vector<std::string> passes_kept;  // Of an earlier run.
  // Of each step that runs a model, the digest of all that its results depend on.
  nlohmann::ordered_json models = nlohmann::ordered_json::object();
};

// Throws Error: no source's files are there, a source is too bad, a step that leaves no row (it is
// named), a step's own.
RunResult run(Recipe& recipe, Resources& resources, const RunOptions& options);

}  // namespace selene::curate
