#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <numeric>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/run_record.h"
#include "core/text.h"
#include "model/adapter.h"
#include "model/write_model.h"
#include "train/checkpoint.h"
#include "train/estimate.h"
#include "train/optimizer.h"

namespace selene::train {
namespace {

using Json = nlohmann::ordered_json;

// 1 % of a run's steps at least, so that short ones are still looked at.
constexpr std::int64_t kLooks = 10;

// The order of the pairs in an epoch (Fisher and Yates).
std::vector<std::size_t> order_of(std::size_t pairs, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::size_t> order(pairs);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(derive_seed(seed, fmt::format("epoch {}", epoch)));
  for (std::size_t i = pairs; i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
  return order;
}

// Rows of some of the pairs, and which pair each of theirs is.
struct Packed {
  std::vector<Row> rows;
  std::vector<std::size_t> index_of;
  std::size_t tokens = 0;
  std::size_t plain = 0;
};

Packed packed(std::span<const LoadedPair> pairs, std::span<const std::size_t> members,
              std::int64_t row_tokens) {
  Packed made;
  std::vector<TokenPair> tokens;
  for (const std::size_t member : members) {
    tokens.push_back(pairs[member].tokens);
    made.index_of.push_back(member);
  }
  made.rows = pack(tokens, static_cast<std::size_t>(row_tokens));
  for (const Row& row : made.rows) made.tokens += row.tokens.size();
  made.plain = plain_tokens(tokens);
  return made;
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> members(count);
  std::iota(members.begin(), members.end(), std::size_t{0});
  return members;
}

std::vector<TokenPair> tokens_of(std::span<const LoadedPair> pairs) {
  std::vector<TokenPair> tokens;
  for (const LoadedPair& pair : pairs) tokens.push_back(pair.tokens);
  return tokens;
}

// Of a metrics.jsonl: the bytes of its lines of steps up to `step`. Those after it are of a run
// that was killed after its last checkpoint.
std::uint64_t bytes_up_to(const std::filesystem::path& file, std::int64_t step) {
  if (step == 0 || !path_exists(file)) return 0;
  const std::string text = read_file(file);
  std::size_t kept = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', kept)) {
    const Json line = Json::parse(text.substr(kept, end - kept), nullptr, false);
    if (!line.is_object() || line.value("step", std::int64_t{0}) > step) break;
    kept = end + 1;
  }
  return kept;
}

// metrics.jsonl: a line a step and a line a validation, in order.
class Metrics {
 public:
  Metrics(const std::filesystem::path& file, std::int64_t step)
      : file_(file, bytes_up_to(file, step)) {}

  void add(const Json& line) { file_.append(line.dump() + "\n"); }

 private:
  AppendFile file_;
};

class Run {
 public:
  Run(const TrainSettings& settings, std::filesystem::path base, std::filesystem::path out,
      const TrainEvents& events, Json& record)
      : settings_(settings),
        base_(std::move(base)),
        out_(std::move(out)),
        events_(events),
        record_(record) {
    settings_.model.most_kept = settings_.row_tokens;
  }

  Error out_of_memory() const {
    return Error("there is not enough memory", "",
                 what_needs_less(settings_, config_) + "; the last checkpoint is kept");
  }

  TrainOutcome run() {
    load();
    if (!prepare_reference()) return outcome_;
    Checkpoints checkpoints(out_ / "checkpoints", identity_,
                            static_cast<std::size_t>(settings_.keep));
    Optimizer optimizer(*model_, settings_.optimizer);
    resume(checkpoints, optimizer);
    Metrics metrics(out_ / "metrics.jsonl", step_);
    if (step_ == 0) {
      if (!settings_.adapter.empty())
        model_->set_adapter(model::read_adapter(settings_.adapter, model_->config()));
      if (!validation_.pairs.empty() && !validate(metrics)) return outcome_;
      outcome_.before = last_validation_;
    }
    while (step_ < steps_ && !ended_early_) {
      if (events_.stop()) return stopped(checkpoints, optimizer);
      train_step(optimizer, metrics);
      const bool last = step_ == steps_;
      if (step_ % validate_every_ == 0 || last) {
        if (!validation_.pairs.empty() && !validate(metrics))
          return stopped(checkpoints, optimizer);
        measure_share(optimizer, metrics);
      }
      if (step_ % checkpoint_every_ == 0 || last || ended_early_) save(checkpoints, optimizer);
    }
    finish(checkpoints);
    return outcome_;
  }

 private:
  void say(const std::string& line) const {
    if (events_.say) events_.say(line);
  }

  void load() {
    check_settings(settings_);
    const engine::ConversationTokens tokenizer(base_);
    const auto weights = model::open_weights(base_);
    config_ = weights->config();
    if (static_cast<std::uint64_t>(tokenizer.vocabulary()) > config_.vocabulary)
      throw Error(fmt::format("the model has {} tokens and numbers for {} of them",
                              tokenizer.vocabulary(), config_.vocabulary),
                  base_.string());
    const std::size_t most = longest_pair(settings_, config_.context_length);
    training_ = load_pairs(training_file(settings_.mix), tokenizer, most,
                           static_cast<std::size_t>(settings_.pairs));
    const std::filesystem::path validation =
        std::filesystem::path(settings_.mix) / "validation.jsonl";
    if (settings_.validation_pairs > 0 && path_exists(validation)) {
      validation_ = load_pairs(validation, tokenizer, most,
                               static_cast<std::size_t>(settings_.validation_pairs));
      validation_rows_ =
          packed(validation_.pairs, all_of(validation_.pairs.size()), settings_.row_tokens);
    }
    outcome_.pairs = training_.pairs.size();
    outcome_.cut = training_.cut;
    outcome_.too_long = training_.too_long;
    const auto in_epoch = static_cast<std::int64_t>(
        (training_.pairs.size() + static_cast<std::size_t>(settings_.batch) - 1) /
        static_cast<std::size_t>(settings_.batch));
    steps_ = settings_.steps > 0
                 ? settings_.steps
                 : std::max<std::int64_t>(
                       1, std::llround(settings_.epochs * static_cast<double>(in_epoch)));
    steps_in_epoch_ = in_epoch;
    validate_every_ = settings_.validate_every > 0 ? settings_.validate_every
                                                   : std::max<std::int64_t>(1, steps_ / kLooks);
    checkpoint_every_ =
        settings_.checkpoint_every > 0 ? settings_.checkpoint_every : validate_every_;
    Json facts = train::to_json(settings_);
    facts["base"] = sha256_file_cached(base_);
    facts["train"] = training_.digest;
    facts["validation"] = validation_.digest;
    facts["steps"] = steps_;
    if (!settings_.adapter.empty() && std::filesystem::is_regular_file(settings_.adapter))
      facts["adapter"] = sha256_file_cached(settings_.adapter);
    identity_ = sha256(facts.dump());
    record_["settings"] = facts;
    record_["counts"] = {{"train_pairs", training_.pairs.size()},
                         {"validation_pairs", validation_.pairs.size()},
                         {"prompts_cut", training_.cut + validation_.cut},
                         {"too_long", training_.too_long + validation_.too_long}};
    say(fmt::format("{} pairs to train on, {} to validate; {} steps of {} pairs",
                    training_.pairs.size(), validation_.pairs.size(), steps_, settings_.batch));
    if (training_.cut + validation_.cut > 0)
      say(fmt::format("{} pairs are longer than {} tokens: the middle of their data is cut out",
                      training_.cut + validation_.cut, most));
    if (training_.too_long + validation_.too_long > 0)
      say(fmt::format("{} pairs are left out: their answers alone are longer than {} tokens",
                      training_.too_long + validation_.too_long, most));
    const auto longer =
        std::count_if(training_.pairs.begin(), training_.pairs.end(), [&](const LoadedPair& pair) {
          return pair.tokens.prompt.size() + pair.tokens.chosen.size() +
                     pair.tokens.rejected.size() >
                 static_cast<std::size_t>(settings_.row_tokens);
        });
    if (longer > 0 && !settings_.model.recompute)
      say(
          fmt::format("{} pairs are longer than a row of {} tokens: their activations are computed "
                      "twice, to keep memory as --dry-run says; a larger --row-tokens is faster",
                      longer, settings_.row_tokens));
    check_memory(settings_, config_, machine().memory_bytes);
    model_ = make_model(*weights, settings_.model);
  }

  // Of training and validation pairs, in this order. False when stopped.
  bool prepare_reference() {
    if (settings_.loss.dpo_weight == 0) return true;
    std::vector<TokenPair> pairs = tokens_of(training_.pairs);
    for (const LoadedPair& pair : validation_.pairs) pairs.push_back(pair.tokens);
    const std::string digest = sha256(
        fmt::format("{} {} {} {}", record_["settings"]["base"].get<std::string>(), training_.digest,
                    validation_.digest, train::name_of(settings_.model.precision)));
    model_->use_adapters(false);
    references_ = reference_scores(
        *model_, pairs, static_cast<std::size_t>(settings_.row_tokens), out_ / "reference.bin",
        digest, [&](std::size_t done) { events_.work("reference", done, pairs.size()); },
        [&] { return !events_.stop(); });
    model_->use_adapters(true);
    return references_.size() == pairs.size();
  }

  std::span<const ReferenceScores> training_references() const {
    return std::span(references_).first(references_.empty() ? 0 : training_.pairs.size());
  }
  std::span<const ReferenceScores> validation_references() const {
    return std::span(references_).subspan(references_.empty() ? 0 : training_.pairs.size());
  }

  void resume(const Checkpoints& checkpoints, Optimizer& optimizer) {
    const std::optional<Json> state = checkpoints.find_last();
    if (!state) return;
    step_ = (*state)["step"].get<std::int64_t>();
    checkpoints.load(step_, *model_, optimizer);
    best_loss_ = state->value("best_loss", best_loss_);
    best_step_ = state->value("best_step", best_step_);
    worse_ = state->value("worse", worse_);
    ended_early_ = state->value("ended_early", false);
    if (state->contains("before")) outcome_.before = means_from((*state)["before"]);
    if (state->contains("best")) best_validation_ = means_from((*state)["best"]);
    if (state->contains("last")) last_validation_ = means_from((*state)["last"]);
    outcome_.tokens = state->value("tokens", std::uint64_t{0});
    outcome_.plain_tokens = state->value("plain_tokens", std::uint64_t{0});
    say(fmt::format("going on from step {} of {}", step_, steps_));
  }

  // The pairs of a step: the next of its epoch.
  std::vector<std::size_t> members_of(std::int64_t step) {
    const std::int64_t epoch = (step - 1) / steps_in_epoch_;
    if (epoch != ordered_epoch_) {
      order_ = order_of(training_.pairs.size(), settings_.model.seed, epoch);
      ordered_epoch_ = epoch;
    }
    const auto begin = static_cast<std::size_t>((step - 1) % steps_in_epoch_ * settings_.batch);
    const std::size_t end =
        std::min(begin + static_cast<std::size_t>(settings_.batch), order_.size());
    return {order_.begin() + static_cast<std::ptrdiff_t>(begin),
            order_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  void train_step(Optimizer& optimizer, Metrics& metrics) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t step = step_ + 1;
    const std::vector<std::size_t> members = members_of(step);
    const Packed batch = packed(training_.pairs, members, settings_.row_tokens);
    PairSum sum(settings_.loss, training_.pairs, training_references());
    for (const Row& row : batch.rows) {
      const std::vector<double> log_p = model_->log_probabilities(row, /*keep=*/true);
      std::vector<double> gradients(row.targets.size());
      sum.add(row, log_p, batch.index_of, 1.0 / static_cast<double>(members.size()), &gradients);
      model_->backward(row, gradients);
    }
    const PairMeans means = sum.means();
    const double norm = optimizer.gradient_norm();
    if (!std::isfinite(means.loss) || !std::isfinite(norm)) throw not_finite(step, members);
    const double rate = learning_rate_at(settings_.optimizer, step, steps_);
    optimizer.step(step, rate, norm);
    step_ = step;
    outcome_.tokens += batch.tokens;
    outcome_.plain_tokens += batch.plain;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const double speed = static_cast<double>(batch.tokens) / seconds.count();
    Json line{{"step", step},
              {"epoch", static_cast<double>(step) / static_cast<double>(steps_in_epoch_)}};
    line.update(train::to_json(means));
    line["gradient_norm"] = norm;
    line["learning_rate"] = rate;
    line["tokens"] = batch.tokens;
    line["tokens_per_second"] = std::round(speed * 10) / 10;
    metrics.add(line);
    if (events_.step) events_.step({step, steps_, means, norm, rate, speed});
  }

  Error not_finite(std::int64_t step, std::span<const std::size_t> members) const {
    std::vector<std::string> ids;
    for (const std::size_t member : members) ids.push_back(training_.pairs[member].tokens.id);
    const std::string names = fmt::format("{}", fmt::join(ids, ", "));
    return Error(fmt::format("the loss or its gradient is no finite number at step {}, of the "
                             "pairs {}",
                             step, cut_to_columns(names, 400)),
                 out_.string(),
                 "the last checkpoint is kept; try a smaller --learning-rate, or fp32");
  }

  // Losses and accuracies of the validation pairs; false when stopped.
  bool validate(Metrics& metrics) {
    PairSum sum(settings_.loss, validation_.pairs, validation_references());
    std::size_t done = 0;
    for (const Row& row : validation_rows_.rows) {
      if (events_.stop()) return false;
      sum.add(row, model_->log_probabilities(row, /*keep=*/false), validation_rows_.index_of, 1,
              nullptr);
      done += row.pairs.size();
      events_.work("validating", done, validation_.pairs.size());
    }
    last_validation_ = sum.means();
    if (!std::isfinite(last_validation_->loss))
      throw Error(fmt::format("the validation loss is no finite number after step {}", step_),
                  out_.string(), "try a smaller --learning-rate, or fp32");
    Json line{{"step", step_}, {"validation", train::to_json(*last_validation_)}};
    metrics.add(line);
    if (events_.validated) events_.validated(step_, *last_validation_);
    if (last_validation_->loss < best_loss_) {
      best_loss_ = last_validation_->loss;
      best_step_ = step_;
      best_validation_ = last_validation_;
      worse_ = 0;
    } else if (step_ > 0) {
      ++worse_;
      if (settings_.patience > 0 && worse_ >= settings_.patience) {
        ended_early_ = true;
        say(fmt::format("no better for {} validations: ended at step {}", worse_, step_));
      }
    }
    return true;
  }

  // The gradients of the first pairs' verdicts and of the rest, each alone. The model's gradients
  // are 0 before and after.
  void measure_share(Optimizer& optimizer, Metrics& metrics) {
    const std::size_t count = std::min<std::size_t>(training_.pairs.size(), 4);
    const Packed batch = packed(training_.pairs, all_of(count), settings_.row_tokens);
    std::vector<Json> norms;
    for (const bool of_verdict : {true, false}) {
      for (const Row& row : batch.rows) {
        const std::vector<double> log_p = model_->log_probabilities(row, /*keep=*/true);
        std::vector<double> gradients(row.targets.size());
        PairSum sum(settings_.loss, training_.pairs, training_references());
        sum.add(row, log_p, batch.index_of, 1.0 / static_cast<double>(count), &gradients);
        std::vector<bool> verdict(row.targets.size());
        for (const PackedPair& pair : row.pairs) {
          for (const Branch* branch : {&pair.chosen, &pair.rejected}) {
            for (std::size_t i = branch->verdict; i < branch->targets.size(); ++i)
              verdict[static_cast<std::size_t>(branch->targets[i])] = true;
          }
        }
        for (std::size_t t = 0; t < gradients.size(); ++t)
          if (verdict[t] != of_verdict) gradients[t] = 0;
        model_->backward(row, gradients);
      }
      norms.emplace_back(optimizer.gradient_norm());
      optimizer.clear_gradients();
    }
    metrics.add({{"step", step_},
                 {"gradient_share",
                  {{"pairs", count}, {"verdict_norm", norms[0]}, {"critique_norm", norms[1]}}}});
  }

  void save(const Checkpoints& checkpoints, const Optimizer& optimizer) {
    Json state{{"best_loss", best_loss_},   {"best_step", best_step_},
               {"worse", worse_},           {"ended_early", ended_early_},
               {"tokens", outcome_.tokens}, {"plain_tokens", outcome_.plain_tokens}};
    if (outcome_.before) state["before"] = train::to_json(*outcome_.before);
    if (best_validation_) state["best"] = train::to_json(*best_validation_);
    if (last_validation_) state["last"] = train::to_json(*last_validation_);
    checkpoints.save(step_, std::move(state), *model_, optimizer,
                     best_step_ > 0 ? std::optional(best_step_) : std::nullopt);
  }

  TrainOutcome stopped(const Checkpoints& checkpoints, const Optimizer& optimizer) {
    if (step_ > 0) save(checkpoints, optimizer);
    outcome_.steps = step_;
    return outcome_;
  }

  // The weights of the step with the least validation loss, where that is not the last.
  void use_best(const Checkpoints& checkpoints) {
    if (validation_.pairs.empty() || best_step_ == step_) return;
    const std::vector<std::int64_t> there = checkpoints.steps();
    if (best_step_ == 0) {
      say("no step has a smaller validation loss than the base model; the last step's is written");
    } else if (std::find(there.begin(), there.end(), best_step_) == there.end()) {
      say(
          fmt::format("step {} had the least validation loss and no checkpoint; the last step's "
                      "model is written",
                      best_step_));
    } else {
      say(fmt::format("step {} had the least validation loss: its model is written", best_step_));
      checkpoints.load_weights(best_step_, *model_);
      outcome_.after = best_validation_;
    }
  }

  void finish(const Checkpoints& checkpoints) {
    outcome_.done = true;
    outcome_.steps = step_;
    outcome_.best_step = best_step_;
    outcome_.after = last_validation_;
    use_best(checkpoints);
    say("writing the model");
    if (settings_.model.lora) {
      const model::LoraAdapter adapter = *model_->adapter();
      model::write_adapter_gguf(out_ / "adapter.gguf", adapter, model_->config());
      model::write_peft_folder(out_ / "adapter", adapter, model_->config(), settings_.base);
    }
    model::write_gguf(
        out_ / "model.gguf", base_,
        [&](const std::string& name, std::span<float> out) { model_->read(name, true, out); },
        settings_.format);
    outcome_.model = out_;
  }

  TrainSettings settings_;
  std::filesystem::path base_;
  std::filesystem::path out_;
  const TrainEvents& events_;
  Json& record_;
  TrainOutcome outcome_;
  model::LlamaConfig config_;
  std::string identity_;
  LoadedPairs training_;
  LoadedPairs validation_;
  Packed validation_rows_;
  std::vector<ReferenceScores> references_;
  std::unique_ptr<Model> model_;
  std::int64_t steps_ = 0;
  std::int64_t steps_in_epoch_ = 1;
  std::int64_t validate_every_ = 1;
  std::int64_t checkpoint_every_ = 1;
  std::int64_t step_ = 0;
  std::vector<std::size_t> order_;
  std::int64_t ordered_epoch_ = -1;
  std::optional<PairMeans> last_validation_;
  std::optional<PairMeans> best_validation_;
  double best_loss_ = 1e300;
  std::int64_t best_step_ = 0;
  std::int64_t worse_ = 0;
  bool ended_early_ = false;
};

}  // namespace

void set_threads(int threads) { at::set_num_threads(threads); }

TrainOutcome train(const TrainSettings& settings, const std::filesystem::path& base_gguf,
                   const std::filesystem::path& out, const TrainEvents& events, Json& record) {
  Run run(settings, base_gguf, out, events, record);
  try {
    return run.run();
  } catch (const std::bad_alloc&) {
    throw run.out_of_memory();
  } catch (const c10::Error& failure) {
    // LibTorch's own allocator says so in words alone.
    const std::string message = failure.what_without_backtrace();
    if (message.find("allocate memory") != std::string::npos) throw run.out_of_memory();
    throw Error("LibTorch: " + message);
  }
}

}  // namespace selene::train
