// Sequences: the token sequences whose keys and values a llama.cpp context holds, one a slot.
//
// The logits of a sequence are the same bits whatever else is computed, in which pieces and by how many threads. On
// llama.cpp's CPU backend that takes three things:
// - no flash attention, and a KV stream a slot (kv_unified = false);
// - never a single token of a sequence in a pass: its attention would go through another kernel (a dot product with four
//   accumulators instead of a matrix product with one), which rounds otherwise. At least kLeastTokens are computed, the
//   ones before the new one again if need be: they come out as they were.
// - the same number of tokens of every sequence in a pass, since llama.cpp splits others, and may leave single ones.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/label_tree.h"

struct llama_adapter_lora;
struct llama_model;

namespace selene::engine {

class Sequences {
 public:
  // ARM's half-precision matrix product begins at 8 columns, x86's at 2.
#if defined(__aarch64__)
  static constexpr size_t kLeastTokens = 8;
#else
  static constexpr size_t kLeastTokens = 2;
#endif

  struct Options {
    llama_model* model = nullptr;           // Outlives this object.
    llama_adapter_lora* adapter = nullptr;  // May be null.
    float adapter_scale = 1;
    int slots = 1;
    std::int64_t slot_tokens = 4096;        // The longest sequence of a slot.
    int batch_tokens = 512;                 // Computed at once.
    size_t outputs = 1;                     // The most that a goal asks for.
    int threads = 1;
    bool exact = true;                      // False: flash attention; bits then depend on threads and batch.
  };

  // The tokens that a slot shall hold.
  struct Goal {
    int slot = 0;
    std::vector<Token> tokens;  // Not empty, at most slot_tokens.
    size_t outputs = 1;         // Logits are read after each of the last `outputs` tokens.
  };
  // `output` counts from 0, the earliest of the goal's; for one goal they come in order.
  using ReadLogits = std::function<void(size_t goal, size_t output, std::span<const float> logits)>;

  // Throws Error when the memory for keys and values cannot be had.
  explicit Sequences(const Options& options);
  ~Sequences();
  Sequences(const Sequences&) = delete;
  Sequences& operator=(const Sequences&) = delete;

  const Options& options() const;
  const std::vector<Token>& held(int slot) const;

  // Brings every goal's slot (each named once) to hold exactly its tokens and gives the logits to `read`, which must
  // copy what it keeps. Only tokens past what the slot shares with its goal are computed, and a few before them where
  // exactness wants it. Returns the number of new tokens.
  std::int64_t advance(std::span<const Goal> goals, const ReadLogits& read);
  // `to` then holds what `from` holds (a copy of the whole stream: far cheaper than computing its tokens).
  void copy(int from, int to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
