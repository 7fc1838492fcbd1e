// A benchmark (YAML): where its items come from, how they are asked, and how a judge is scored on
// them. The format is docs/formats.md, "Benchmark file".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/sample.h"
#include "data/selection.h"

namespace selene::bench {

using data::Selection;
using data::SourceFile;

enum class Unreadable { Wrong, Half };  // What an item without a verdict counts in accuracy.

// Groups scored as one, each with its weight.
struct Section {
  std::string name;
  std::vector<std::pair<std::string, double>> groups;
};

// How the groups' figures become the benchmark's.
enum class Overall {
  Items,     // Every item counts the same.
  Groups,    // The mean of the groups.
  Sections,  // The mean of the sections, each the weighted mean of its groups.
};

// Pairwise in both orders: what stands for the judge's verdict. They are the same in one order.
enum class Convention {
  First,       // The verdict of the order as shown first (the stored side is drawn where it tells).
  Mean,        // Of the mean of both orders' distributions.
  Best,        // The order that scores better over the whole benchmark.
  Consistent,  // Right only where both orders are.
};

// One thing about the benchmark that was decided, and where that is known from.
struct Known {
  std::string what;
  std::string source;  // A quotation's place, or "unknown: our choice, …".
};

struct Spec {
  std::string name;
  std::string place;  // Its file, for errors.
  std::string text;   // Its bytes.
  std::string title;
  std::string about;
  std::string paper;
  std::string licence;
  bool gated = false;   // The public files need an account's token.
  std::string column;   // Of the published rows; empty: none.
  std::string average;  // The task in whose average of the paper it is; empty: in none.

  Selection source;                // The public raw files.
  std::optional<Selection> local;  // A converted copy, taken where it is there.

  data::Task task = data::Task::Absolute;
  std::vector<std::string> labels;
  std::string criteria;       // Where the row has none.
  std::string template_spec;  // Empty: the built-in one of the task.
  bool better_first = false;  // The rows hold the better response first: the side is drawn.

  std::string metric;
  std::string positive;  // The label that F1, AUC and Brier are about; empty: none.
  Unreadable unreadable = Unreadable::Wrong;
  Convention convention = Convention::Mean;  // Of the figure; reports show all.
  Overall overall = Overall::Items;
  std::vector<Section> sections;
  std::string order = "both";         // Pairwise: what a run asks where no flag says.
  std::optional<std::int64_t> items;  // How many there are; another number is an error.
  std::vector<Known> known;
};

// Throws Error that names file, line and key.
Spec parse_spec(std::string_view yaml, const std::filesystem::path& path);

// The benchmarks of the program, by name.
std::vector<std::string> spec_names();
// Whether its text is that of the program's own file of this name.
bool is_builtin(const Spec& spec);
// One of them, or a benchmark file. Throws Error that names the known ones.
Spec load_spec(const std::string& name_or_file);

}  // namespace selene::bench
