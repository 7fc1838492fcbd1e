// 10,000 resamples of 3,000 items, on one core. The target is below 1 s for accuracy and Pearson.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "core/random.h"
#include "stats/bootstrap.h"
#include "stats/classification.h"
#include "stats/correlation.h"

namespace {

using namespace selene;
using stats::Resampling;

constexpr size_t kItems = 3000;
constexpr Resampling kOneCore{.threads = 1};

struct Items {
  std::vector<double> truth;
  std::vector<double> first;
  std::vector<double> second;
  std::vector<double> right;
  std::vector<bool> good;
  std::vector<size_t> clusters;  // Of ten.
};

// Scores of two judges, unrounded: no ties, the slowest for rank correlations.
Items items() {
  Random random(1);
  Items result;
  for (size_t i = 0; i < kItems; ++i) {
    const double truth = random.uniform();
    result.truth.push_back(truth);
    result.first.push_back(truth + random.uniform());
    result.second.push_back(truth + 2 * random.uniform());
    result.right.push_back(random.uniform() < 0.8 ? 1 : 0);
    result.good.push_back(truth > 0.5);
    result.clusters.push_back(i / 10);
  }
  return result;
}

void accuracy(benchmark::State& state) {
  const Items all = items();
  for (auto _ : state) {
    benchmark::DoNotOptimize(stats::bootstrap(stats::mean_of(all.right), kOneCore));
  }
}

void clustered_accuracy_bca(benchmark::State& state) {
  const Items all = items();
  Resampling resampling = kOneCore;
  resampling.clusters = all.clusters;
  resampling.kind = stats::IntervalKind::Bca;
  for (auto _ : state) {
    benchmark::DoNotOptimize(stats::bootstrap(stats::mean_of(all.right), resampling));
  }
}

void pearson(benchmark::State& state) {
  const Items all = items();
  for (auto _ : state) {
    benchmark::DoNotOptimize(stats::bootstrap(stats::pearson_of(all.truth, all.first), kOneCore));
  }
}

void pearson_difference(benchmark::State& state) {
  const Items all = items();
  for (auto _ : state) {
    benchmark::DoNotOptimize(stats::bootstrap_difference(stats::pearson_of(all.truth, all.first),
                                                         stats::pearson_of(all.truth, all.second),
                                                         kOneCore));
  }
}

void spearman(benchmark::State& state) {
  const Items all = items();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        stats::bootstrap(stats::spearman_of(all.truth, all.first), kItems, kOneCore));
  }
}

void kendall(benchmark::State& state) {
  const Items all = items();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        stats::bootstrap(stats::kendall_of(all.truth, all.first), kItems, kOneCore));
  }
}

void roc_auc(benchmark::State& state) {
  const Items all = items();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        stats::bootstrap(stats::roc_auc_of(all.first, all.good), kItems, kOneCore));
  }
}

BENCHMARK(accuracy)->Unit(benchmark::kMillisecond);
BENCHMARK(clustered_accuracy_bca)->Unit(benchmark::kMillisecond);
BENCHMARK(pearson)->Unit(benchmark::kMillisecond);
BENCHMARK(pearson_difference)->Unit(benchmark::kMillisecond);
BENCHMARK(spearman)->Unit(benchmark::kMillisecond);
BENCHMARK(kendall)->Unit(benchmark::kMillisecond);
BENCHMARK(roc_auc)->Unit(benchmark::kMillisecond);

}  // namespace
