#include "engine/sequences.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <ggml-backend.h>
#include <ggml.h>
#include <llama-cpp.h>
#include <llama.h>

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

// Keeps the rows of a pass that leave the last norm. llama.cpp gives them away itself only with
// the logits of every token of the pass.
class HiddenStates {
 public:
  // For llama_context_params::cb_eval: asked first whether a tensor is wanted, then given it.
  static bool observe(ggml_tensor* tensor, bool asking, void* self) {
    if (std::string_view(ggml_get_name(tensor)) != "result_norm") return !asking;
    if (asking) return true;
    static_cast<HiddenStates*>(self)->keep(tensor);
    return true;
  }
  void clear() { numbers_.clear(); }
  std::span<const float> row(size_t index) const {
    ensure(width_ > 0 && (index + 1) * width_ <= numbers_.size(),
           "no hidden state where it was asked for");
    return std::span(numbers_).subspan(index * width_, width_);
  }

 private:
  // Throws nothing, as it is called from within llama.cpp; row() tells what is missing.
  void keep(const ggml_tensor* tensor) {
    if (tensor->type != GGML_TYPE_F32 || !ggml_is_contiguous(tensor)) return;
    width_ = static_cast<size_t>(tensor->ne[0]);
    numbers_.resize(static_cast<size_t>(ggml_nelements(tensor)));
    if (!numbers_.empty()) ggml_backend_tensor_get(tensor, numbers_.data(), 0, ggml_nbytes(tensor));
  }

  size_t width_ = 0;
  std::vector<float> numbers_;  // (outputs of the pass, width)
};

}  // namespace

struct Sequences::State {
  explicit State(const Options& given) : options(given), batch(given.batch_tokens) {}

  // A token of the batch whose logits are wanted.
  struct Reader {
    int index;
    size_t goal;
    size_t output;
  };

  Options options;
  HiddenStates hidden;  // Outlives the context, which writes to it.
  llama_context_ptr context;
  int vocabulary = 0;
  std::vector<std::vector<Token>> held;  // By slot.
  std::int64_t computed = 0;             // Tokens, since the last advance began.
  Batch batch;
  std::vector<Reader> readers;

  // The fewest tokens of a goal that a pass may have, where it has as many.
  size_t least() const { return options.exact ? kLeastTokens : 1; }
  // How many first tokens of a sequence a slot holds.
  size_t shared(int slot, std::span<const Token> tokens) const {
    return common_prefix(held[static_cast<size_t>(slot)], tokens);
  }
  // Where computing of a goal begins: after what its slot holds, but not after its first output,
  // nor so late that fewer than the least are left.
  size_t start_of(const Goal& goal) const {
    const size_t length = goal.tokens.size();
    return std::min(shared(goal.slot, goal.tokens),
                    length - std::min(length, std::max(goal.outputs, least())));
  }

  // Computes tokens [from, to) of a goal with the rest of the batch.
  void add(std::span<const Goal> goals, size_t g, size_t from, size_t to) {
    const Goal& goal = goals[g];
    std::vector<Token>& own = held[static_cast<size_t>(goal.slot)];
    if (from < own.size()) {
      llama_memory_t memory = llama_get_memory(context.get());
      ensure(llama_memory_seq_rm(memory, goal.slot, static_cast<llama_pos>(from), -1),
             "cannot shorten a sequence");
      own.resize(from);
    }
    computed += static_cast<std::int64_t>(to - from);
    const size_t first_output = goal.tokens.size() - goal.outputs;
    for (size_t i = from; i < to; ++i) {
      const bool output = i >= first_output;
      if (output) readers.push_back({batch.size(), g, i - first_output});
      batch.add(goal.tokens[i], i, goal.slot, output);
      own.push_back(goal.tokens[i]);
    }
  }

  void decode(const ReadLogits& read) {
    hidden.clear();
    const int code = llama_decode(context.get(), batch.get());
    if (code != 0) {
      throw Error(fmt::format("llama.cpp could not compute a batch of {} tokens (code {})",
                              batch.size(), code));
    }
    if (options.hidden) {
      for (size_t i = 0; i < readers.size(); ++i)
        read(readers[i].goal, readers[i].output, hidden.row(i));
      readers.clear();
    }
    for (const Reader& reader : readers) {
      const float* logits = llama_get_logits_ith(context.get(), reader.index);
      ensure(logits != nullptr, "no logits where they were asked for");
      read(reader.goal, reader.output, {logits, static_cast<size_t>(vocabulary)});
    }
    batch.clear();
    readers.clear();
  }

  // One goal, in chunks; none is shorter than the least.
  void compute_alone(std::span<const Goal> goals, size_t g, size_t start, const ReadLogits& read) {
    const size_t end = goals[g].tokens.size();
    while (start < end) {
      size_t chunk = std::min(static_cast<size_t>(options.batch_tokens), end - start);
      const size_t left = end - start - chunk;
      if (left > 0 && left < least()) chunk -= least() - left;
      add(goals, g, start, start + chunk);
      decode(read);
      start += chunk;
    }
  }

  // Several goals side by side, each with its last `count` tokens.
  void compute_together(std::span<const Goal> goals, std::span<const size_t> members, size_t count,
                        const ReadLogits& read) {
    for (size_t g : members) add(goals, g, goals[g].tokens.size() - count, goals[g].tokens.size());
    decode(read);
  }
};

Sequences::Sequences(const Options& options) : state_(std::make_unique<State>(options)) {
  ensure(options.slots >= 1 && options.slot_tokens >= 1, "sequences need a slot");
  ensure(options.batch_tokens >= static_cast<int>(std::max(options.outputs, 2 * kLeastTokens)),
         "batches are too small");
  llama_context_params params = llama_context_default_params();
  params.n_seq_max = static_cast<std::uint32_t>(options.slots);
  params.n_ctx = static_cast<std::uint32_t>(options.slot_tokens * options.slots);
  params.n_batch = static_cast<std::uint32_t>(options.batch_tokens);
  params.n_ubatch = params.n_batch;
  // Few logits rows; a whole (tokens, vocabulary) buffer is never kept.
  params.n_outputs_max = params.n_seq_max * static_cast<std::uint32_t>(options.outputs);
  params.n_threads = options.threads;
  params.n_threads_batch = options.threads;
  params.kv_unified = false;
  params.flash_attn_type = options.flash   ? LLAMA_FLASH_ATTN_TYPE_ENABLED
                           : options.exact ? LLAMA_FLASH_ATTN_TYPE_DISABLED
                                           : LLAMA_FLASH_ATTN_TYPE_AUTO;
  params.no_perf = true;
  if (options.hidden) {
    params.cb_eval = &HiddenStates::observe;
    params.cb_eval_user_data = &state_->hidden;
  }
  state_->context.reset(llama_init_from_model(options.model, params));
  if (state_->context == nullptr) {
    throw Error(fmt::format("not enough memory for {} sequences of {} tokens", options.slots,
                            options.slot_tokens),
                "", "lower --ctx-size or --kv-mib");
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

const Sequences::Options& Sequences::options() const { return state_->options; }
size_t Sequences::shared(int slot, std::span<const Token> tokens) const {
  return state_->shared(slot, tokens);
}

Sequences::Work Sequences::advance(std::span<const Goal> goals, const ReadLogits& read) {
  ensure(!options().hidden || goals.size() <= 1, "hidden states are of one goal");
  // Goals with few tokens to compute go together, all with as many as the one that needs most.
  Work work;
  state_->computed = 0;
  std::vector<size_t> together;
  size_t count = 0;
  const auto flush = [&] {
    if (!together.empty()) state_->compute_together(goals, together, count, read);
    together.clear();
    count = 0;
  };
  for (size_t g = 0; g < goals.size(); ++g) {
    const Goal& goal = goals[g];
    const size_t length = goal.tokens.size();
    ensure(length >= goal.outputs && goal.outputs >= 1 && goal.outputs <= options().outputs,
           "a goal without tokens");
    if (static_cast<std::int64_t>(length) > options().slot_tokens) {
      throw Error(fmt::format("a sequence of {} tokens does not fit into a slot of {}", length,
                              options().slot_tokens));
    }
    work.fresh += static_cast<std::int64_t>(length - state_->shared(goal.slot, goal.tokens));
    const size_t start = state_->start_of(goal);
    const size_t own = length - start;
    if (own > std::min(kMostTogether, static_cast<size_t>(options().batch_tokens))) {
      state_->compute_alone(goals, g, start, read);
      continue;
    }
    const size_t next_count = std::max(count, own);
    const bool fits =
        (together.size() + 1) * next_count <= static_cast<size_t>(options().batch_tokens);
    const bool long_enough =
        length >= next_count && std::all_of(together.begin(), together.end(), [&](size_t other) {
          return goals[other].tokens.size() >= next_count;
        });
    if (!fits || !long_enough) flush();
    together.push_back(g);
    count = std::max(count, own);
  }
  flush();
  work.repeated = state_->computed - work.fresh;
  return work;
}

void Sequences::copy(int from, int to) {
  if (from == to) return;
  llama_memory_t memory = llama_get_memory(state_->context.get());
  ensure(llama_memory_seq_rm(memory, to, -1, -1), "cannot empty a slot");
  llama_memory_seq_cp(memory, from, to, -1, -1);
  state_->held[static_cast<size_t>(to)] = state_->held[static_cast<size_t>(from)];
}

}  // namespace selene::engine
