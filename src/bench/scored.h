// What scoring needs of a benchmark's judged items, read from the rows of a run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/spec.h"

namespace selene::bench {

enum class State { Judged, Unreadable, Skipped };  // Skipped: too long for the judge.

struct ScoredItem {
  std::string id;
  std::uint32_t group = 0;    // Index into Scored::groups.
  std::uint32_t cluster = 0;  // Index; each item its own where the benchmark has none.
  State state = State::Judged;
  // Indices into the benchmark's labels; -1: none.
  int truth = -1;
  int label = -1;
  // Pairwise: the label of each order, as stored. Both are `label` where there was one order.
  int label_ab = -1;
  int label_ba = -1;
  double truth_number = 0;                    // Where the metric's truth is a number.
  std::optional<double> score;                // The expected score.
  std::optional<double> annotator_agreement;  // Of people, where several labelled the item.
  std::vector<double> probabilities;          // By label; empty where the engine gives none.
  std::array<std::uint32_t, 2> lengths{};     // Of the responses, in characters.
};

struct Scored {
  std::vector<ScoredItem> items;
  std::vector<std::string> groups;   // In the order of their first items.
  std::vector<std::string> reasons;  // Why items are unreadable or skipped, each once.
  size_t clusters = 0;
  bool has_clusters = false;  // Else each item is its own.
  bool both_orders = false;
  std::string judge;  // The judge's name.
  std::string template_name;
  std::string mode;
  std::string probe;  // Whose twins were judged; empty: none.
};

// The label's number, of an item with a verdict whose labels are numbers.
double label_score(const Spec& spec, const ScoredItem& item);
// The expected score, or the label's number where the engine gave no probabilities.
double score_of(const Spec& spec, const ScoredItem& item);

// The id of a row as text: `"1"` and `1` are one.
std::string id_text(const nlohmann::ordered_json& row);

// Reads the judgments of a run (docs/formats.md, "Benchmark run"). Throws Error that names file and
// line: a row that is none of this benchmark's, labels outside of its labels, no rows.
Scored read_scored(const Spec& spec, const std::filesystem::path& path);

}  // namespace selene::bench
