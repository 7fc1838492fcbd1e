// Sequences: the token sequences whose keys and values a llama.cpp context holds, one a slot.
//
// The logits of a sequence are the same bits whatever else is computed, in which pieces and by how
// many threads. On a CPU that takes four things:
// - a KV stream a slot (kv_unified = false), so that no sequence attends over cells of another;
// - attention that gives a token the same bits in any company: ours (engine/attention.h). ggml's
//   flash attention does not, so where ours cannot serve, flash attention is off;
// - never a single token in a pass: ggml's products with the weights would go through another
//   kernel, which rounds otherwise. At least kLeastTokens are computed, the ones before the new one
//   again if need be;
// - the same number of tokens of every sequence in a pass, since llama.cpp splits others, and may
//   leave single ones.
// On a GPU flash attention is off and the rest holds; `selene verify` says whether that is enough.
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
  // Goals that lack more than these are computed one by one, the others side by side.
  static constexpr size_t kMostTogether = 63;

  struct Options {
    llama_model* model = nullptr;           // Outlives this object.
    llama_adapter_lora* adapter = nullptr;  // May be null.
    float adapter_scale = 1;
    int slots = 1;
    std::int64_t slot_tokens = 4096;  // The longest sequence of a slot.
    int batch_tokens = 512;           // Computed at once.
    size_t outputs = 1;               // The most that a goal asks for.
    int threads = 1;
    bool flash = true;  // Attention as one operation; true only where ours serves it.
    // True: `read` gets the state of the token after the last norm (n_embd numbers) in place of its
    // logits, and an advance has one goal. For models whose graph names it "result_norm".
    bool hidden = false;
    bool exact = true;  // False: without the rules above; bits then depend on threads and batch.
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
  // How many first tokens of a sequence that slot holds.
  size_t shared(int slot, std::span<const Token> tokens) const;

  // Brings every goal's slot (each named once) to hold exactly its tokens and gives the logits to
  // `read`, which must copy what it keeps. Only tokens past what the slot shares with its goal are
  // computed, and a few before them where exactness wants it.
  struct Work {
    std::int64_t fresh = 0;     // Tokens that the slot did not hold.
    std::int64_t repeated = 0;  // Computed again.
  };
  Work advance(std::span<const Goal> goals, const ReadLogits& read);
  // `to` then holds what `from` holds (a copy of the whole stream: far cheaper than computing its
  // tokens).
  void copy(int from, int to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::engine
