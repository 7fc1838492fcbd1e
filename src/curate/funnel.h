// What a curation did, as its folder tells it (docs/formats.md, "Curation"): sources, steps with
// their counts and examples, benchmarks and pairs. What is read of it is checked: rows that do not
// add up are no report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "curate/accounting.h"

namespace selene::curate {

// In the order of the file.
using NamedNumbers = std::vector<std::pair<std::string, std::uint64_t>>;

struct SplitCounts {
  std::uint64_t train = 0;
  std::uint64_t validation = 0;
  std::uint64_t test = 0;

  std::uint64_t total() const { return train + validation + test; }
};

struct SourceFile {
  std::string file;
  std::string address;
  std::string sha256;
};

struct SourceFacts {
  std::string name;
  std::string title;
  std::string licence;
  std::string attribution;
  std::string paper;
  std::string labels_by;  // human, model, objective, generated
  std::string note;
  std::vector<SourceFile> files;
  std::uint64_t rows = 0;  // Raw ones.
  SplitCounts pairs;
  std::string not_present;  // Why it gave no rows; empty: it was there.
};

struct BenchmarkFacts {
  std::string name;
  std::optional<std::uint64_t> items;
  std::string missing;  // Why the rows were not checked against it; empty: they were.
  std::optional<std::uint64_t> dropped;  // Rows that share something with it; where it is known.
};

struct Overlaps {
  std::uint64_t checked = 0;
  std::uint64_t found = 0;
};

// Critiques that a model was asked for: for a true label, for a wrong one, or for either.
struct CritiqueCounts {
  std::uint64_t asked = 0;
  std::uint64_t written = 0;
  std::uint64_t kept = 0;
  // By check, in the order of the checks, each to the first that it fell to; the first is that
  // nothing was written. asked = kept + these.
  NamedNumbers fell;
};

struct CritiqueExample {
  std::string id;
  std::string label;
  std::string text;
  std::string fell_to;  // Empty: it was kept.
};

struct CritiqueFacts {
  std::string step;
  CritiqueCounts all;
  std::optional<CritiqueCounts> for_true;
  std::optional<CritiqueCounts> for_wrong;
  std::vector<CritiqueExample> examples;
};

struct BinCounts {  // One number a bin.
  std::vector<std::uint64_t> chosen;
  std::vector<std::uint64_t> rejected;
};

struct ScoreFacts {
  std::string step;
  std::string scorer;
  std::vector<double> edges;  // One more than bins, rising.
  BinCounts before;
  BinCounts after;
};

struct Funnel {
  std::string recipe;
  std::string title;
  std::uint64_t seed = 0;
  std::vector<SourceFacts> sources;
  std::vector<StepAccount> steps;        // The first is "load".
  std::vector<CritiqueFacts> critiques;  // Of the steps that had some written,
  std::vector<ScoreFacts> scores;        // and of those that score.
  std::vector<BenchmarkFacts> benchmarks;
  std::optional<Overlaps> overlaps;  // 13-word runs of the benchmarks in the pairs; none: no scan.
  SplitCounts pairs;
  std::vector<std::pair<std::string, NamedNumbers>> by;      // task, kind, template: pairs of each.
  std::vector<std::pair<std::string, NamedNumbers>> labels;  // By task.
};

// Throws Error where it is none, and where rows do not add up: in a step rows in = rows out + rows
// dropped, for each source; what leaves a step enters the next; the first has all rows, and what
// leaves the last are the pairs.
Funnel funnel_from_json(const nlohmann::ordered_json& json);

// Of funnel.json, and of contamination.jsonl where it is there, in the folder of a finished
// curation. Errors name the file.
Funnel read_funnel(const std::filesystem::path& folder);

// What the steps warned of, each with its step before it.
std::vector<std::string> warnings_of(const Funnel& funnel);

// What a step says of itself beside `critiques`, `scores` and `warnings`: names and values, each on
// one line.
std::vector<std::pair<std::string, std::string>> other_facts(const StepAccount& step);

// What leaves a step: its pairs where it makes them, else the rows that it keeps.
std::uint64_t leaving(const Counts& counts);

// Most first; names in their own order where numbers are equal.
NamedNumbers most_first(const std::map<std::string, std::uint64_t>& numbers);

// "1,234,567"
std::string grouped(std::uint64_t number);

}  // namespace selene::curate
