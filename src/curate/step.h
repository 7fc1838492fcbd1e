// Steps: what may happen to a row between its source and the mix. A step looks at rows one by one,
// or in their order, or waits for all of them; the pipeline (pipeline.h) runs it and counts.
//
// Whatever a step does depends on the rows, the recipe and the seed alone: never on the number of
// threads or on time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "curate/row.h"
#include "judge/judge.h"

namespace selene::data {
struct Entry;
}

namespace selene::curate {

class BenchmarkTexts;
struct Recipe;

// Why a row goes. `reason` is one of few for each step; `detail` is of this row.
struct Drop {
  std::string reason;
  std::string detail;
};

// What a step notes of a row on one of several threads, to be looked at in the order of the rows.
using Notes = std::vector<std::uint64_t>;

// The texts of one benchmark, to be kept out of the mix.
struct Benchmark {
  std::string name;
  std::string missing;  // Why there are no texts; empty: there are.
  // Every item's texts, with its id.
  std::function<void(
      const std::function<void(const std::string& id, std::span<const std::string_view> texts)>&)>
      each;
};

// What steps may use beside the rows.
struct Resources {
  const Recipe* recipe = nullptr;
  std::uint64_t seed = 0;
  int threads = 1;
  std::filesystem::path scratch;  // A folder for files that are gone at the end of the run.
  std::filesystem::path model;    // A GGUF whose tokens lengths are counted in; empty: the default.
  std::vector<Benchmark> benchmarks;
  std::string benchmarks_digest;  // Of their files and selects.
  // Where the step `contamination` has read them, for the look at the pairs.
  std::shared_ptr<const BenchmarkTexts> benchmark_texts;
  bool no_contamination = false;  // The step may find no benchmark.
  // Opens a judge: "" is that of the command line, or the default one.
  std::function<judge::Judge(const std::string& judge)> open_judge;
  std::function<bool()> stop;                  // Ctrl-C.
  std::function<void(std::string_view)> warn;  // For the user, at once. May be empty.
};

// The model that lengths are counted with. Throws Error where there is none.
std::filesystem::path counting_model(const Resources& resources);

class Step {
 public:
  virtual ~Step() = default;

  // Before the first row. Throws Error: what it needs is missing.
  virtual void begin(Resources&) {}

  // On several threads: one row, alone. Keeps it, maybe changed, or drops it.
  virtual std::optional<Drop> look(Row&) const { return std::nullopt; }

  // What in_order() needs of the row, on several threads.
  virtual void note(const Row&, Notes&) const {}
  // On one thread, in the order of the rows: those that came this far.
  virtual std::optional<Drop> in_order(const Row&, const Notes&) { return std::nullopt; }

  // A step that waits sees all rows by in_order(), which drops none, then decides, and then says
  // for each by its number (from 0, in that order), on several threads.
  virtual bool waits() const { return false; }
  virtual void decide() {}
  virtual std::optional<Drop> settle(std::size_t, Row&) const { return std::nullopt; }

  // A step that makes several rows of one, each with a pair; an empty list needs a reason.
  virtual bool spreads() const { return false; }
  virtual std::vector<Row> spread(const Row&, Drop&) const { return {}; }

  // A step that runs a model takes rows many at a time; one answer a row.
  virtual std::size_t batch() const { return 0; }
  virtual std::vector<std::optional<Drop>> run(std::span<Row>) { return {}; }

  // Whether it goes by the verdicts of the step `judge` (Row::judged), which comes before it then.
  virtual bool needs_judged() const { return false; }

  // What its results depend on beside the rows, its options and the seed: the digest of a model, of
  // the benchmarks' files. The same text, the same results.
  virtual std::string depends_on(const Resources&) const { return {}; }

  // What the report says of it beside the counts: names and values (docs/formats.md, "Curation").
  // Of this run's rows alone; a resumed step gives what it gave when it ran.
  virtual nlohmann::ordered_json facts() const { return nlohmann::ordered_json::object(); }
};

struct StepKind {
  std::string_view name;
  std::string_view help;
  // Reads the options, a map. Throws Error that names file, line and key.
  std::unique_ptr<Step> (*make)(const data::Entry& options, std::uint64_t seed);
};

// All there are, in the order in which a recipe usually has them.
std::span<const StepKind> step_kinds();

// A number from 0 to 2^64 - 1 that orders rows by chance: of the seed, a word for the purpose, and
// the id of the row.
std::uint64_t chance(std::uint64_t seed, std::string_view purpose, std::string_view id);
// The same in [0, 1).
double chance_share(std::uint64_t seed, std::string_view purpose, std::string_view id);

}  // namespace selene::curate
