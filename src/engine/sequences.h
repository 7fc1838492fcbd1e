// Sequences: the token sequences whose keys and values a llama.cpp context holds, one a slot.
//
// A slot is one KV stream (kv_unified = false) and attention runs without flash attention: so, on llama.cpp's CPU
// backend, the logits of a sequence are the same bits alone or among others, in one piece or in chunks, and for any
// number of threads. All computing goes through advance(), which shares what a slot already holds.
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
  struct Options {
    llama_model* model = nullptr;           // Outlives this object.
    llama_adapter_lora* adapter = nullptr;  // May be null.
    float adapter_scale = 1;
    int slots = 1;
    std::int64_t slot_tokens = 4096;        // The longest sequence of a slot.
    int batch_tokens = 512;                 // Computed at once.
    int threads = 1;
    bool exact = true;                      // False: flash attention; bits then depend on threads and batch.
  };

  // The tokens that a slot shall hold.
  struct Goal {
    int slot = 0;
    std::vector<Token> tokens;  // Not empty, at most slot_tokens.
  };
  using ReadLogits = std::function<void(size_t goal, std::span<const float> logits)>;

  // Throws Error when the memory for keys and values cannot be had.
  explicit Sequences(const Options& options);
  ~Sequences();
  Sequences(const Sequences&) = delete;
  Sequences& operator=(const Sequences&) = delete;

  int slots() const;
  std::int64_t slot_tokens() const;
  const std::vector<Token>& held(int slot) const;

  // Brings every goal's slot (each named once) to hold exactly its tokens and gives the logits after the last one to
  // `read`, which must copy what it keeps. Only tokens past what the slot shares with its goal are computed, at least
  // one. Returns how many were.
  std::int64_t advance(std::span<const Goal> goals, const ReadLogits& read);
  // `to` then holds what `from` holds (a copy of the whole stream: far cheaper than computing its tokens).
  void copy(int from, int to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
