#include "cli/bench_runner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "bench/items.h"
#include "bench/report.h"
#include "bench/runner.h"
#include "bench/spec.h"
#include "cli/bench.h"
#include "cli/judge_output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "core/run_record.h"
#include "data/row_output.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// One benchmark whose data is here.
struct Planned {
  bench::Spec spec;
  const bench::Selection* selection = nullptr;  // Of `spec`.
  bench::ItemSet items;
  std::filesystem::path rows;  // OUT/NAME.jsonl
  std::string key;             // Those of one key are judged by one judge.
};

struct Plan {
  std::vector<std::unique_ptr<Planned>> benchmarks;
  std::vector<std::pair<std::string, std::string>> not_run;  // Name and reason.
  size_t items = 0;
};

// The command line's flags over what the benchmark asks for.
JudgeFlags judge_flags(const BenchRunOptions& options, const bench::Spec& spec) {
  JudgeFlags flags = options.judge;
  if (!flags.settings.template_spec && !spec.template_spec.empty())
    flags.settings.template_spec = spec.template_spec;
  if (!flags.settings.order && !judge::names_judge_file(flags.judge))
    flags.settings.order = spec.task == data::Task::Pairwise ? spec.order : "both";
  return flags;
}

Plan make_plan(const BenchRunOptions& options) {
  const std::filesystem::path folder = data_folder(options.data);
  const std::filesystem::path out = options.out;
  Plan plan;
  for (bench::Spec& spec : load_specs(options.names)) {
    auto planned = std::make_unique<Planned>();
    planned->spec = std::move(spec);
    const bench::Spec& own = planned->spec;
    std::string reason;
    planned->selection = bench::present_selection(own, folder, reason);
    if (planned->selection == nullptr) {
      plan.not_run.emplace_back(own.name, reason);
      continue;
    }
    const JudgeFlags flags = judge_flags(options, own);
    const std::string form = flags.settings.template_spec.value_or("");
    if (form.ends_with(".yaml") && !std::filesystem::exists(form)) {
      plan.not_run.emplace_back(
          own.name, fmt::format("its template is not here: {} (selene templates pull)", form));
      continue;
    }
    for (const std::string& warning : bench::revision_warnings(*planned->selection, folder))
      std::fprintf(stderr, "warning: %s: %s\n", own.name.c_str(), warning.c_str());
    planned->items = bench::choose_items(
        own, *planned->selection, folder,
        {.limit = options.limit, .seed = options.judge.seed, .probe = options.probe});
    planned->rows = out / (own.name + ".jsonl");
    planned->key =
        flags.settings.template_spec.value_or("") + "\n" + flags.settings.order.value_or("");
    plan.items += planned->items.count;
    plan.benchmarks.push_back(std::move(planned));
  }
  std::stable_sort(plan.benchmarks.begin(), plan.benchmarks.end(),
                   [](const auto& a, const auto& b) { return a->key < b->key; });
  return plan;
}

// Null where it cannot be read.
Json read_json(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return nullptr;
  const Json value = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(nullptr) : value;
}

// Whether an earlier run has done this work to its end.
bool is_done(const Planned& planned, const Json& work) {
  if (!std::filesystem::exists(planned.rows)) return false;
  const Json record = read_json(planned.rows.string() + ".run.json");
  return record.is_object() && record.value("work", Json()) == work;
}

// OUT/run.json: the benchmarks of all runs into this folder.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    const Json old = read_json(folder_ / "run.json");
    if (old.is_object() && old.contains("benchmarks")) benchmarks_ = old.at("benchmarks");
  }

  void set(const std::string& name, Json about) { benchmarks_[name] = std::move(about); }
  // Nothing replaces what an earlier run has done.
  void set_not_run(const std::string& name, const std::string& reason) {
    if (!benchmarks_.contains(name) || benchmarks_[name].contains("not_run"))
      benchmarks_[name] = {{"not_run", reason}};
  }
  // In one folder is one judge, so that its figures belong together. Throws Error.
  void check_judge(const std::string& name, const Json& judge) const {
    for (const auto& [other, about] : benchmarks_.items()) {
      if (other == name || !about.contains("judge")) continue;
      if (identity_of(about.at("judge")) == identity_of(judge)) continue;
      throw Error(fmt::format("the folder holds '{}' by another judge or in another mode ({})",
                              other, about.at("judge").value("name", "")),
                  folder_.string(), "name another folder with --out");
    }
  }
  void write(RunRecord& record) const {
    record.fields()["benchmarks"] = benchmarks_;
    record.write(folder_ / "run.json");
  }

 private:
  // What makes it another judge; templates and orders are the benchmarks' own.
  static Json identity_of(const Json& judge) {
    Json identity = Json::array();
    for (const Json& member : judge.value("members", Json::array())) {
      Json one = Json::array();
      for (const char* name :
           {"name", "weight", "model", "adapter", "mode", "max_tokens", "samples", "temperature"})
        one.push_back(member.value(name, Json()));
      identity.push_back(std::move(one));
    }
    return identity;
  }

  std::filesystem::path folder_;
  Json benchmarks_ = Json::object();
};

class Runner {
 public:
  Runner(const BenchRunOptions& options, const Plan& plan)
      : options_(options),
        plan_(plan),
        folder_(options.out),
        progress_(
            {.label = "judging", .unit = "items", .total = plan.items, .silent = options.quiet}) {}

  // False when interrupted.
  bool run(RunRecord& record) {
    for (const auto& [name, reason] : plan_.not_run) folder_.set_not_run(name, reason);
    for (const auto& planned : plan_.benchmarks)
      folder_.set_not_run(planned->spec.name, bench::kNotFinished);
    folder_.write(record);  // A run that is killed has said what it had before it.
    bool done = true;
    for (const auto& planned : plan_.benchmarks) {
      done = !interrupted() && run_one(*planned);
      if (!done) break;
      folder_.write(record);
    }
    progress_.finish();
    return done;
  }

  size_t judged() const { return judged_; }
  const judge::Judge* judge() const { return judge_ ? &*judge_ : nullptr; }

 private:
  bool run_one(const Planned& planned) {
    open_judge_for(planned);
    const bench::Spec& spec = planned.spec;
    const bench::Work work{.spec = spec,
                           .selection = *planned.selection,
                           .data = data_folder(options_.data),
                           .items = planned.items,
                           .seed = options_.judge.seed,
                           .probe = options_.probe};
    const Json described = bench::describe(work, judge::describe(*judge_));
    folder_.check_judge(spec.name, described.at("judge"));
    const std::filesystem::path copy = planned.rows.parent_path() / (spec.name + ".yaml");
    if (is_done(planned, described)) {
      say(fmt::format("{}: done already", spec.name));
      // Its scoring may have changed, which asks for no judgment anew.
      if (!std::filesystem::exists(copy) || read_file(copy) != spec.text) {
        say(fmt::format("{}: the benchmark's file is another: reports follow it", spec.name));
        write_file_atomically(copy, spec.text);
      }
      pass(planned.items.count);
      folder_.set(spec.name, summary(planned, described));
      return true;
    }
    data::RowOutput output(planned.rows, options_.overwrite);
    output.begin(described);
    say(fmt::format("{}: {} items", spec.name, planned.items.count));
    const auto start = Clock::now();
    const std::int64_t hits = judge_->ledger_hits();
    const std::int64_t misses = judge_->ledger_misses();
    const engine::Counters before = judge_->counters();
    RunRecord record("bench run");
    const bool done = bench::run(work, *judge_, output,
                                 {.kept = [&](size_t count) { pass(count); },
                                  .judged =
                                      [&] {
                                        progress_.add(1);
                                        ++judged_;
                                      },
                                  .stop = [] { return interrupted(); }});
    if (!done) return false;
    Json& fields = record.fields();
    fields["work"] = described;
    fields["data"] = std::filesystem::absolute(work.data).lexically_normal().string();
    fields["exact"] = judge_->exact();
    fields["ledger"] = {{"found", judge_->ledger_hits() - hits},
                        {"not_found", judge_->ledger_misses() - misses}};
    fields["engine"] = to_json(judge_->counters().since(before));
    fields["judging_s"] = std::chrono::duration<double>(Clock::now() - start).count();
    write_file_atomically(copy, spec.text);
    output.finish(record);
    folder_.set(spec.name, summary(planned, described));
    return true;
  }

  static Json summary(const Planned& planned, const Json& described) {
    return {{"items", planned.items.count},
            {"items_of_benchmark", planned.items.total},
            {"judge", described.at("judge")}};
  }

  void open_judge_for(const Planned& planned) {
    if (judge_ && key_ == planned.key) return;
    judge_.reset();  // Before the next is loaded.
    judge_.emplace(open_judge(judge_flags(options_, planned.spec)));
    key_ = planned.key;
  }

  void pass(size_t count) {
    passed_ += count;
    progress_.resume_from(passed_ + judged_);
  }

  void say(const std::string& text) {
    if (options_.quiet) return;
    progress_.clear();
    std::fprintf(stderr, "%s\n", text.c_str());
  }

  const BenchRunOptions& options_;
  const Plan& plan_;
  RunFolder folder_;
  Progress progress_;
  std::optional<judge::Judge> judge_;
  std::string key_;
  size_t passed_ = 0;
  size_t judged_ = 0;
};

}  // namespace

BenchRunOutcome run_benchmarks(const BenchRunOptions& options) {
  RunRecord record("bench run");
  if (std::filesystem::exists(options.out) && !std::filesystem::is_directory(options.out))
    throw UsageError("--out is a folder, and this is a file", options.out);
  const Plan plan = make_plan(options);
  for (const auto& [name, reason] : plan.not_run)
    std::fprintf(stderr, "%s: not run: %s\n", name.c_str(), reason.c_str());
  if (plan.benchmarks.empty()) {
    throw Error("none of the benchmarks can be run: their data is not here",
                data_folder(options.data).string(),
                "name the folder with --data, or get it: selene bench pull");
  }
  Runner runner(options, plan);
  const bool done = runner.run(record);
  return {.done = done,
          .benchmarks = plan.benchmarks.size(),
          .items = plan.items,
          .judged = runner.judged()};
}

}  // namespace selene::cli
