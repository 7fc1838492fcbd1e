// The items of a benchmark: samples with their known truth, selected from data files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/probe.h"
#include "bench/spec.h"
#include "data/sample.h"
#include "table/table.h"

namespace selene::bench {

// The selection whose files are all in `folder`: the source's, else the local copy's. Null where
// neither's are; `reason` then says what is missing.
const Selection* present_selection(const Spec& spec, const std::filesystem::path& folder,
                                   std::string& reason);

// "rewardbench/Chat.jsonl has the digest …, the benchmark was made with …": a line a file of
// another revision.
std::vector<std::string> revision_warnings(const Selection& selection,
                                           const std::filesystem::path& folder);

// Streams the items in the order of the select. A sample's `extra` holds what the row had beside
// it, and under "bench" what scoring needs (docs/formats.md, "Benchmark run"): truth, group,
// cluster, the lengths of the responses in characters, and whether the sides were changed.
class ItemReader {
 public:
  // `seed` draws the side of `better_first` rows, by id; a `probe` makes its twin of each item.
  // Throws Error that names the benchmark: SQL that fails, a column that is missing.
  ItemReader(const Spec& spec, const Selection& selection, const std::filesystem::path& folder,
             std::uint64_t seed, const Probe* probe = nullptr);
  ~ItemReader();

  // False at the end. Throws Error that names benchmark and row: an empty or wrong field, a truth
  // outside of the labels.
  bool next(data::Sample& sample);

 private:
  data::Sample to_sample(nlohmann::ordered_json row) const;

  const Spec& spec_;
  std::uint64_t seed_;
  const Probe* probe_;
  std::unique_ptr<table::Rows> rows_;
  size_t row_ = 0;
};

struct Choice {
  std::size_t limit = 0;  // Items at most, spread over the groups by their sizes; 0: all.
  std::uint64_t seed = 0;
  const Probe* probe = nullptr;  // Makes no other choice of items.
};

// What a run judges.
struct ItemSet {
  std::size_t total = 0;     // Of the benchmark.
  std::size_t count = 0;     // Chosen.
  std::vector<bool> chosen;  // By row.
  std::string digest;        // SHA-256 of the chosen items' ids and texts.
};

// Reads and checks every item. Throws Error as ItemReader does, and for ids that stand twice, no
// items, another number of items than the benchmark has (unless files are of another revision).
ItemSet choose_items(const Spec& spec, const Selection& selection,
                     const std::filesystem::path& folder, const Choice& choice);

}  // namespace selene::bench
