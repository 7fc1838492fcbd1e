// How often 95% intervals hold the true value, by simulation: samples are drawn from populations
// whose value is known, each gets its interval, and the share that holds the value is printed with
// its Monte-Carlo error (one standard error) and whether it is within 93.5..96.5%.
//
//   build/bench/coverage [SAMPLES [RESAMPLES [PART]]]    default 10000 and 1000, half an hour of
//   one
//                                                        core; only cases with PART in their name
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/random.h"
#include "stats/bootstrap.h"
#include "stats/classification.h"
#include "stats/correlation.h"
#include "stats/mean.h"
#include "stats/proportion.h"
#include "stats/weighted_sum.h"

namespace {

using namespace selene;
using stats::Interval;
using stats::IntervalKind;
using stats::Resampling;

constexpr double kLeast = 0.935;
constexpr double kMost = 0.965;
constexpr double kCorrelationInClusters = 0.3;
constexpr size_t kTimesWithoutResamples = 20;

struct Simulated {
  Interval interval;
  double truth = 0;
  bool defined = true;
};

struct Case {
  std::string name;
  std::string interval;
  size_t items = 0;
  size_t clusters = 0;
  std::function<Simulated(Random&, Resampling)> simulate;
  size_t times = 1;  // As many samples: more where no resamples make them dear.
};

const char* name_of(IntervalKind kind) {
  switch (kind) {
    case IntervalKind::Percentile:
      return "percentile";
    case IntervalKind::Bca:
      return "BCa";
    case IntervalKind::FisherZ:
      return "Fisher z";
  }
  return "";
}

Simulated simulated(const std::optional<stats::Bootstrap>& bootstrap, double truth) {
  if (!bootstrap) return {{}, truth, false};
  return {bootstrap->estimate.interval, truth};
}

double normal(Random& random) {  // Box and Muller (1958).
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

struct Point {
  double x = 0;
  double y = 0;
};

Point normal_pair(Random& random, double correlation) {
  const double x = normal(random);
  return {x, correlation * x + std::sqrt(1 - correlation * correlation) * normal(random)};
}

// Beta-distributed (Joehnk 1964): the accuracy in a cluster, so that two items of one correlate.
double cluster_accuracy(Random& random, double accuracy) {
  const double size = (1 - kCorrelationInClusters) / kCorrelationInClusters;
  while (true) {
    const double x = std::pow(random.uniform(), 1 / (accuracy * size));
    const double y = std::pow(random.uniform(), 1 / ((1 - accuracy) * size));
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

Case accuracy(size_t items, double share, double spread) {
  const std::string around = spread > 0 ? fmt::format(" +- {:.2f}", spread) : "";
  return {fmt::format("accuracy {:.2f}{}", share, around),
          "Wilson",
          items,
          items,
          [=](Random& random, const Resampling& resampling) -> Simulated {
            const double truth = share + spread * (2 * random.uniform() - 1);
            std::vector<double> scores(items);
            for (double& score : scores) score = random.uniform() < truth ? 1 : 0;
            return {stats::mean_estimate(scores, resampling)->interval, truth};
          },
          kTimesWithoutResamples};
}

Case clustered_accuracy(size_t clusters, bool is_uneven, double share) {
  return {fmt::format("accuracy {:.2f}, clusters of {}", share, is_uneven ? "1 to 19" : "10"),
          "BCa", clusters * 10, clusters, [=](Random& random, Resampling resampling) -> Simulated {
            std::vector<double> scores;
            std::vector<size_t> of;
            for (size_t cluster = 0; cluster < clusters; ++cluster) {
              const double within = cluster_accuracy(random, share);
              for (size_t i = 0; i < (is_uneven ? 1 + cluster * 7 % 19 : 10); ++i) {
                scores.push_back(random.uniform() < within ? 1 : 0);
                of.push_back(cluster);
              }
            }
            resampling.clusters = of;
            return {stats::mean_estimate(scores, resampling)->interval, share};
          }};
}

// Two runs that are both right on `both` of the items, and each alone on some more.
Case accuracy_difference(size_t items, double both, double only_first, double only_second,
                         bool is_bootstrap) {
  return {fmt::format("difference of accuracies {:.2f} and {:.2f}", both + only_first,
                      both + only_second),
          is_bootstrap ? "percentile" : "Newcombe",
          items,
          items,
          [=](Random& random, const Resampling& resampling) -> Simulated {
            std::vector<double> first(items);
            std::vector<double> second(items);
            stats::PairedCounts counts;
            for (size_t i = 0; i < items; ++i) {
              const double where = random.uniform();
              const bool is_first = where < both + only_first;
              const bool is_second =
                  where < both || (!is_first && where < both + only_first + only_second);
              first[i] = is_first ? 1 : 0;
              second[i] = is_second ? 1 : 0;
              ++(is_first    ? is_second ? counts.both : counts.only_first
                 : is_second ? counts.only_second
                             : counts.neither);
            }
            const double truth = only_second - only_first;
            if (!is_bootstrap) return {stats::paired_difference(counts).interval, truth};
            return simulated(stats::bootstrap_difference(stats::mean_of(first),
                                                         stats::mean_of(second), resampling),
                             truth);
          },
          is_bootstrap ? 1 : kTimesWithoutResamples};
}

// With clusters, half of both variances lies between them.
Case normal_pearson(size_t items, size_t clusters, double correlation, IntervalKind kind) {
  return {fmt::format("Pearson {:.1f}, normal", correlation), name_of(kind), items, clusters,
          [=](Random& random, Resampling resampling) {
            resampling.kind = kind;
            std::vector<double> x(items);
            std::vector<double> y(items);
            std::vector<size_t> of(items);
            std::vector<Point> shared(clusters);
            for (Point& point : shared) point = normal_pair(random, correlation);
            for (size_t i = 0; i < items; ++i) {
              of[i] = i % clusters;
              const Point own = normal_pair(random, correlation);
              x[i] = own.x + (clusters < items ? shared[of[i]].x : 0);
              y[i] = own.y + (clusters < items ? shared[of[i]].y : 0);
            }
            resampling.clusters = of;
            return simulated(stats::bootstrap(stats::pearson_of(x, y), resampling), correlation);
          }};
}

// Long tails to one side, which no bootstrap of few items sees enough of: e to the half of normal
// variables.
Case skewed_pearson(size_t items, double correlation, IntervalKind kind) {
  const double truth = std::expm1(correlation / 4) / std::expm1(0.25);
  return {fmt::format("Pearson {:.2f}, log-normal", truth), name_of(kind), items, items,
          [=](Random& random, Resampling resampling) {
            resampling.kind = kind;
            std::vector<double> x(items);
            std::vector<double> y(items);
            for (size_t i = 0; i < items; ++i) {
              const Point point = normal_pair(random, correlation);
              x[i] = std::exp(point.x / 2);
              y[i] = std::exp(point.y / 2);
            }
            return simulated(stats::bootstrap(stats::pearson_of(x, y), resampling), truth);
          }};
}

// Scores 1 to 5 of people (rows) and of a judge, items in a thousand. The whole table is the
// population.
constexpr size_t kScores[5][5] = {{60, 20, 10, 5, 5},
                                  {30, 60, 40, 15, 5},
                                  {10, 40, 90, 50, 10},
                                  {5, 20, 60, 150, 65},
                                  {0, 5, 20, 75, 150}};

struct Scores {
  std::vector<double> truth;
  std::vector<double> judge;
  std::vector<size_t> truth_labels;
  std::vector<size_t> judge_labels;
  std::vector<bool> good;  // 4 or 5 from people.
};

void add(Scores& scores, size_t truth, size_t judge) {
  scores.truth.push_back(static_cast<double>(truth));
  scores.judge.push_back(static_cast<double>(judge));
  scores.truth_labels.push_back(truth);
  scores.judge_labels.push_back(judge);
  scores.good.push_back(truth >= 3);
}

Scores population() {
  Scores scores;
  for (size_t truth = 0; truth < 5; ++truth) {
    for (size_t judge = 0; judge < 5; ++judge) {
      for (size_t i = 0; i < kScores[truth][judge]; ++i) add(scores, truth, judge);
    }
  }
  return scores;
}

using MakeStatistic = std::function<stats::CountStatistic(const Scores&)>;

Case of_scores(const std::string& name, size_t items, IntervalKind kind,
               const MakeStatistic& make) {
  const Scores all = population();
  const double truth = *stats::value_of(make(all), all.truth.size());
  return {fmt::format("{} {:.2f}, scores 1 to 5", name, truth), name_of(kind), items, items,
          [=](Random& random, Resampling resampling) {
            resampling.kind = kind;
            Scores sample;
            for (size_t i = 0; i < items; ++i) {
              const auto row = static_cast<size_t>(random.uniform() *
                                                   static_cast<double>(all.truth_labels.size()));
              add(sample, all.truth_labels[row], all.judge_labels[row]);
            }
            return simulated(stats::bootstrap(make(sample), items, resampling), truth);
          }};
}

// Four groups of 25, 50, 100 and 200 items, weighted alike.
Case group_mean() {
  return {"mean of four groups' accuracies", "BCa, stratified", 375, 375,
          [](Random& random, Resampling resampling) {
            constexpr double kShares[] = {0.9, 0.6, 0.8, 0.7};
            std::vector<double> scores;
            std::vector<size_t> groups;
            for (size_t group = 0; group < 4; ++group) {
              for (size_t i = 0; i < size_t{25} << group; ++i) {
                scores.push_back(random.uniform() < kShares[group] ? 1 : 0);
                groups.push_back(group);
              }
            }
            resampling.strata = groups;
            resampling.kind = IntervalKind::Bca;
            return simulated(stats::bootstrap(stats::group_mean_of(scores, groups, {}), resampling),
                             0.75);
          }};
}

// The better of two orders of pairs, with the interval of that order, as reports have it. A judge
// that prefers what it sees first by `lean` is right in one order more often where it is wrong in
// the other. The truth is the better order's own accuracy.
Case best_of_two_orders(size_t items, double first, double second, double lean) {
  return {fmt::format("best of two orders, {:.2f} and {:.2f}, {:.0f}% by place alone", first,
                      second, 100 * lean),
          "Wilson",
          items,
          items,
          [=](Random& random, const Resampling& resampling) -> Simulated {
            std::vector<double> ab(items);
            std::vector<double> ba(items);
            for (size_t i = 0; i < items; ++i) {
              if (random.uniform() < lean) {
                const bool better_first = random.uniform() < 0.5;
                ab[i] = better_first;
                ba[i] = !better_first;
              } else {
                ab[i] = random.uniform() < (first - lean / 2) / (1 - lean);
                ba[i] = random.uniform() < (second - lean / 2) / (1 - lean);
              }
            }
            const double sum_ab = std::accumulate(ab.begin(), ab.end(), 0.0);
            const double sum_ba = std::accumulate(ba.begin(), ba.end(), 0.0);
            return {stats::mean_estimate(sum_ab >= sum_ba ? ab : ba, resampling)->interval,
                    std::max(first, second)};
          },
          kTimesWithoutResamples};
}

// The mean of benchmarks that share no items, as the averages of reports: accuracies of 80 to
// 1,400 items and a correlation.
Case mean_of_benchmarks() {
  return {"mean of five benchmarks", "Wilson, Fisher z; square and add", 2'200, 2'200,
          [](Random& random, Resampling resampling) -> Simulated {
            constexpr std::pair<size_t, double> kAccuracies[] = {
                {80, 0.85}, {220, 0.94}, {260, 0.69}, {1'400, 0.6}};
            constexpr double kCorrelation = 0.71;
            constexpr double kWeight = 1.0 / 5;
            std::vector<stats::Weighted> terms;
            double truth = kWeight * kCorrelation;
            for (const auto& [items, share] : kAccuracies) {
              std::vector<double> scores(items);
              for (double& score : scores) score = random.uniform() < share ? 1 : 0;
              terms.push_back({*stats::mean_estimate(scores, resampling), kWeight});
              truth += kWeight * share;
            }
            std::vector<double> x, y;
            for (size_t i = 0; i < 240; ++i) {
              const Point point = normal_pair(random, kCorrelation);
              x.push_back(point.x);
              y.push_back(point.y);
            }
            resampling.kind = IntervalKind::FisherZ;
            const auto correlation = stats::bootstrap(stats::pearson_of(x, y), resampling);
            if (!correlation) return {{}, truth, false};
            terms.push_back({correlation->estimate, kWeight});
            return {stats::weighted_sum(terms).interval, truth};
          }};
}

stats::CountStatistic confusion(const Scores& scores,
                                std::optional<double> (*metric)(const stats::Confusion&)) {
  return stats::confusion_of(scores.truth_labels, scores.judge_labels, 5, metric);
}

std::optional<double> kappa(const stats::Confusion& confusion) {
  const stats::Agreement agreement = stats::agreement(confusion);
  if (!agreement.has_kappa) return std::nullopt;
  return agreement.kappa.value;
}

// Pearson's from sums, for a sample of scores.
stats::CountStatistic counted_pearson(const Scores& scores) {
  return [of = stats::pearson_of(scores.truth, scores.judge)](std::span<const uint32_t> counts) {
    std::vector<double> sums(of.width);
    for (size_t i = 0; i < of.values.size(); ++i) {
      sums[i % of.width] += counts[i / of.width] * of.values[i];
    }
    return of.of(sums);
  };
}

void add_accuracies(std::vector<Case>& cases) {
  for (const size_t items : {100, 500}) {
    for (const double share : {0.5, 0.8, 0.95}) cases.push_back(accuracy(items, share, 0.02));
    for (const double share : {0.5, 0.8, 0.95}) cases.push_back(accuracy(items, share, 0));
  }
  for (const size_t clusters : {30, 60}) {
    for (const double share : {0.5, 0.8, 0.95}) {
      cases.push_back(clustered_accuracy(clusters, false, share));
    }
    cases.push_back(clustered_accuracy(clusters, true, 0.8));
  }
  cases.push_back(group_mean());
  for (const size_t items : {100, 500, 3'000}) {
    cases.push_back(best_of_two_orders(items, 0.8, 0.8, 0));
    cases.push_back(best_of_two_orders(items, 0.8, 0.8, 0.3));
    cases.push_back(best_of_two_orders(items, 0.5, 0.5, 0.98));
    cases.push_back(best_of_two_orders(items, 0.82, 0.8, 0.3));
    cases.push_back(best_of_two_orders(items, 0.85, 0.75, 0.3));
  }
  cases.push_back(mean_of_benchmarks());
  for (const bool is_bootstrap : {true, false}) {
    for (const size_t items : {100, 500}) {
      cases.push_back(accuracy_difference(items, 0.6, 0.1, 0.15, is_bootstrap));
      cases.push_back(accuracy_difference(items, 0.85, 0.05, 0.05, is_bootstrap));
    }
  }
}

void add_correlations(std::vector<Case>& cases) {
  for (const IntervalKind kind : {IntervalKind::FisherZ, IntervalKind::Percentile}) {
    for (const size_t items : {50, 200}) {
      for (const double correlation : {0.0, 0.5, 0.8}) {
        cases.push_back(normal_pearson(items, items, correlation, kind));
      }
    }
    for (const size_t clusters : {30, 60}) {
      cases.push_back(normal_pearson(300, clusters, 0.5, kind));
    }
    for (const size_t items : {50, 200}) cases.push_back(skewed_pearson(items, 0.5, kind));
    for (const size_t items : {100, 300}) {
      cases.push_back(of_scores("Pearson", items, kind, counted_pearson));
      cases.push_back(of_scores("Spearman", items, kind, [](const Scores& scores) {
        return stats::spearman_of(scores.truth, scores.judge);
      }));
      cases.push_back(of_scores("Kendall", items, kind, [](const Scores& scores) {
        return stats::kendall_of(scores.truth, scores.judge);
      }));
    }
  }
}

void add_labels(std::vector<Case>& cases) {
  constexpr IntervalKind kKind = IntervalKind::Percentile;
  for (const size_t items : {100, 300}) {
    cases.push_back(of_scores("AUC", items, kKind, [](const Scores& scores) {
      return stats::roc_auc_of(scores.judge, scores.good);
    }));
    cases.push_back(of_scores("balanced accuracy", items, kKind, [](const Scores& scores) {
      return confusion(scores, stats::balanced_accuracy);
    }));
    cases.push_back(of_scores("macro F1", items, kKind, [](const Scores& scores) {
      return confusion(scores, stats::macro_f1);
    }));
    cases.push_back(of_scores("Matthews", items, kKind, [](const Scores& scores) {
      return confusion(scores, stats::matthews);
    }));
    cases.push_back(of_scores("kappa", items, kKind,
                              [](const Scores& scores) { return confusion(scores, kappa); }));
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_accuracies(cases);
  add_correlations(cases);
  add_labels(cases);
  return cases;
}

struct Coverage {
  double share = 0;
  double error = 0;
  bool is_in_range() const { return share >= kLeast && share <= kMost; }
};

Coverage coverage(const Case& simulation, size_t samples, size_t resamples) {
  const std::string key = fmt::format("{}, {}, {}, {}", simulation.name, simulation.interval,
                                      simulation.items, simulation.clusters);
  Random random(derive_seed(1, key));
  size_t held = 0;
  for (size_t i = 0; i < samples; ++i) {
    const Resampling resampling{.resamples = resamples, .seed = random.next(), .threads = 1};
    const Simulated result = simulation.simulate(random, resampling);
    constexpr double kRounding = 1e-12;
    if (result.defined && result.interval.low <= result.truth + kRounding &&
        result.truth <= result.interval.high + kRounding) {
      ++held;
    }
  }
  const auto total = static_cast<double>(samples);
  const double share = static_cast<double>(held) / total;
  return {share, std::sqrt(share * (1 - share) / total)};
}

}  // namespace

int main(int argc, char** argv) {
  const size_t samples = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  const size_t resamples = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000;
  const std::string part = argc > 3 ? argv[3] : "";
  if (samples == 0 || resamples == 0) {
    fmt::print(stderr, "usage: coverage [SAMPLES [RESAMPLES [PART]]]\n");
    return 2;
  }
  fmt::print("| case | interval | items | clusters | nominal | coverage | in 93.5..96.5 |\n");
  fmt::print("|---|---|---|---|---|---|---|\n");
  size_t in_range = 0;
  std::vector<Case> cases = all_cases();
  std::erase_if(cases, [&](const Case& simulation) {
    return simulation.name.find(part) == std::string::npos;
  });
  for (const Case& simulation : cases) {
    const Coverage result = coverage(simulation, samples * simulation.times, resamples);
    in_range += result.is_in_range() ? 1 : 0;
    fmt::print("| {} | {} | {} | {} | 95% | {:.2f} +- {:.2f}% | {} |\n", simulation.name,
               simulation.interval, simulation.items, simulation.clusters, 100 * result.share,
               100 * result.error, result.is_in_range() ? "yes" : "no");
    std::fflush(stdout);
  }
  fmt::print(
      "\n{} of {} in range; {} samples of {} resamples a case ({} times as many samples "
      "where there are no resamples)\n",
      in_range, cases.size(), samples, resamples, kTimesWithoutResamples);
}
