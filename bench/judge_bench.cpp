// Prompt rendering, label scoring arithmetic, ledger writes and look-ups. `make bench` runs it.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "core/digest.h"
#include "engine/label_tree.h"
#include "judge/ledger.h"
#include "judge/prompt.h"

namespace {

using selene::data::Sample;

Sample make_sample(int number) {
  Sample sample;
  sample.id = std::to_string(number);
  sample.task = selene::data::Task::Absolute;
  sample.input = fmt::format("Explain topic {} to a beginner in a few sentences.", number);
  sample.response = std::string(1200, 'x');
  sample.labels = selene::data::default_labels(sample.task);
  return sample;
}

std::vector<selene::judge::Record> make_records(int first, int count) {
  const selene::judge::TemplateSet templates = selene::judge::TemplateSet::open("");
  std::vector<selene::judge::Record> records;
  for (int i = first; i < first + count; ++i) {
    const Sample sample = make_sample(i);
    const selene::judge::Template& form = templates.pick(sample);
    selene::judge::Record record;
    record.engine = {.name = "bench",
                     .model = selene::sha256("bench"),
                     .adapter = "",
                     .version = "1",
                     .options = ""};
    record.template_name = form.name;
    record.template_digest = form.digest;
    record.request = selene::judge::make_request(form, sample, {});
    record.result.text = std::string(300, 'c');
    record.result.label_log_probs = {-1.5, -1.25, -2.75, -0.5, -3.125};
    record.key = selene::judge::request_key(record.engine, form.digest, record.request);
    records.push_back(std::move(record));
  }
  return records;
}

// A ledger that is removed again.
class BenchLedger {
 public:
  BenchLedger()
      : path_(std::filesystem::current_path() / fmt::format("bench-ledger-{}.sqlite", ::getpid())),
        ledger_(path_) {}
  ~BenchLedger() {
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(path_.string() + suffix);
  }
  selene::judge::Ledger& get() { return ledger_; }

 private:
  std::filesystem::path path_;
  selene::judge::Ledger ledger_;
};

void prompt_rendering(benchmark::State& state) {
  const selene::judge::TemplateSet templates = selene::judge::TemplateSet::open("");
  const Sample sample = make_sample(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(selene::judge::make_request(templates.pick(sample), sample, {}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(prompt_rendering);

void label_scores(benchmark::State& state) {
  std::vector<float> logits(49'152);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 97) * 0.1f;
  for (auto _ : state) {
    selene::engine::LabelTree tree({{1, 10}, {1, 20}, {1, 30}, {1, 40}, {1, 50}});
    tree.set_logits(0, logits);
    benchmark::DoNotOptimize(tree.log_probs());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(label_scores);

// Durable records in transactions of the given size.
void ledger_put(benchmark::State& state) {
  BenchLedger ledger;
  const int batch = static_cast<int>(state.range(0));
  int next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto records = make_records(next, batch);
    next += batch;
    state.ResumeTiming();
    ledger.get().put(records);
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(ledger_put)->Arg(1)->Arg(100)->Arg(1000)->UseRealTime();

void ledger_find(benchmark::State& state) {
  BenchLedger ledger;
  std::vector<std::string> keys;
  for (int first = 0; first < state.range(0); first += 1000) {
    const auto records = make_records(first, 1000);
    ledger.get().put(records);
    for (const auto& record : records) keys.push_back(record.key);
  }
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ledger.get().find({&keys[i], 1}));
    i = (i + 7919) % keys.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ledger_find)->Arg(1'000'000)->Iterations(20'000)->UseRealTime();  // Filled once.

}  // namespace
