// Number formats of one model side by side on this machine: how fast each judges, and what it does
// to the verdicts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llama_engine.h"

namespace selene::judge {

struct TuneOptions {
  engine::LlamaOptions model;  // Opened as given for the reference; its file is what is converted.
  std::vector<std::string_view> formats;  // Of model::quantized_formats().
  std::filesystem::path folder;           // For the converted files; one is there at a time.
  int repeats = 3;                        // Of each, in turn; the median counts.
};

struct TuneRow {
  std::string format;  // "as it is" for the reference, which is the first row.
  std::uint64_t bytes = 0;
  double prefill = 0;        // Prompt tokens computed a second.
  double decode = 0;         // Tokens of critiques a second.
  size_t verdicts = 0;       // Scored without a critique.
  size_t changed = 0;        // Of these, how many have another label than the reference.
  double mean_distance = 0;  // Total variation distance to the reference's distribution, 0..1.
  double largest_distance = 0;
};

// `requests` are run in each format, those without generated tokens for `prefill` and the
// distributions, the others for `decode`. `done` is told each row when its last repeat has ended;
// `stop` ends early. Throws Error as model::quantize and the engine do.
std::vector<TuneRow> tune(const TuneOptions& options, std::span<const engine::Request> requests,
                          const std::function<void(const TuneRow&)>& done,
                          const std::function<bool()>& stop);

}  // namespace selene::judge
