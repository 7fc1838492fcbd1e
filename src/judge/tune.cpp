#include "judge/tune.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "model/quantize.h"

namespace selene::judge {
namespace {

using Distributions = std::vector<std::vector<double>>;  // One a request that only scores.

struct Measured {
  double prefill = 0;
  double decode = 0;
  Distributions distributions;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double per_second(std::int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

// A fresh engine, so that nothing is in its cache.
Measured measure(const engine::LlamaOptions& model, std::span<const engine::Request> requests,
                 const std::function<bool()>& stop) {
  Measured measured;
  const auto engine = engine::open_llama_engine(model);
  engine->context_tokens(requests.subspan(0, 1));  // Loads the model, which is not to be timed.
  std::vector<engine::Request> scoring, writing;
  for (const engine::Request& request : requests) {
    (request.max_tokens > 0 ? writing : scoring).push_back(request);
  }
  measured.distributions.resize(scoring.size());
  engine::Events events;
  events.stop = stop;
  events.results = [&](std::span<engine::Completed> completed) {
    for (const engine::Completed& one : completed) {
      measured.distributions[one.request] = engine::softmax(one.result.label_log_probs);
    }
  };
  engine->run(scoring, events);
  const engine::Counters scored = engine->counters();
  events.results = [](std::span<engine::Completed>) {};
  engine->run(writing, events);
  const engine::Counters written = engine->counters();
  measured.prefill = per_second(scored.prompt_tokens_computed, scored.prefill_s);
  measured.decode = per_second(written.generated_tokens, written.decode_s);
  return measured;
}

size_t most_probable(const std::vector<double>& distribution) {
  return static_cast<size_t>(std::max_element(distribution.begin(), distribution.end()) -
                             distribution.begin());
}

void compare(const Distributions& reference, const Distributions& now, TuneRow& row) {
  row.verdicts = reference.size();
  for (size_t i = 0; i < reference.size(); ++i) {
    double distance = 0;
    for (size_t k = 0; k < reference[i].size(); ++k) {
      distance += std::abs(reference[i][k] - now[i][k]) / 2;
    }
    row.changed += most_probable(reference[i]) != most_probable(now[i]) ? 1 : 0;
    row.mean_distance += distance / static_cast<double>(reference.size());
    row.largest_distance = std::max(row.largest_distance, distance);
  }
}

// A converted model, removed when its turn is over.
class Converted {
 public:
  Converted(const TuneOptions& options, std::string_view format)
      : path_(options.folder / fmt::format("{}.gguf", format)) {
    model::quantize(options.model.model, path_, format);
  }
  ~Converted() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Converted(const Converted&) = delete;
  Converted& operator=(const Converted&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::vector<TuneRow> tune(const TuneOptions& options, std::span<const engine::Request> requests,
                          const std::function<void(const TuneRow&)>& done,
                          const std::function<bool()>& stop) {
  ensure(!requests.empty() && options.repeats > 0, "nothing to measure with");
  Distributions reference;
  std::vector<TuneRow> rows;
  const auto add = [&](std::string name, const engine::LlamaOptions& model) {
    TuneRow row;
    row.format = std::move(name);
    row.bytes = std::filesystem::file_size(model.model);
    std::vector<double> prefill, decode;
    Distributions distributions;
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
      Measured measured = measure(model, requests, stop);
      if (stop && stop()) return;
      prefill.push_back(measured.prefill);
      decode.push_back(measured.decode);
      distributions = std::move(measured.distributions);
    }
    row.prefill = median(prefill);
    row.decode = median(decode);
    if (rows.empty()) reference = distributions;
    compare(reference, distributions, row);
    done(row);
    rows.push_back(std::move(row));
  };
  add("as it is", options.model);
  for (std::string_view format : options.formats) {
    if (stop && stop()) break;
    const Converted file(options, format);
    engine::LlamaOptions model = options.model;
    model.model = file.path();
    add(std::string(format), model);
  }
  return rows;
}

}  // namespace selene::judge
