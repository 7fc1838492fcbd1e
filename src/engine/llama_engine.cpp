#include "engine/llama_engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include <fmt/format.h>
#include <llama-cpp.h>
#include <llama.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/random.h"
#include "core/text.h"
#include "engine/accelerator.h"
#include "engine/answer_text.h"
#include "engine/drafter.h"
#include "engine/job_order.h"
#include "engine/llama_load.h"
#include "engine/q8_product.h"
#include "engine/sequences.h"
#include "engine/tokens.h"
#include "model/gguf.h"

namespace selene::engine {
namespace {

using Clock = std::chrono::steady_clock;

// Raise when our own arithmetic changes any number that a judgment holds.
constexpr int kNumericsRevision = 4;
// Tokens guessed after each one that is written. At least one, since no pass may compute a single
// token.
constexpr size_t kGuesses = std::max<size_t>(1, Sequences::kLeastTokens - 1);
// A critique's canonical text can be split into a few more tokens than were generated.
constexpr std::int64_t kSpareTokens = 16 + kGuesses;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One request on its way.
struct Job {
  size_t request = 0;
  PromptText prompt;
  std::vector<Token> tokens;  // Prompt and start of the answer.
  std::int64_t need = 0;      // Tokens of a slot at most.
};

// A request that is generating in a slot.
struct Live {
  const Job* job = nullptr;
  AnswerText answer;
  Random random{0};
  std::vector<Token> tokens;   // Prompt and answer so far; the last is not computed yet.
  std::vector<Token> guesses;  // Of what follows it, computed in the same pass.
  std::int64_t generated = 0;
  bool missed =
      false;  // A guess of this pass was wrong: what was computed after it does not count.
  bool ended = false;
  bool truncated = false;
};

// A request whose labels are being scored in a slot.
struct Scoring {
  size_t request = 0;
  int slot = 0;
  LabelTree tree;
  Result result;
};

Token most_probable_token(std::span<const float> logits) {
  return static_cast<Token>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The inverse of the cumulative distribution in token order.
Token sample_token(std::span<const float> logits, double temperature, Random& random) {
  const double highest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  const auto weight = [&](float logit) {
    return std::exp((static_cast<double>(logit) - highest) / temperature);
  };
  double total = 0;
  for (float logit : logits) total += weight(logit);
  double left = random.uniform() * total;
  for (size_t i = 0; i < logits.size(); ++i) {
    left -= weight(logits[i]);
    if (left < 0) return static_cast<Token>(i);
  }
  return most_probable_token(logits);
}

class LlamaEngine : public Engine {
 public:
  explicit LlamaEngine(const LlamaOptions& options);

  const EngineId& id() const override { return id_; }
  std::vector<std::int64_t> context_tokens(std::span<const Request> requests) override;
  std::int64_t context_limit() const override { return context_limit_; }
  void run(std::span<const Request> requests, const Events& events) override;
  Counters counters() const override { return counters_; }
  bool exact() const override { return options_.exact && !on_gpu_; }

 private:
  void check_adapter(const model::GgufInfo& base) const;
  void load();
  Job make_job(const Request& request, size_t index) const;
  std::optional<std::int64_t> context_bound(const Request& request) const;
  void make_sequences(std::span<const Job> jobs, bool generating);
  void run_scoring(std::span<const Job> jobs, std::span<const Request> requests,
                   const Events& events);
  void run_generating(std::span<const Job> jobs, std::span<const Request> requests,
                      const Events& events);
  void prefill(const Job& job, int slot, const Sequences::ReadLogits& read);
  void share_prefix(const Job& job, int slot, int previous_slot);
  Live admit(const Job& job, const Request& request, int slot, const Events& events);
  std::vector<float> first_logits(const Request& request, std::span<const float> logits);
  void decode(std::vector<std::optional<Live>>& live, std::span<const Request> requests,
              const Events& events);
  void collect(std::vector<std::optional<Live>>& live, std::span<const Request> requests,
               const Events& events);
  void accept(Live& live, const Request& request, std::span<const float> logits,
              const Events& events);
  Scoring start_scoring(const Job& job, const Request& request, int slot,
                        std::string_view generated) const;
  void finish(std::vector<Scoring>& scorings, const Events& events);
  std::int64_t kv_bytes_per_token() const;

  LlamaOptions options_;
  EngineId id_;
  llama_model_ptr model_;
  llama_adapter_lora_ptr adapter_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<ChatTemplate> chat_template_;
  std::vector<bool> after_answer_start_;  // Made when first needed.
  std::optional<Sequences> sequences_;
  Drafter drafter_;
  std::int64_t context_limit_ = 0;
  bool on_gpu_ = false;
  Counters counters_;
};

// Looks at the files only: what all results depend on is known before the model is loaded, so that
// work whose results are known already never loads it.
LlamaEngine::LlamaEngine(const LlamaOptions& options) : options_(options) {
  set_up_llama();
  if (options_.threads <= 0)
    options_.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (options_.name.empty()) options_.name = options_.model.filename().string();
  const model::GgufInfo info = model::inspect_gguf(options_.model);
  if (info.is_adapter) {
    throw Error("this file is a LoRA adapter, not a model", options_.model.string(),
                "give it as --adapter");
  }
  if (!info.chat_template && options_.chat_template.empty()) {
    throw Error("the model has no chat template", options_.model.string(),
                "give one with --chat-template FILE");
  }
  const auto trained = static_cast<std::int64_t>(info.context_length);
  if (trained > 0 && options_.context_tokens > trained) {
    throw Error(
        fmt::format("--ctx-size {} is more than the {} tokens that the model was trained for",
                    options_.context_tokens, trained),
        options_.model.string());
  }
  context_limit_ = options_.context_tokens > 0 ? options_.context_tokens
                   : trained > 0               ? trained
                                               : 512;
  id_.name = options_.name;
  id_.model = sha256_file_cached(options_.model);
  if (!options_.adapter.empty()) {
    check_adapter(info);
    id_.adapter = sha256_file_cached(options_.adapter);
    if (options_.adapter_scale != 1) id_.adapter += fmt::format("*{}", options_.adapter_scale);
  }
  on_gpu_ = llama_supports_gpu_offload() && options_.gpu_layers != 0;
  id_.version = llama_engine_version(on_gpu_);
  if (!options_.exact) id_.version += ", not exact";
  id_.options = "date " + options_.date;
  if (!options_.chat_template.empty())
    id_.options += ", chat template " + sha256(options_.chat_template);
}

void LlamaEngine::check_adapter(const model::GgufInfo& base) const {
  const model::GgufInfo info = model::inspect_gguf(options_.adapter);
  if (!info.is_adapter) {
    throw Error("this file is no LoRA adapter", options_.adapter.string(),
                "make one with convert_lora_to_gguf.py");
  }
  if (info.architecture != base.architecture) {
    throw Error(fmt::format("the adapter is for architecture '{}', the model's is '{}'",
                            info.architecture, base.architecture),
                options_.adapter.string(), "give the model that it was trained on");
  }
}

void LlamaEngine::load() {
  if (model_ != nullptr) return;
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = options_.gpu_layers;
  params.load_mode = options_.mmap ? LLAMA_LOAD_MODE_MMAP : LLAMA_LOAD_MODE_NONE;
  model_ = load_llama_model(options_.model, params);
  if (!options_.adapter.empty()) {
    take_llama_log();
    adapter_.reset(llama_adapter_lora_init(model_.get(), options_.adapter.c_str()));
    if (adapter_ == nullptr) {
      throw Error(fmt::format("the adapter does not fit the model: {}",
                              cut_to_columns(take_llama_log(), 400)),
                  options_.adapter.string(), "give the model that it was trained on");
    }
  }
  const llama_vocab* vocab = llama_model_get_vocab(model_.get());
  tokenizer_.emplace(vocab);
  chat_template_.emplace(
      own_chat_template(model_.get(), *tokenizer_, options_.chat_template, options_.date));
}

Job LlamaEngine::make_job(const Request& request, size_t index) const {
  Job job;
  job.request = index;
  job.prompt = tokenizer_->prompt(chat_template_->render(request.messages));
  job.tokens = tokenizer_->tokens(job.prompt, request.answer_start);
  if (job.tokens.empty())
    throw Error("the chat template gives an empty prompt", options_.model.string());
  size_t ending = 0;
  for (const std::string& label : request.labels) {
    ending = std::max(ending, tokenizer_->tokens({}, "\n\n" + request.mark + " " + label).size());
  }
  job.need = static_cast<std::int64_t>(job.tokens.size() + ending) + request.max_tokens +
             (request.max_tokens > 0 ? kSpareTokens : 0);
  return job;
}

std::vector<std::int64_t> LlamaEngine::context_tokens(std::span<const Request> requests) {
  load();
  std::vector<std::int64_t> needs;
  for (const Request& request : requests) {
    const std::optional<std::int64_t> bound = context_bound(request);
    needs.push_back(bound ? *bound : make_job(request, 0).need);
  }
  return needs;
}

// A bound of a request's tokens that tells as well as their number whether they fit; it saves
// splitting most texts into tokens. A token is at least a byte (and a run of text may get a space
// before it), and at most the longest piece.
std::optional<std::int64_t> LlamaEngine::context_bound(const Request& request) const {
  size_t bytes = request.answer_start.size();
  const std::vector<TextPart> parts = chat_template_->render(request.messages);
  for (const TextPart& part : parts) bytes += part.text.size();
  const auto fewest = static_cast<std::int64_t>(bytes / tokenizer_->longest_piece());
  if (fewest > context_limit_) return fewest;
  size_t ending = 0;
  for (const std::string& label : request.labels) {
    ending = std::max(ending, request.mark.size() + label.size() + 4);
  }
  const auto most = static_cast<std::int64_t>(bytes + parts.size() + 1 + ending) +
                    request.max_tokens + kSpareTokens;
  if (most <= context_limit_) return most;
  return {};
}

std::int64_t LlamaEngine::kv_bytes_per_token() const {
  const std::int64_t heads = std::max(1, llama_model_n_head(model_.get()));
  const std::int64_t width =
      llama_model_n_embd(model_.get()) / heads * llama_model_n_head_kv(model_.get());
  constexpr std::int64_t kKeysAndValues = 2;
  constexpr std::int64_t kHalfPrecision = 2;
  return llama_model_n_layer(model_.get()) * width * kKeysAndValues * kHalfPrecision;
}

void LlamaEngine::make_sequences(std::span<const Job> jobs, bool generating) {
  std::int64_t longest = 0;
  for (const Job& job : jobs) longest = std::max(longest, job.need);
  constexpr std::int64_t kStep = 256;
  const std::int64_t length = (longest + kStep - 1) / kStep * kStep;
  std::int64_t budget = options_.kv_mib << 20;
  if (budget == 0) {
    budget = std::max<std::int64_t>(256 << 20,
                                    static_cast<std::int64_t>(llama_model_size(model_.get())) / 4);
  }
  std::int64_t slots = 1;
  if (generating) {
    slots = budget / std::max<std::int64_t>(1, length * kv_bytes_per_token());
    slots = std::clamp<std::int64_t>(
        slots, 1,
        std::min<std::int64_t>(options_.max_slots, static_cast<std::int64_t>(jobs.size())));
  }
  if (sequences_ && sequences_->options().slots >= slots &&
      sequences_->options().slot_tokens >= length)
    return;
  sequences_.reset();
  take_llama_log();
  sequences_.emplace(Sequences::Options{
      .model = model_.get(),
      .adapter = adapter_.get(),
      .adapter_scale = options_.adapter_scale,
      .slots = static_cast<int>(slots),
      .slot_tokens = length,
      .batch_tokens =
          std::max(options_.batch_tokens, static_cast<int>(2 * Sequences::kLeastTokens)),
      .outputs = kGuesses + 1,
      .threads = options_.threads,
      .flash = !on_gpu_ && accelerates_attention(model_.get()),
      .exact = options_.exact,
  });
}

void LlamaEngine::run(std::span<const Request> requests, const Events& events) {
  load();
  std::vector<Job> jobs;
  std::vector<std::vector<Token>> tokens;
  for (size_t i = 0; i < requests.size(); ++i) {
    jobs.push_back(make_job(requests[i], i));
    if (jobs.back().need > context_limit_) {
      throw Error(fmt::format("a request needs {} tokens, the context has {}", jobs.back().need,
                              context_limit_));
    }
    counters_.prompt_tokens += static_cast<std::int64_t>(jobs.back().tokens.size());
    tokens.push_back(jobs.back().tokens);
  }
  std::vector<Job> scoring;
  std::vector<Job> generating;
  for (size_t i : prefix_tree_order(tokens)) {
    (requests[i].max_tokens > 0 ? generating : scoring).push_back(std::move(jobs[i]));
  }
  if (!scoring.empty()) run_scoring(scoring, requests, events);
  if (!generating.empty()) run_generating(generating, requests, events);
}

void LlamaEngine::run_scoring(std::span<const Job> jobs, std::span<const Request> requests,
                              const Events& events) {
  make_sequences(jobs, /*generating=*/false);
  for (const Job& job : jobs) {
    if (events.stop && events.stop()) return;
    const auto start = Clock::now();
    std::vector<Scoring> one;
    one.push_back(start_scoring(job, requests[job.request], /*slot=*/0, ""));
    prefill(job, /*slot=*/0, nullptr);
    counters_.prefill_s += seconds_since(start);
    finish(one, events);
  }
}

// Computes what `slot` lacks of the prompt and of the answer's start, and gives the logits after
// them to `read`.
void LlamaEngine::prefill(const Job& job, int slot, const Sequences::ReadLogits& read) {
  const std::vector<Sequences::Goal> goal{{.slot = slot, .tokens = job.tokens}};
  const Sequences::Work work =
      sequences_->advance(goal, [&](size_t g, size_t output, std::span<const float> logits) {
        if (read) read(g, output, logits);
      });
  counters_.prompt_tokens_computed += work.fresh;
  counters_.repeated_tokens_computed += work.repeated;
}

Scoring LlamaEngine::start_scoring(const Job& job, const Request& request, int slot,
                                   std::string_view generated) const {
  const std::string before = answer_before_label(request, generated);
  std::vector<std::vector<Token>> sequences;
  for (const std::string& label : request.labels) {
    sequences.push_back(tokenizer_->tokens(job.prompt, before + " " + label));
  }
  Scoring scoring{.request = job.request, .slot = slot, .tree = LabelTree(sequences), .result = {}};
  scoring.result.text = generated;
  scoring.result.prompt_tokens = static_cast<std::int64_t>(job.tokens.size());
  return scoring;
}

// Scores the labels of all, side by side, and reports the results.
void LlamaEngine::finish(std::vector<Scoring>& scorings, const Events& events) {
  const auto start = Clock::now();
  for (size_t depth = 0;; ++depth) {
    std::vector<Sequences::Goal> goals;
    std::vector<Scoring*> owners;
    for (Scoring& scoring : scorings) {
      if (depth >= scoring.tree.inner_nodes().size()) continue;
      goals.push_back({scoring.slot, scoring.tree.tokens_to(scoring.tree.inner_nodes()[depth])});
      owners.push_back(&scoring);
    }
    if (goals.empty()) break;
    const auto work =
        sequences_->advance(goals, [&](size_t goal, size_t, std::span<const float> logits) {
          owners[goal]->tree.set_logits(owners[goal]->tree.inner_nodes()[depth], logits);
        });
    counters_.scoring_tokens_computed += work.fresh;
    counters_.repeated_tokens_computed += work.repeated;
  }
  counters_.scoring_s += seconds_since(start);
  std::vector<Completed> completed;
  for (Scoring& scoring : scorings) {
    scoring.result.label_log_probs = scoring.tree.log_probs();
    completed.push_back({scoring.request, std::move(scoring.result)});
  }
  events.results(completed);
}

void LlamaEngine::run_generating(std::span<const Job> jobs, std::span<const Request> requests,
                                 const Events& events) {
  make_sequences(jobs, /*generating=*/true);
  std::vector<std::optional<Live>> live(static_cast<size_t>(sequences_->options().slots));
  size_t next_job = 0;
  int previous_slot = 0;
  for (;;) {
    for (size_t slot = 0; slot < live.size() && next_job < jobs.size(); ++slot) {
      if (live[slot]) continue;
      if (events.stop && events.stop()) return;
      const Job& job = jobs[next_job++];
      share_prefix(job, static_cast<int>(slot), previous_slot);
      live[slot].emplace(admit(job, requests[job.request], static_cast<int>(slot), events));
      previous_slot = static_cast<int>(slot);
    }
    if (events.stop && events.stop()) return;
    decode(live, requests, events);
    collect(live, requests, events);
    const bool working =
        std::any_of(live.begin(), live.end(), [](const auto& place) { return place.has_value(); });
    if (!working && next_job == jobs.size()) return;
  }
}

// Puts into `slot` whatever begins the prompt longest: what the slot holds, or a copy of what the
// request admitted before (its neighbour in token order) holds. So each shared beginning is
// computed once.
void LlamaEngine::share_prefix(const Job& job, int slot, int previous_slot) {
  const auto start = Clock::now();
  if (sequences_->shared(previous_slot, job.tokens) > sequences_->shared(slot, job.tokens)) {
    sequences_->copy(previous_slot, slot);
  }
  counters_.prefill_s += seconds_since(start);
}

// Computes what `slot` lacks of the prompt, and the first token of the answer.
Live LlamaEngine::admit(const Job& job, const Request& request, int slot, const Events& events) {
  const auto start = Clock::now();
  Live live{.job = &job,
            .answer = AnswerText(request.stop),
            .random = Random(request.sampling.seed),
            .tokens = job.tokens,
            .guesses = {}};
  drafter_.learn(job.tokens, 0);
  prefill(job, slot, [&](size_t, size_t, std::span<const float> logits) {
    accept(live, request, first_logits(request, logits), events);
  });
  counters_.prefill_s += seconds_since(start);
  return live;
}

// The logits of the first token after the answer's start, with those of tokens that the canonical
// critique cannot begin with at -inf: else the critique, tokenised anew for scoring, would differ
// from the start and be computed twice.
std::vector<float> LlamaEngine::first_logits(const Request& request,
                                             std::span<const float> logits) {
  std::vector<float> first(logits.begin(), logits.end());
  if (request.answer_start.empty()) return first;
  if (after_answer_start_.empty()) after_answer_start_ = tokenizer_->after_answer_start();
  for (size_t i = 0; i < first.size(); ++i) {
    if (!after_answer_start_[i]) first[i] = -std::numeric_limits<float>::infinity();
  }
  return first;
}

// One pass over all that are generating: of each the last token and the guesses after it. As many
// tokens are accepted as the model itself would have written, so guesses change the speed and
// nothing else.
void LlamaEngine::decode(std::vector<std::optional<Live>>& live, std::span<const Request> requests,
                         const Events& events) {
  std::vector<Sequences::Goal> goals;
  for (size_t slot = 0; slot < live.size(); ++slot) {
    if (!live[slot] || live[slot]->ended) continue;
    Live& one = *live[slot];
    one.guesses = drafter_.guess(one.tokens, kGuesses);
    one.missed = false;
    std::vector<Token> tokens = one.tokens;
    tokens.insert(tokens.end(), one.guesses.begin(), one.guesses.end());
    goals.push_back({static_cast<int>(slot), std::move(tokens), kGuesses + 1});
  }
  if (goals.empty()) return;
  const auto start = Clock::now();
  sequences_->advance(goals, [&](size_t goal, size_t output, std::span<const float> logits) {
    Live& one = *live[static_cast<size_t>(goals[goal].slot)];
    if (one.ended || one.missed) return;
    accept(one, requests[one.job->request], logits, events);
    one.missed =
        output < one.guesses.size() && (one.ended || one.tokens.back() != one.guesses[output]);
  });
  counters_.decode_s += seconds_since(start);
}

// Takes the next token from the logits; the request has ended when it is an end token, completes
// the stop text or was the last one allowed.
void LlamaEngine::accept(Live& live, const Request& request, std::span<const float> logits,
                         const Events& events) {
  const Token next = request.sampling.temperature > 0
                         ? sample_token(logits, request.sampling.temperature, live.random)
                         : most_probable_token(logits);
  if (tokenizer_->ends_answer(next)) {
    live.ended = true;
    return;
  }
  live.tokens.push_back(next);
  drafter_.learn(live.tokens, live.tokens.size() - 1);
  ++live.generated;
  ++counters_.generated_tokens;
  const std::string piece = live.answer.add(tokenizer_->piece(next));
  if (events.text && !piece.empty()) events.text(live.job->request, piece);
  if (live.answer.stopped()) {
    live.ended = true;
  } else if (live.generated >= request.max_tokens) {
    live.ended = true;
    live.truncated = true;
  }
}

// Scores the labels of those that ended and frees their slots.
void LlamaEngine::collect(std::vector<std::optional<Live>>& live, std::span<const Request> requests,
                          const Events& events) {
  std::vector<Scoring> scorings;
  std::vector<Completed> unscored;
  for (size_t slot = 0; slot < live.size(); ++slot) {
    if (!live[slot] || !live[slot]->ended) continue;
    const Live& one = *live[slot];
    const Request& request = requests[one.job->request];
    Result result;
    result.text = one.answer.finish(result.invalid_utf8);
    result.truncated = one.truncated;
    result.prompt_tokens = static_cast<std::int64_t>(one.job->tokens.size());
    result.generated_tokens = one.generated;
    if (request.labels.empty()) {
      unscored.push_back({one.job->request, std::move(result)});
    } else {
      scorings.push_back(start_scoring(*one.job, request, static_cast<int>(slot), result.text));
      scorings.back().result = std::move(result);
    }
    live[slot].reset();
  }
  if (!scorings.empty()) finish(scorings, events);
  if (!unscored.empty()) events.results(unscored);
}

}  // namespace

std::unique_ptr<Engine> open_llama_engine(const LlamaOptions& options) {
  return std::make_unique<LlamaEngine>(options);
}

std::string llama_engine_version(bool gpu) {
  std::string kernels = "cpu";
  const std::pair<bool, const char*> features[] = {
      {ggml_cpu_has_avx512() != 0, "avx512"},
      {ggml_cpu_has_avx512() == 0 && ggml_cpu_has_avx2() != 0, "avx2"},
      {ggml_cpu_has_avx512_vnni() != 0 || (has_accelerator() && has_q8_product()), "vnni"},
      {ggml_cpu_has_avx512_bf16() != 0, "bf16"},
      {ggml_cpu_has_neon() != 0, "neon"},
      {ggml_cpu_has_dotprod() != 0, "dotprod"},
      {ggml_cpu_has_matmul_int8() != 0, "i8mm"},
      {ggml_cpu_has_sve() != 0, "sve"},
      {has_accelerator(), "selene"},
  };
  for (const auto& [has, name] : features) {
    if (has) kernels += fmt::format("-{}", name);
  }
  if (gpu) {
    for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
      ggml_backend_dev_t device = ggml_backend_dev_get(i);
      if (ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_GPU) {
        kernels += fmt::format("+{}", ggml_backend_dev_description(device));
      }
    }
  }
  return fmt::format("llama.cpp {}, numerics {}, {}", llama_version(), kNumericsRevision, kernels);
}

std::string llama_system_info() {
  set_up_llama();
  return llama_print_system_info();
}

}  // namespace selene::engine
