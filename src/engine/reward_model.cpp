#include "engine/reward_model.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "engine/job_order.h"
#include "engine/llama_engine.h"
#include "engine/llama_load.h"
#include "engine/reward_head.h"
#include "engine/sequences.h"
#include "engine/tokens.h"
#include "model/gguf.h"

namespace selene::engine {
namespace {

constexpr int kBatchTokens = 512;
constexpr std::int64_t kStep = 256;  // Contexts are made for a multiple of it.

std::int64_t rounded_up(std::int64_t tokens) { return (tokens + kStep - 1) / kStep * kStep; }

// Where the template of a pair has `{query}` and `{document}`, the texts stand, once each.
std::vector<TextPart> fill(std::string_view form, const TextPair& pair) {
  const std::pair<std::string_view, const std::string*> places[] = {{"{query}", &pair.prompt},
                                                                    {"{document}", &pair.answer}};
  std::vector<TextPart> parts;
  while (!form.empty()) {
    size_t first = form.size();
    const std::pair<std::string_view, const std::string*>* found = nullptr;
    for (const auto& place : places) {
      if (const size_t at = form.find(place.first); at < first) {
        first = at;
        found = &place;
      }
    }
    parts.push_back({std::string(form.substr(0, first)), false});
    if (found == nullptr) break;
    parts.push_back({*found->second, true});
    form.remove_prefix(first + found->first.size());
  }
  return parts;
}

// An encoder reads a text at once, alone in its pass: so nothing else can change its score.
class Encoder {
 public:
  Encoder(llama_model* model, std::int64_t tokens, int threads) : tokens_(tokens) {
    llama_context_params params = llama_context_default_params();
    params.n_seq_max = 1;
    params.n_ctx = static_cast<std::uint32_t>(tokens);
    params.n_batch = params.n_ctx;
    params.n_ubatch = params.n_ctx;
    params.n_threads = threads;
    params.n_threads_batch = threads;
    params.embeddings = true;
    params.pooling_type = LLAMA_POOLING_TYPE_RANK;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.no_perf = true;
    take_llama_log();
    context_.reset(llama_init_from_model(model, params));
    if (context_ == nullptr) {
      throw Error(fmt::format("not enough memory for a text of {} tokens", tokens), "",
                  "lower the context");
    }
  }

  std::int64_t tokens() const { return tokens_; }

  double score(std::vector<Token> tokens) {
    const auto count = static_cast<std::int32_t>(tokens.size());
    const int code = llama_encode(context_.get(), llama_batch_get_one(tokens.data(), count));
    if (code != 0) {
      throw Error(
          fmt::format("llama.cpp could not compute a text of {} tokens (code {})", count, code));
    }
    const float* output = llama_get_embeddings_seq(context_.get(), 0);
    ensure(output != nullptr, "no score where it was asked for");
    return static_cast<double>(*output);
  }

 private:
  std::int64_t tokens_;
  llama_context_ptr context_;
};

}  // namespace

struct RewardModel::State {
  RewardOptions options;
  RewardHead head;
  EngineId id;
  std::int64_t context_limit = 0;
  bool on_gpu = false;
  llama_model_ptr model;
  std::optional<Tokenizer> tokenizer;
  std::optional<ChatTemplate> chat_template;  // Of a model that takes conversations.
  std::optional<Sequences> sequences;         // Of a model that is no encoder.
  std::optional<Encoder> encoder;

  explicit State(RewardOptions given);
  void load();
  void load_chat_template();
  std::vector<Token> tokens(const RewardInput& input) const;
  std::vector<Token> join(const TextPair& pair) const;
  void make_room(std::int64_t longest);
  double score(const std::vector<Token>& tokens);
};

RewardModel::State::State(RewardOptions given) : options(std::move(given)) {
  set_up_llama();
  if (options.threads <= 0)
    options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (options.name.empty()) options.name = options.model.filename().string();
  const model::GgufInfo info = model::inspect_gguf(options.model);
  if (info.is_adapter) {
    throw Error("this file is a LoRA adapter, not a model", options.model.string(),
                "give the model with its classification head");
  }
  head = read_reward_head(options.model);
  if (!head.takes_pairs && !info.chat_template && options.chat_template.empty())
    throw Error("the reward model has no chat template", options.model.string());
  const auto trained = static_cast<std::int64_t>(info.context_length);
  if (trained > 0 && options.context_tokens > trained) {
    throw Error(fmt::format("a context of {} tokens is more than the {} that the reward model was "
                            "trained for",
                            options.context_tokens, trained),
                options.model.string());
  }
  context_limit = options.context_tokens > 0 ? options.context_tokens : trained > 0 ? trained : 512;
  on_gpu = llama_supports_gpu_offload() && options.gpu_layers != 0;
  id.name = options.name;
  id.model = sha256_file_cached(options.model);
  id.version = llama_engine_version(on_gpu);
  id.options = "reward";
  if (!head.takes_pairs) {
    id.options += ", date " + options.date;
    if (!options.chat_template.empty())
      id.options += ", chat template " + sha256(options.chat_template);
  }
}

void RewardModel::State::load() {
  if (model != nullptr) return;
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = options.gpu_layers;
  llama_model_ptr loaded = load_llama_model(options.model, params);
  tokenizer.emplace(llama_model_get_vocab(loaded.get()));
  model = std::move(loaded);
}

void RewardModel::State::load_chat_template() {
  if (chat_template) return;
  chat_template.emplace(
      own_chat_template(model.get(), *tokenizer, options.chat_template, options.date));
}

std::vector<Token> RewardModel::State::tokens(const RewardInput& input) const {
  if (const auto* pair = std::get_if<TextPair>(&input)) {
    if (!head.takes_pairs) {
      throw Error("the reward model scores conversations, not pairs of texts",
                  options.model.string(), "give it the messages");
    }
    return join(*pair);
  }
  if (head.takes_pairs) {
    throw Error("the reward model scores pairs of texts, not conversations", options.model.string(),
                "give it a prompt and an answer");
  }
  const auto& messages = std::get<std::vector<Message>>(input);
  return tokenizer->tokens(
      tokenizer->prompt(chat_template->render(messages, /*begin_answer=*/false)), "");
}

// As format_prompt_rerank of llama.cpp's server.
std::vector<Token> RewardModel::State::join(const TextPair& pair) const {
  if (!head.pair_template.empty())
    return tokenizer->tokens(tokenizer->prompt(fill(head.pair_template, pair)), "");
  const llama_vocab* vocab = llama_model_get_vocab(model.get());
  const Token separator = llama_vocab_sep(vocab);
  const Token end = llama_vocab_eos(vocab) != LLAMA_TOKEN_NULL ? llama_vocab_eos(vocab) : separator;
  std::vector<Token> joined;
  const auto add = [&](bool wanted, Token token) {
    if (wanted && token != LLAMA_TOKEN_NULL) joined.push_back(token);
  };
  const auto add_text = [&](const std::string& text) {
    joined = tokenizer->tokens({.head = std::move(joined), .tail = text}, "");
  };
  add(llama_vocab_get_add_bos(vocab), llama_vocab_bos(vocab));
  add_text(pair.prompt);
  add(llama_vocab_get_add_eos(vocab), end);
  add(llama_vocab_get_add_sep(vocab), separator);
  add_text(pair.answer);
  add(llama_vocab_get_add_eos(vocab), end);
  return joined;
}

// A context for texts of `longest` tokens, where there is none yet.
void RewardModel::State::make_room(std::int64_t longest) {
  const std::int64_t room = rounded_up(longest);
  if (head.encoder) {
    if (encoder && encoder->tokens() >= room) return;
    encoder.reset();
    encoder.emplace(model.get(), room, options.threads);
    return;
  }
  if (sequences && sequences->options().slot_tokens >= room) return;
  sequences.reset();
  take_llama_log();
  sequences.emplace(Sequences::Options{
      .model = model.get(),
      .slots = 1,
      .slot_tokens = room,
      .batch_tokens = kBatchTokens,
      .threads = options.threads,
      .flash = !on_gpu && accelerates_attention(model.get()),
      .hidden = true,
  });
}

double RewardModel::State::score(const std::vector<Token>& tokens) {
  double score = 0;
  if (head.encoder) {
    score = encoder->score(tokens);
  } else {
    const std::vector<Sequences::Goal> goals{{.slot = 0, .tokens = tokens}};
    sequences->advance(goals, [&](size_t, size_t, std::span<const float> hidden) {
      ensure(hidden.size() == head.weights.size(), "the head fits the model");
      for (size_t i = 0; i < hidden.size(); ++i)
        score += static_cast<double>(hidden[i]) * static_cast<double>(head.weights[i]);
    });
  }
  if (!std::isfinite(score)) {
    throw Error("the reward model gives a score that is no number", options.model.string(),
                "its weights are damaged");
  }
  return score;
}

RewardModel::RewardModel(RewardOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
RewardModel::~RewardModel() = default;
RewardModel::RewardModel(RewardModel&&) noexcept = default;

bool RewardModel::takes_pairs() const { return state_->head.takes_pairs; }
std::int64_t RewardModel::context_limit() const { return state_->context_limit; }
const EngineId& RewardModel::id() const { return state_->id; }

std::vector<RewardScore> RewardModel::score(std::span<const RewardInput> inputs) {
  if (inputs.empty()) return {};
  state_->load();
  if (!takes_pairs()) state_->load_chat_template();
  std::vector<RewardScore> scores(inputs.size());
  std::vector<std::vector<Token>> texts;
  std::vector<size_t> inputs_of_texts;
  std::int64_t longest = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::vector<Token> tokens = state_->tokens(inputs[i]);
    if (tokens.empty())
      throw Error("the chat template gives an empty text", state_->options.model.string());
    scores[i].tokens = static_cast<std::int64_t>(tokens.size());
    if (scores[i].tokens > context_limit()) continue;
    longest = std::max(longest, scores[i].tokens);
    texts.push_back(std::move(tokens));
    inputs_of_texts.push_back(i);
  }
  if (texts.empty()) return scores;
  state_->make_room(longest);
  for (const size_t i : prefix_tree_order(texts))
    scores[inputs_of_texts[i]].score = state_->score(texts[i]);
  return scores;
}

}  // namespace selene::engine
