// Judges the items of a benchmark into a JSONL file, a judgment a row, in the order of the items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "bench/items.h"
#include "bench/spec.h"
#include "core/run_record.h"
#include "data/row_output.h"
#include "judge/judge.h"

namespace selene::bench {

// One benchmark of a run.
struct Work {
  const Spec& spec;
  const Selection& selection;
  std::filesystem::path data;  // The data folder.
  const ItemSet& items;
  std::uint64_t seed = 0;
  const Probe* probe = nullptr;
};

struct RunEvents {
  std::function<void(size_t count)> kept{};  // Rows of an earlier run, before the first judgment.
  std::function<void()> judged{};            // After each item, those not judged too.
  std::function<bool()> stop{};
};

// Everything that a row of the output depends on.
nlohmann::ordered_json describe(const Work& work, const nlohmann::ordered_json& judge);

// Judges the items that `output` does not hold yet; false when stopped before the last. Items too
// long for the judge are written as not judged. Throws Error that names the benchmark: a template
// that does not fit the items, kept rows that are not theirs.
bool run(const Work& work, judge::Judge& judge, data::RowOutput& output, const RunEvents& events);

}  // namespace selene::bench
