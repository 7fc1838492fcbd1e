// How fast pairs are trained on: reference log-probabilities, then a step of the optimizer for each
// 16 pairs, by the trainer's own parts. bench/peers/train compares it with TRL.
//
//   build/bench/train time MODEL.gguf PAIRS.jsonl COUNT PRECISION LORA_RANK ROW_TOKENS [recompute]
//   build/bench/train where MODEL.gguf PAIRS.jsonl COUNT PRECISION LORA_RANK ROW_TOKENS [recompute]
//   build/bench/train tokens MODEL.gguf PAIRS.jsonl COUNT ROW_TOKENS
//   build/bench/train lengths MODEL.gguf CHART.svg
//
// LORA_RANK 0 trains all weights. `time` prints a JSON object: reference_s, train_s, losses (means
// of each step), tokens (computed in training), peak_bytes of this process. `where` prints a table
// of what training's time went into. `tokens` computes nothing and prints how many tokens are: as
// packed and as a row for each answer has them. `lengths` draws tokens/s of a step against the
// length of a row, 256 to 4096, in fp32 and bf16, and prints them.
#include <ATen/record_function.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/process.h"
#include "core/random.h"
#include "core/run_record.h"
#include "engine/conversation_tokens.h"
#include "model/weights.h"
#include "report/curves.h"
#include "train/model.h"
#include "train/optimizer.h"
#include "train/packing.h"
#include "train/pairs.h"
#include "train/reference.h"
#include "train/trainer.h"

namespace {

using namespace selene;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 16;
constexpr std::size_t kMostTokens = 2048;  // Of a pair, as the peer has it.

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of all threads, so far.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::size_t number(const char* text) { return static_cast<std::size_t>(std::stoul(text)); }

train::LoadedPairs read_pairs(char** arguments) {
  return train::load_pairs(arguments[3], engine::ConversationTokens(arguments[2]), kMostTokens,
                           number(arguments[4]));
}

std::vector<train::TokenPair> tokens_of(std::span<const train::LoadedPair> pairs) {
  std::vector<train::TokenPair> tokens;
  for (const train::LoadedPair& pair : pairs) tokens.push_back(pair.tokens);
  return tokens;
}

int count_tokens(char** arguments) {
  const std::vector<train::TokenPair> pairs = tokens_of(read_pairs(arguments).pairs);
  std::size_t packed = 0;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBatch) {
    const auto batch = std::span(pairs).subspan(begin, std::min(kBatch, pairs.size() - begin));
    for (const train::Row& row : train::pack(batch, number(arguments[5])))
      packed += row.tokens.size();
  }
  fmt::print("{}\n",
             nlohmann::json{
                 {"pairs", pairs.size()}, {"packed", packed}, {"plain", train::plain_tokens(pairs)}}
                 .dump());
  return EXIT_SUCCESS;
}

// One step on pairs [begin, end); their mean loss.
double step_on(train::Model& model, train::Optimizer& optimizer,
               std::span<const train::LoadedPair> pairs,
               std::span<const train::ReferenceScores> references, std::size_t row_tokens,
               std::int64_t step, std::size_t& tokens) {
  std::vector<std::size_t> members(pairs.size());
  for (std::size_t i = 0; i < members.size(); ++i) members[i] = i;
  train::PairSum sum({}, pairs, references);
  for (const train::Row& row : train::pack(tokens_of(pairs), row_tokens)) {
    const std::vector<double> log_p = model.log_probabilities(row, /*keep=*/true);
    std::vector<double> gradients(row.targets.size());
    sum.add(row, log_p, members, 1.0 / static_cast<double>(pairs.size()), &gradients);
    model.backward(row, gradients);
    tokens += row.tokens.size();
  }
  optimizer.step(step, 1e-5, optimizer.gradient_norm());
  return sum.means().loss;
}

// --- Where the time goes -------------------------------------------------------------------------

// An operation of LibTorch's or a named part of ours, while it runs on this thread.
struct Operation : at::ObserverContext {
  Clock::time_point start = Clock::now();
  Operation* outer = nullptr;
  std::string_view part;  // Of ours, that it is or is in.
  double inner_s = 0;     // Of operations within it.
};
Operation* innermost = nullptr;
std::map<std::string, double> seconds_by_part;

std::unique_ptr<at::ObserverContext> begin_operation(const at::RecordFunction& function) {
  auto operation = std::make_unique<Operation>();
  operation->outer = innermost;
  const std::string_view name = function.name();
  if (name.starts_with("selene::"))
    operation->part = name.substr(8);
  else if (innermost)
    operation->part = innermost->part;
  innermost = operation.get();
  return operation;
}

void end_operation(const at::RecordFunction& function, at::ObserverContext* context) {
  auto* operation = static_cast<Operation*>(context);
  const std::string_view name = function.name();
  const bool product = name.find("mm") != std::string_view::npos;
  const double seconds = seconds_since(operation->start);
  std::string part(operation->part);
  if (part.empty()) part = product ? "products with the layers' matrices" : "copies and sums";
  if (part == "head") part += product ? ": products" : ": softmax and the rest";
  seconds_by_part[part] += seconds - operation->inner_s;
  innermost = operation->outer;
  if (innermost) innermost->inner_s += seconds;
}

void print_parts(double total) {
  std::vector<std::pair<double, std::string>> parts;
  double known = 0;
  for (const auto& [part, seconds] : seconds_by_part) {
    parts.emplace_back(seconds, part);
    known += seconds;
  }
  parts.emplace_back(total - known, "norms, RoPE, SwiGLU, residuals");
  std::sort(parts.rbegin(), parts.rend());
  for (const auto& [seconds, part] : parts)
    fmt::print("{:<36} {:7.2f} s {:5.1f}%\n", part, seconds, 100 * seconds / total);
  fmt::print("{:<36} {:7.2f} s\n", "all", total);
}

// --- Speed by length -----------------------------------------------------------------------------

// Tokens a second of a row forward and back: nine tenths of it prompt, then two answers.
double row_speed(train::Model& model, std::size_t length) {
  Random random(length);
  const auto some = [&](std::size_t count) {
    std::vector<train::Token> tokens(count);
    for (train::Token& token : tokens)
      token = static_cast<train::Token>(random.next() % model.config().vocabulary);
    return tokens;
  };
  train::TokenPair pair;
  pair.prompt = some(length - 2 * (length / 20));
  pair.chosen = some(length / 20);
  pair.rejected = some(length / 20);
  const train::Row row = train::pack(std::span(&pair, 1), length).at(0);
  std::vector<double> speeds;
  for (int repeat = 0; repeat < 4; ++repeat) {
    const Clock::time_point start = Clock::now();
    model.log_probabilities(row, /*keep=*/true);
    model.backward(row, std::vector<double>(row.targets.size(), 0.01));
    if (repeat > 0)  // The first is slower.
      speeds.push_back(static_cast<double>(row.tokens.size()) / seconds_since(start));
  }
  std::sort(speeds.begin(), speeds.end());
  return speeds[1];
}

int draw_lengths(char** arguments) {
  report::CurveChart chart{.title = "Training, tokens a second", .x = "tokens of a row"};
  chart.panels.push_back({.title = "Forward and back", .curves = {}});
  for (const char* precision : {"fp32", "bf16"}) {
    const auto model =
        train::make_model(*model::open_weights(arguments[2]),
                          {.precision = train::precision_from_name(precision), .lora = {}});
    report::Curve curve{precision, {}};
    for (const std::size_t length : {256U, 512U, 1024U, 2048U, 4096U}) {
      const double speed = row_speed(*model, length);
      curve.points.push_back({static_cast<double>(length), speed});
      fmt::print("{} {:4} tokens: {:6.0f} tokens/s\n", precision, length, speed);
    }
    chart.panels[0].curves.push_back(std::move(curve));
  }
  write_file_atomically(arguments[3], report::curves_svg(chart));
  return EXIT_SUCCESS;
}

int time_training(char** arguments, bool where, bool recompute) {
  const std::vector<train::LoadedPair> pairs = read_pairs(arguments).pairs;
  train::ModelSettings settings{.precision = train::precision_from_name(arguments[5])};
  if (const std::size_t rank = number(arguments[6]); rank > 0)
    settings.lora = train::LoraSettings{.rank = static_cast<std::int64_t>(rank),
                                        .alpha = 2 * static_cast<double>(rank)};
  const std::size_t row_tokens = number(arguments[7]);
  settings.most_kept = static_cast<std::int64_t>(row_tokens);
  settings.recompute = recompute;
  const auto model = train::make_model(*model::open_weights(arguments[2]), settings);

  const std::string kept =
      std::filesystem::temp_directory_path() / fmt::format("selene-reference-{}", ::getpid());
  const Clock::time_point start = Clock::now();
  const double before = processor_seconds();
  model->use_adapters(false);
  const auto references = train::reference_scores(
      *model, tokens_of(pairs), row_tokens, kept, "bench", [](std::size_t) {}, [] { return true; });
  model->use_adapters(true);
  const double reference_s = seconds_since(start);
  const double between = processor_seconds();
  std::filesystem::remove(kept);

  if (where)
    at::addGlobalCallback(at::RecordFunctionCallback(begin_operation, end_operation)
                              .scopes({at::RecordScope::FUNCTION}));
  const Clock::time_point trained = Clock::now();
  train::Optimizer optimizer(*model, {});
  std::vector<double> losses;
  std::size_t tokens = 0;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, pairs.size() - begin);
    losses.push_back(step_on(*model, optimizer, std::span(pairs).subspan(begin, count),
                             std::span(references).subspan(begin, count), row_tokens,
                             static_cast<std::int64_t>(losses.size() + 1), tokens));
  }
  if (where) {
    print_parts(seconds_since(trained));
    return EXIT_SUCCESS;
  }
  fmt::print("{}\n", nlohmann::json{{"pairs", pairs.size()},
                                    {"reference_s", reference_s},
                                    {"reference_processor_s", between - before},
                                    {"train_s", seconds_since(trained)},
                                    {"train_processor_s", processor_seconds() - between},
                                    {"losses", losses},
                                    {"tokens", tokens},
                                    {"peak_bytes", peak_memory_bytes()}}
                         .dump());
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  limit_spinning(argv);
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);  // As selene-train.
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  train::set_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  try {
    const std::string part = argc > 1 ? argv[1] : "";
    const bool recompute = argc == 9 && argv[8] == std::string_view("recompute");
    if ((part == "time" || part == "where") && (argc == 8 || recompute))
      return time_training(argv, part == "where", recompute);
    if (part == "tokens" && argc == 6) return count_tokens(argv);
    if (part == "lengths" && argc == 4) return draw_lengths(argv);
    fmt::print(stderr,
               "usage: train time|where MODEL.gguf PAIRS.jsonl COUNT PRECISION LORA_RANK "
               "ROW_TOKENS [recompute]\n"
               "       train tokens MODEL.gguf PAIRS.jsonl COUNT ROW_TOKENS\n"
               "       train lengths MODEL.gguf CHART.svg\n");
  } catch (const std::exception& failure) {
    fmt::print(stderr, "error: {}\n", failure.what());
  }
  return EXIT_FAILURE;
}
