// Proof on this machine that a judgment depends on its sample alone: the same requests under many
// circumstances, their texts and raw label scores compared bit by bit.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/sample.h"
#include "engine/llama_engine.h"
#include "judge/judge.h"

namespace selene::judge {

// One way to run the same work. 0 or empty: as the reference.
struct Circumstance {
  std::string name;
  int threads = 0;
  int max_slots = 0;
  int batch_tokens = 0;
  enum class Arrangement {
    AsGiven,
    Reversed,
    Shuffled,
    OneByOne,
    Warm
  } arrangement = Arrangement::AsGiven;
};

// The table that `selene verify` runs: thread counts, slots, micro-batches, orders, alone, warm.
std::vector<Circumstance> verify_circumstances(int threads);

struct VerifyRow {
  std::string name;
  std::string text_digest;    // SHA-256 over all texts, in the samples' order.
  std::string score_digest;   // SHA-256 over the bits of all label log-probabilities.
  size_t differing = 0;       // Requests whose text or scores differ from the reference's.
  double largest_change = 0;  // Of a label's log-probability.
  double seconds = 0;
  bool same() const { return differing == 0; }
};

struct VerifyReport {
  std::vector<VerifyRow> rows;  // The first is the reference.
  VerifyRow inexact;            // The same work without the rules: what exactness is for.
  // What it costs: seconds with the rules over seconds without, of pairs of runs one after the
  // other, the least first.
  std::vector<double> costs;
  bool all_same() const;
};

// `models`: how to open the model; threads 0: all cores. `done` is told each row as it ends; `stop`
// ends early (the report then has fewer rows).
VerifyReport verify(const engine::LlamaOptions& model, std::span<const engine::Request> requests,
                    const std::function<void(const VerifyRow&)>& done,
                    const std::function<bool()>& stop);

}  // namespace selene::judge
