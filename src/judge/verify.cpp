#include "judge/verify.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/random.h"

namespace selene::judge {
namespace {

using Arrangement = Circumstance::Arrangement;

constexpr int kTimedPairs = 3;

// Indexes into the requests, cut into the batches that are run one after the other.
std::vector<std::vector<size_t>> arrange(size_t count, Arrangement arrangement) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (arrangement == Arrangement::Reversed) std::reverse(order.begin(), order.end());
  if (arrangement == Arrangement::Shuffled) {
    Random random(1);
    for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
  }
  std::vector<std::vector<size_t>> batches{order};
  if (arrangement == Arrangement::OneByOne) {
    batches.clear();
    for (size_t i : order) batches.push_back({i});
  }
  if (arrangement == Arrangement::Warm)
    batches.push_back(order);  // The second time everything is in the cache.
  return batches;
}

std::vector<engine::Result> run_arranged(engine::Engine& engine,
                                         std::span<const engine::Request> requests,
                                         Arrangement arrangement,
                                         const std::function<bool()>& stop) {
  std::vector<engine::Result> results(requests.size());
  for (const std::vector<size_t>& batch : arrange(requests.size(), arrangement)) {
    std::vector<engine::Request> arranged;
    for (size_t index : batch) arranged.push_back(requests[index]);
    engine::Events events;
    events.stop = stop;
    events.results = [&](std::span<engine::Completed> completed) {
      for (engine::Completed& one : completed) results[batch[one.request]] = std::move(one.result);
    };
    engine.run(arranged, events);
  }
  return results;
}

VerifyRow make_row(std::string name, const std::vector<engine::Result>& reference,
                   const std::vector<engine::Result>& results, double seconds) {
  VerifyRow row;
  row.name = std::move(name);
  row.seconds = seconds;
  Sha256 texts, scores;
  for (size_t i = 0; i < results.size(); ++i) {
    texts.update(results[i].text);
    texts.update(std::string_view("\0", 1));
    const auto& now = results[i].label_log_probs;
    const auto& then = reference[i].label_log_probs;
    for (double value : now)
      scores.update(fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value)));
    row.differing += results[i].text != reference[i].text || now != then ? 1 : 0;
    for (size_t k = 0; k < std::min(now.size(), then.size()); ++k) {
      row.largest_change = std::max(row.largest_change, std::abs(now[k] - then[k]));
    }
  }
  row.text_digest = texts.hex();
  row.score_digest = scores.hex();
  return row;
}

}  // namespace

bool VerifyReport::all_same() const {
  return std::all_of(rows.begin(), rows.end(), [](const VerifyRow& row) { return row.same(); });
}

std::vector<Circumstance> verify_circumstances(int threads) {
  std::vector<Circumstance> all{
      {.name = "reference"},
      {.name = "one critique at a time", .max_slots = 1},
      {.name = "2 critiques side by side", .max_slots = 2},
      {.name = "5 side by side", .max_slots = 5},
      {.name = "micro-batch 64", .batch_tokens = 64},
      {.name = "micro-batch 100", .batch_tokens = 100},
      {.name = "reversed", .arrangement = Arrangement::Reversed},
      {.name = "shuffled", .arrangement = Arrangement::Shuffled},
      {.name = "each sample alone", .arrangement = Arrangement::OneByOne},
      {.name = "warm cache", .arrangement = Arrangement::Warm},
      {.name = "shuffled, 3 side by side, micro-batch 128",
       .max_slots = 3,
       .batch_tokens = 128,
       .arrangement = Arrangement::Shuffled},
      {.name = "1 thread, reversed, 4 side by side",
       .threads = 1,
       .max_slots = 4,
       .arrangement = Arrangement::Reversed},
  };
  for (const int count : {1, 2, 3, 4, 8}) {
    if (count < threads || (count == 3 && threads == 2)) {
      all.push_back(
          {.name = fmt::format("{} thread{}", count, count == 1 ? "" : "s"), .threads = count});
    }
  }
  return all;
}

VerifyReport verify(const engine::LlamaOptions& model, std::span<const engine::Request> requests,
                    const std::function<void(const VerifyRow&)>& done,
                    const std::function<bool()>& stop) {
  ensure(!requests.empty(), "nothing to verify with");
  const int threads = model.threads > 0
                          ? model.threads
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  VerifyReport report;
  std::vector<engine::Result> reference;
  const auto run = [&](const Circumstance& circumstance, bool exact) {
    engine::LlamaOptions options = model;
    options.threads = circumstance.threads > 0 ? circumstance.threads : threads;
    if (circumstance.max_slots > 0) options.max_slots = circumstance.max_slots;
    if (circumstance.batch_tokens > 0) options.batch_tokens = circumstance.batch_tokens;
    options.exact = exact;
    const auto engine = engine::open_llama_engine(options);
    engine->context_tokens(requests.subspan(0, 1));  // Loads the model, which is not to be timed.
    const auto start = std::chrono::steady_clock::now();
    const auto results = run_arranged(*engine, requests, circumstance.arrangement, stop);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (reference.empty()) reference = results;
    return make_row(circumstance.name, reference, results, seconds);
  };
  for (const Circumstance& circumstance : verify_circumstances(threads)) {
    VerifyRow row = run(circumstance, /*exact=*/true);
    if (stop && stop()) return report;
    if (done) done(row);
    report.rows.push_back(std::move(row));
  }
  for (int pair = 0; pair < kTimedPairs; ++pair) {
    const VerifyRow exact = run({.name = "reference"}, /*exact=*/true);
    report.inexact = run({.name = "without these rules (not exact)"}, /*exact=*/false);
    if (stop && stop()) return report;
    report.costs.push_back(exact.seconds / report.inexact.seconds);
  }
  std::sort(report.costs.begin(), report.costs.end());
  return report;
}

}  // namespace selene::judge
