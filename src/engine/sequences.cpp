#include "engine/sequences.h"

#include <algorithm>

#include <fmt/format.h>
#include <llama.h>
#include <llama-cpp.h>

#include "core/error.h"

namespace selene::engine {
namespace {

// A llama_batch whose arrays are owned here; tokens are added one at a time.
class Batch {
 public:
  explicit Batch(int capacity) : batch_(llama_batch_init(capacity, 0, 1)), capacity_(capacity) {}
  ~Batch() { llama_batch_free(batch_); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  int size() const { return batch_.n_tokens; }
  bool full() const { return batch_.n_tokens == capacity_; }
  void clear() { batch_.n_tokens = 0; }
  void add(Token token, size_t position, int slot, bool logits) {
    const int i = batch_.n_tokens++;
    batch_.token[i] = token;
    batch_.pos[i] = static_cast<llama_pos>(position);
    batch_.n_seq_id[i] = 1;
    batch_.seq_id[i][0] = slot;
    batch_.logits[i] = logits ? 1 : 0;
  }
  const llama_batch& get() const { return batch_; }

 private:
  llama_batch batch_;
  int capacity_;
};

}  // namespace

struct Sequences::State {
  explicit State(const Options& given) : options(given), batch(given.batch_tokens) {}

  Options options;
  llama_context_ptr context;
  int vocabulary = 0;
  std::vector<std::vector<Token>> held;
  Batch batch;

  // Computes the batch and hands out the logits of the tokens that asked for them: `readers[i]` belongs to token i.
  void decode(const std::vector<std::pair<int, size_t>>& readers, const ReadLogits& read) {
    const int code = llama_decode(context.get(), batch.get());
    if (code != 0) {
      throw Error(fmt::format("llama.cpp could not compute a batch of {} tokens (code {})", batch.size(), code));
    }
    for (const auto& [index, goal] : readers) {
      const float* logits = llama_get_logits_ith(context.get(), index);
      ensure(logits != nullptr, "no logits where they were asked for");
      read(goal, {logits, static_cast<size_t>(vocabulary)});
    }
    batch.clear();
  }
};

Sequences::Sequences(const Options& options) : state_(std::make_unique<State>(options)) {
  ensure(options.slots >= 1 && options.slot_tokens >= 1, "sequences need a slot");
  llama_context_params params = llama_context_default_params();
  params.n_seq_max = static_cast<std::uint32_t>(options.slots);
  params.n_ctx = static_cast<std::uint32_t>(options.slot_tokens * options.slots);
  params.n_batch = static_cast<std::uint32_t>(options.batch_tokens);
  params.n_ubatch = params.n_batch;
  params.n_outputs_max = params.n_seq_max;  // One logits row a goal; a whole (tokens, vocabulary) buffer is never kept.
  params.n_threads = options.threads;
  params.n_threads_batch = options.threads;
  params.kv_unified = false;
  params.flash_attn_type = options.exact ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
  params.no_perf = true;
  state_->context.reset(llama_init_from_model(options.model, params));
  if (state_->context == nullptr) {
    throw Error(fmt::format("not enough memory for {} sequences of {} tokens", options.slots, options.slot_tokens), "",
                "lower --ctx-size or --kv-mib");
  }
  if (options.adapter != nullptr) {
    llama_adapter_lora* adapter = options.adapter;
    float scale = options.adapter_scale;
    if (llama_set_adapters_lora(state_->context.get(), &adapter, 1, &scale) != 0) {
      throw Error("llama.cpp refuses the adapter for this model");
    }
  }
  state_->vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(options.model));
  state_->held.resize(static_cast<size_t>(options.slots));
}

Sequences::~Sequences() = default;

int Sequences::slots() const { return state_->options.slots; }
std::int64_t Sequences::slot_tokens() const { return state_->options.slot_tokens; }
const std::vector<Token>& Sequences::held(int slot) const { return state_->held[static_cast<size_t>(slot)]; }

std::int64_t Sequences::advance(std::span<const Goal> goals, const ReadLogits& read) {
  llama_memory_t memory = llama_get_memory(state_->context.get());
  std::int64_t computed = 0;
  std::vector<std::pair<int, size_t>> readers;
  for (size_t g = 0; g < goals.size(); ++g) {
    const Goal& goal = goals[g];
    std::vector<Token>& held = state_->held[static_cast<size_t>(goal.slot)];
    ensure(!goal.tokens.empty(), "a goal without tokens");
    if (static_cast<std::int64_t>(goal.tokens.size()) > slot_tokens()) {
      throw Error(fmt::format("a sequence of {} tokens does not fit into a slot of {}", goal.tokens.size(), slot_tokens()));
    }
    const size_t shared = std::min(common_prefix(held, goal.tokens), goal.tokens.size() - 1);
    if (shared < held.size()) {
      ensure(llama_memory_seq_rm(memory, goal.slot, static_cast<llama_pos>(shared), -1), "cannot shorten a sequence");
      held.resize(shared);
    }
    for (size_t i = shared; i < goal.tokens.size(); ++i) {
      const bool last = i + 1 == goal.tokens.size();
      if (last) readers.emplace_back(state_->batch.size(), g);
      state_->batch.add(goal.tokens[i], i, goal.slot, last);
      held.push_back(goal.tokens[i]);
      ++computed;
      if (state_->batch.full()) {
        state_->decode(readers, read);
        readers.clear();
      }
    }
  }
  if (state_->batch.size() > 0) state_->decode(readers, read);
  return computed;
}

void Sequences::copy(int from, int to) {
  if (from == to) return;
  llama_memory_t memory = llama_get_memory(state_->context.get());
  ensure(llama_memory_seq_rm(memory, to, -1, -1), "cannot empty a slot");
  llama_memory_seq_cp(memory, from, to, -1, -1);
  state_->held[static_cast<size_t>(to)] = state_->held[static_cast<size_t>(from)];
}

}  // namespace selene::engine
