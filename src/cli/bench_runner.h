// Benchmarks judged into a folder, for the commands that do so.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/probe.h"
#include "cli/judge_flags.h"

namespace selene::cli {

struct BenchRunOptions {
  std::vector<std::string> names;  // Benchmarks; `all`: all.
  std::string data;                // The data folder; empty: the usual one.
  std::string out;                 // The run's folder, made where it is not there.
  std::size_t limit = 0;           // Items of each; 0: all.
  bool overwrite = false;
  bool quiet = false;
  JudgeFlags judge;
  std::string label = "judging";        // Of the progress line.
  const bench::Probe* probe = nullptr;  // Judges the twins of the items.
};

struct BenchRunOutcome {
  bool done = false;  // Else interrupted; what was judged is kept.
  std::size_t benchmarks = 0;
  std::size_t items = 0;
  std::size_t judged = 0;  // Now.
};

// Into OUT: NAME.jsonl, NAME.jsonl.run.json and NAME.yaml for each benchmark, and run.json. What
// OUT holds of the same work is kept and gone on with. Says on standard error what is not run, and
// why. Throws Error where no benchmark's data is there.
BenchRunOutcome run_benchmarks(const BenchRunOptions& options);

}  // namespace selene::cli
