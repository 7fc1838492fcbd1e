// What happened to one row of a curation, step by step.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "curate/step.h"
#include "report/table.h"

namespace selene::curate {

struct LivedStep {
  std::string step;
  std::vector<std::string> changes;
  std::optional<Drop> drop;  // None: it went on.
  std::size_t made = 0;      // Pairs, of the step that makes them.
};

struct LivedPair {
  std::string id;
  std::string split;  // Empty: it was dropped.
  std::string kind;   // These, where it was kept.
  std::string label;
  std::string rejected_label;
  std::vector<LivedStep> steps;  // Those behind the one that made it.
};

struct Life {
  std::string id;  // With its source before it.
  std::string source;
  std::string text;  // An excerpt, where there is one.
  // Rows of this id that were not taken in, with file and line.
  std::vector<std::string> rejected;
  std::vector<LivedStep> steps;  // As far as it came.
  std::vector<LivedPair> pairs;
  std::vector<std::string> hits;  // What it shares with benchmarks.
};

// Of the row, or of the row that the pair `id` was made of: "creak/7", or "7" where one source
// alone has it; a rejected row also as "file:line". `folder` is that of a finished curation. Throws
// Error: there is no such row (it names the nearest), or there are several.
Life explain(const std::filesystem::path& folder, const std::string& id);

std::string life_text(const Life& life, report::Terminal terminal);

}  // namespace selene::curate
