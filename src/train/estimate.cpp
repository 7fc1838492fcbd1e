#include "train/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/run_record.h"
#include "model/store.h"
#include "train/pairs.h"

namespace selene::train {
namespace {

double number(std::uint64_t count) { return static_cast<double>(count); }

std::uint64_t layer_parameters(const model::LlamaConfig& c) {
  const std::uint64_t heads = c.heads * c.head_size;
  const std::uint64_t keys = c.kv_heads * c.head_size;
  return c.width * (2 * heads + 2 * keys) + 3 * c.width * c.feed_forward + 2 * c.width;
}

std::string gigabytes(double bytes) { return fmt::format("{:.2f} GB", bytes / 1e9); }

std::string duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

double total_of(const std::vector<MemoryPart>& parts) {
  double total = 0;
  for (const MemoryPart& part : parts) total += part.bytes;
  return total;
}

void say_memory(const std::string& title, const std::vector<MemoryPart>& parts,
                std::vector<std::string>& lines) {
  lines.push_back(fmt::format("{}: {}", title, gigabytes(total_of(parts))));
  for (const MemoryPart& part : parts)
    lines.push_back(fmt::format("  {:<52} {:>10}", part.what, gigabytes(part.bytes)));
}

// Of a run: pairs, tokens that are computed once, and passes over them.
struct Work {
  double pairs = 0;
  double tokens = 0;        // In one epoch.
  double plain_tokens = 0;  // A row for each answer.
  double passes = 1;        // Epochs, also of a run by steps.
};

Work assumed_work(const TrainSettings& settings) {
  if (settings.assumed_pairs <= 0 || settings.assumed_tokens <= 0)
    throw Error("the pairs are not here, and nothing is assumed of them", settings.mix,
                "give assumed_pairs and assumed_tokens in the settings");
  Work work;
  work.pairs = static_cast<double>(settings.assumed_pairs);
  work.tokens = work.pairs * static_cast<double>(settings.assumed_tokens);
  return work;
}

Work work_of(const TrainSettings& settings, const std::filesystem::path& base,
             std::uint64_t context) {
  const LoadedPairs pairs =
      load_pairs(training_file(settings.mix), engine::ConversationTokens(base),
                 longest_pair(settings, context), static_cast<std::size_t>(settings.pairs));
  Work work;
  work.pairs = static_cast<double>(pairs.pairs.size());
  std::vector<TokenPair> tokens;
  for (const LoadedPair& pair : pairs.pairs) tokens.push_back(pair.tokens);
  work.plain_tokens = static_cast<double>(plain_tokens(tokens));
  // Packed as a step packs them.
  const auto batch = static_cast<std::size_t>(settings.batch);
  for (std::size_t begin = 0; begin < tokens.size(); begin += batch) {
    const auto of_step = std::span(tokens).subspan(begin, std::min(batch, tokens.size() - begin));
    for (const Row& row : pack(of_step, static_cast<std::size_t>(settings.row_tokens)))
      work.tokens += static_cast<double>(row.tokens.size());
  }
  return work;
}

double passes_of(const TrainSettings& settings, double pairs) {
  return settings.steps > 0 ? static_cast<double>(settings.steps * settings.batch) / pairs
                            : settings.epochs;
}

// Seconds a token: of a training step, and of the reference.
struct Speed {
  double train = 0;
  double reference = 0;
};

Speed measured_speed(const TrainSettings& settings, const model::Weights& weights) {
  const auto model = make_model(weights, settings.model);
  Random random(1);
  const auto some = [&](std::int64_t count) {
    std::vector<Token> tokens;
    for (std::int64_t i = 0; i < count; ++i)
      tokens.push_back(static_cast<Token>(random.next() % weights.config().vocabulary));
    return tokens;
  };
  const std::int64_t length = std::min<std::int64_t>(settings.row_tokens, 512);
  TokenPair pair;
  pair.prompt = some(length * 9 / 10);
  pair.chosen = some(std::max<std::int64_t>(2, length / 20));
  pair.rejected = some(std::max<std::int64_t>(2, length / 20));
  const Row row = pack(std::span(&pair, 1), static_cast<std::size_t>(length)).at(0);
  const auto seconds = [&](bool backward) {
    const auto start = std::chrono::steady_clock::now();
    model->log_probabilities(row, backward);
    if (backward) model->backward(row, std::vector<double>(row.targets.size(), 0.01));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
           static_cast<double>(row.tokens.size());
  };
  seconds(true);  // The first is slower.
  return {.train = seconds(true), .reference = seconds(false)};
}

// A GPU whose bf16 products do so many operations a second when it is all used, and the share of
// that which training reaches.
struct Gpu {
  const char* name;
  double memory;
  double operations;
  double reached;
};
constexpr Gpu kGpu{"80 GB GPU (989 Tflop/s bf16 dense, as an H100 SXM; 40% of it reached: assumed)",
                   80e9, 989e12, 0.4};

void say_gpus(const TrainSettings& settings, const model::LlamaConfig& config, const Work& work,
              std::vector<std::string>& lines) {
  for (const int devices : {1, 8}) {
    TrainSettings asked = settings;
    if (devices == 1 && !asked.model.lora) asked.model.lora = LoraSettings{};
    if (devices == 8) asked.model.lora.reset();
    const std::vector<MemoryPart> parts = memory_of(asked, config, /*gpu=*/true, devices);
    say_memory(devices == 1
                   ? fmt::format("one {}, LoRA of rank {}", kGpu.name, asked.model.lora->rank)
                   : "each of 8 such GPUs, all weights, optimizer state shared out",
               parts, lines);
    const double operations = work.tokens * work.passes * operations_a_token(asked, config) +
                              work.tokens * 2 * number(parameters_of(config));
    lines.push_back(fmt::format("  time, by formula: {}{}",
                                duration(operations / (kGpu.operations * kGpu.reached * devices)),
                                total_of(parts) > kGpu.memory ? "; does not fit" : ""));
  }
}

}  // namespace

std::uint64_t parameters_of(const model::LlamaConfig& config) {
  return config.vocabulary * config.width * (config.tied_embeddings ? 1 : 2) + config.width +
         config.layers * layer_parameters(config);
}

std::uint64_t lora_parameters_of(const model::LlamaConfig& c, const LoraSettings& lora) {
  const std::uint64_t heads = c.heads * c.head_size;
  const std::uint64_t keys = c.kv_heads * c.head_size;
  std::uint64_t sides = 0;
  for (const std::string& target : lora.targets) {
    if (target == "q_proj" || target == "o_proj") sides += c.width + heads;
    if (target == "k_proj" || target == "v_proj") sides += c.width + keys;
    if (target == "gate_proj" || target == "up_proj" || target == "down_proj")
      sides += c.width + c.feed_forward;
  }
  return c.layers * sides * static_cast<std::uint64_t>(lora.rank);
}

double operations_a_token(const TrainSettings& settings, const model::LlamaConfig& config) {
  const double multiplied = number(config.layers * layer_parameters(config));
  return multiplied * (settings.model.lora ? 4 : 6) * (settings.model.recompute ? 4.0 / 3 : 1);
}

std::vector<MemoryPart> memory_of(const TrainSettings& settings, const model::LlamaConfig& c,
                                  bool gpu, int devices) {
  const bool bf16 = gpu || settings.model.precision == Precision::BF16;
  const double a = settings.model.precision == Precision::F64 && !gpu ? 8 : 4;
  const double g = bf16 ? 2 : a;
  const double all = number(parameters_of(c));
  const double embeddings = number(c.vocabulary * c.width) * (c.tied_embeddings ? 1 : 2);
  std::vector<MemoryPart> parts;
  if (settings.model.lora) {
    const double adapters = number(lora_parameters_of(c, *settings.model.lora));
    parts.push_back({"weights (not trained)", (all - embeddings) * g + embeddings * (gpu ? g : a)});
    parts.push_back(
        {fmt::format("{:.1f} million numbers of adapters, gradients, moments", adapters / 1e6),
         adapters * (4 * a + (bf16 ? g : 0))});
  } else {
    parts.push_back({"weights", all * a / devices + (bf16 ? all * g : 0)});
    parts.push_back({"gradients", all * a / (gpu ? devices : 1)});
    parts.push_back({"moments", 2 * all * a / devices});
  }
  const double heads = number(c.heads * c.head_size);
  const double kept = 2 * number(c.width) * a +
                      (2 * heads + 2 * number(c.kv_heads * c.head_size)) * g +
                      2 * number(c.feed_forward) * g + number(c.heads + 2) * a;
  const double tokens = static_cast<double>(settings.row_tokens);
  const double layers = number(c.layers);
  parts.push_back({fmt::format("activations of {} tokens", settings.row_tokens),
                   settings.model.recompute ? tokens * (layers * number(c.width) * a + kept)
                                            : tokens * layers * kept});
  parts.push_back({"work in hand (one layer, logits of 128 tokens)",
                   tokens * (4 * number(c.feed_forward) * g + 4 * number(c.width) * a) +
                       128 * number(c.vocabulary) * a});
  return parts;
}

std::string what_needs_less(const TrainSettings& settings, const model::LlamaConfig& config) {
  TrainSettings smaller = settings;
  smaller.row_tokens = std::min<std::int64_t>(settings.row_tokens, 512);
  smaller.model.recompute = true;
  const auto needs = [&] { return gigabytes(total_of(memory_of(smaller, config, false, 1))); };
  std::string text =
      fmt::format("with --recompute --row-tokens {} it is {}", smaller.row_tokens, needs());
  if (settings.model.lora) return text;
  smaller.model.lora = LoraSettings{};
  return text + fmt::format(", with --lora as well {}", needs());
}

void check_memory(const TrainSettings& settings, const model::LlamaConfig& config,
                  std::uint64_t bytes) {
  const double needed = total_of(memory_of(settings, config, false, 1));
  if (needed <= number(bytes)) return;
  throw Error(fmt::format("the run needs {} of memory and this machine has {}", gigabytes(needed),
                          gigabytes(number(bytes))),
              "", what_needs_less(settings, config));
}

Estimate estimate(const TrainSettings& settings) {
  Estimate made;
  std::vector<std::string>& lines = made.lines;
  std::filesystem::path base = settings.base;
  if (!std::filesystem::is_directory(base)) {
    try {
      base = model::resolve_model(settings.base == "default" ? "" : settings.base).path;
    } catch (const Error&) {
      if (!settings.shape) throw;
      base.clear();
    }
  }
  std::unique_ptr<model::Weights> weights;
  if (!base.empty() && path_exists(base)) weights = model::open_weights(base);
  if (!weights && !settings.shape)
    throw Error("the base model is not here, and its shape is not in the settings", settings.base);
  const model::LlamaConfig config = weights ? weights->config() : *settings.shape;
  lines.push_back(fmt::format(
      "base: {:.1f} million numbers in {} layers{}", number(parameters_of(config)) / 1e6,
      config.layers, weights ? "" : " (by the shape in the settings: the file is not here)"));
  Work work = weights && path_exists(settings.mix) && !std::filesystem::is_directory(base)
                  ? work_of(settings, base, config.context_length)
                  : assumed_work(settings);
  work.passes = passes_of(settings, work.pairs);
  lines.push_back(fmt::format(
      "pairs: {:.0f}{}; {:.0f} tokens to compute an epoch{}; {:g} epochs", work.pairs,
      work.plain_tokens > 0 ? "" : " (assumed)", work.tokens,
      work.plain_tokens > 0 ? fmt::format(" ({:.0f} with a row for each answer)", work.plain_tokens)
                            : "",
      work.passes));
  if (weights) {
    say_memory("memory here", memory_of(settings, config, false, 1), lines);
    const double needed = total_of(memory_of(settings, config, false, 1));
    const double there = number(machine().memory_bytes);
    if (needed > 0.9 * there) {
      lines.push_back(fmt::format("this machine has {}; {}", gigabytes(there),
                                  what_needs_less(settings, config)));
    } else {
      const Speed speed = measured_speed(settings, *weights);
      const double reference = settings.loss.dpo_weight > 0 ? work.tokens * speed.reference : 0;
      lines.push_back(fmt::format(
          "time here, at {:.0f} tokens/s measured on one row: {} ({} of it the reference)",
          1 / speed.train, duration(work.tokens * work.passes * speed.train + reference),
          duration(reference)));
    }
  }
  if (settings.shape) say_gpus(settings, config, work, lines);
  return made;
}

std::string estimate_text(const Estimate& estimate) {
  std::string text;
  for (const std::string& line : estimate.lines) text += line + "\n";
  return text;
}

}  // namespace selene::train
