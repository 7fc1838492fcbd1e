// A pass: steps that run over the rows of one file (pipeline.h), on several threads, with what is
// counted of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "curate/accounting.h"
#include "curate/recipe.h"
#include "curate/step.h"

namespace selene::curate {

struct Pass {
  std::vector<NamedStep*> looks;  // Also those that need the order.
  NamedStep* settles = nullptr;   // The first: one that waited for all rows of the file.
  NamedStep* last = nullptr;      // One that spreads, or takes batches; alone then.

  std::string name() const;
  std::vector<NamedStep*> all() const;  // In their order.
};

// The recipe's steps, in as few passes as they allow or, with `every_step`, each in its own.
// `no_models`: without those that run a model, which are put into `skipped`.
std::vector<Pass> plan_passes(Recipe& recipe, bool every_step, bool no_models,
                              std::vector<std::string>& skipped);

struct PassFiles {
  std::vector<std::filesystem::path> from;
  std::uint64_t rows = 0;         // In them.
  std::filesystem::path to;       // Lines of rows,
  std::filesystem::path dropped;  // and of those that went (StageFile).
};

// Rows of a pass that are done, of so many; 0: not known.
using PassProgress =
    std::function<void(const std::string& pass, std::uint64_t done, std::uint64_t total)>;

struct PassResult {
  std::vector<StepAccount> accounts;  // Of each step; `unit` and `seconds` are for the caller.
  std::uint64_t rows = 0;             // Written.
};

// Its steps have begun. `sources` are the names of those that rows are of. `seen`: the pass before
// has shown the step that waits its rows already. `next`: the step that waits for the rows of this
// pass; null where there is none. Nothing when stopped.
std::optional<PassResult> run_pass(const Pass& pass, const PassFiles& files,
                                   const std::vector<std::string>& sources, bool seen, Step* next,
                                   const Resources& resources, const PassProgress& progress);

}  // namespace selene::curate
