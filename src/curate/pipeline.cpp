#include "curate/pipeline.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/text.h"
#include "curate/load.h"
#include "curate/marker.h"

namespace selene::curate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Changes to what steps do give another number, so that files of before are not gone on with.
constexpr int kFormat = 2;

class Pipeline {
 public:
  Pipeline(Recipe& recipe, Resources& resources, const RunOptions& options)
      : recipe_(recipe), resources_(resources), options_(options) {}

  RunResult run() {
    if (!options_.from.empty()) check_from();
    const std::vector<Pass> passes =
        plan_passes(recipe_, options_.every_step, options_.no_models, result_.skipped);
    if (!load()) return std::move(result_);
    std::string unit = "rows";
    bool again = options_.from == "load";
    for (size_t i = 0; i < passes.size(); ++i) {
      const std::vector<NamedStep*> steps = passes[i].all();
      again = again || std::any_of(steps.begin(), steps.end(), [&](const NamedStep* step) {
                return step->name == options_.from;
              });
      const Pass* next = i + 1 < passes.size() ? &passes[i + 1] : nullptr;
      if (!take_pass(i, passes[i], next, again, unit)) return std::move(result_);
    }
    result_.done = true;
    return std::move(result_);
  }

 private:
  void check_from() const {
    std::vector<std::string> names{"load"};
    for (const NamedStep& step : recipe_.steps) names.push_back(step.name);
    if (std::find(names.begin(), names.end(), options_.from) != names.end()) return;
    throw Error(fmt::format("the recipe has no step '{}'; it has {}",
                            cut_to_columns(options_.from, 60), fmt::join(names, ", ")),
                recipe_.place);
  }

  // A source that is there, and its rows.
  struct Job {
    const Source* source;
    const data::Selection* selection;
    fs::path rows, rejected, marker;
    StepAccount account{};
    std::string fingerprint{};
    bool kept = false;
  };

  std::vector<Job> present_sources() {
    std::vector<Job> jobs;
    const fs::path folder = options_.work / "load";
    fs::create_directories(folder);
    for (const Source& source : recipe_.sources) {
      std::string reason;
      const data::Selection* selection =
          data::present_selection(source.source, source.local, options_.data, reason);
      if (selection == nullptr) {
        result_.not_present.emplace_back(source.name, reason);
        continue;
      }
      if (resources_.warn) {
        for (const std::string& warning :
             data::revision_warnings(*selection, options_.data, "recipe"))
          resources_.warn(fmt::format("{}: {}", source.name, warning));
      }
      jobs.push_back({.source = &source,
                      .selection = selection,
                      .rows = folder / (source.name + ".jsonl"),
                      .rejected = folder / (source.name + ".rejected.jsonl"),
                      .marker = folder / (source.name + ".json")});
    }
    if (!jobs.empty()) return jobs;
    throw Error(fmt::format("no source's files are in {}", options_.data.string()), recipe_.place,
                "name their folder with --data, or fetch them with --pull");
  }

  void load(Job& job) const {
    const LoadOptions options{.data = options_.data,
                              .scratch = resources_.scratch,
                              .seed = resources_.seed,
                              .max_bad = options_.max_bad,
                              .limit = options_.limit,
                              .stop = resources_.stop};
    job.fingerprint = sha256(fmt::format("{} {} {}", kFormat, options_.max_bad,
                                         load_fingerprint(*job.source, *job.selection, options)));
    const std::optional<Marker> old =
        options_.from == "load" ? std::nullopt : read_marker(job.marker);
    if (old && old->fingerprint == job.fingerprint && is_whole(job.rows, *old)) {
      job.account = old->accounts.at(0);
      job.kept = true;
      return;
    }
    fs::remove(job.marker);
    job.account = load_source(*job.source, *job.selection, options, job.rows, job.rejected);
    write_marker(
        job.marker,
        {job.fingerprint, job.account.total().out, fs::file_size(job.rows), {job.account}});
  }

  // False when stopped.
  bool load() {
    const auto start = std::chrono::steady_clock::now();
    std::vector<Job> jobs = present_sources();
    const auto stopped = [&] { return resources_.stop && resources_.stop(); };
    try {
      parallel_for(jobs.size(), resources_.threads, [&](size_t i) {
        if (!stopped()) load(jobs[i]);
      });
    } catch (const Error&) {
      if (stopped()) return false;
      throw;
    }
    if (stopped()) return false;
    StepAccount account = take_loaded(jobs);
    check(account);
    account.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::uint64_t rows = account.total().in;
    result_.accounts.push_back(std::move(account));
    if (options_.progress) options_.progress("load", rows, rows);
    return true;
  }

  // The account of all sources together.
  StepAccount take_loaded(std::vector<Job>& jobs) {
    StepAccount account;
    account.step = "load";
    std::string prints;
    for (Job& job : jobs) {
      account.sources.push_back(job.account.sources.at(0));
      for (Example& one : job.account.kept) add_example(account.kept, std::move(one));
      for (auto& [reason, examples] : job.account.dropped) {
        for (Example& one : examples) add_example(account.dropped[reason], std::move(one));
      }
      prints += job.fingerprint;
      result_.loaded.push_back(job.rows);
      result_.rejected.push_back(job.rejected);
      present_.push_back(job.source->name);
      rows_ += job.account.total().out;
      if (job.kept) result_.passes_kept.push_back("load " + job.source->name);
    }
    fingerprint_ = sha256(prints);
    files_ = result_.loaded;
    return account;
  }

  bool take_pass(size_t index, const Pass& pass, const Pass* next, bool again, std::string& unit) {
    Json about = Json::array({kFormat, fingerprint_, resources_.seed});
    std::vector<std::string> names;
    for (NamedStep* step : pass.all()) {
      const std::string depends = step->step->depends_on(resources_);
      about.push_back({step->name, step->options, depends});
      if (step->step->batch() > 0) result_.models[step->name] = sha256(depends);
      names.push_back(step->name);
    }
    fingerprint_ = sha256(about.dump());
    const std::string file = fmt::format(
        "{:02}-{}", index + 1, names.size() == 1 ? names[0] : names[0] + "-" + names.back());
    const fs::path rows = options_.work / (file + ".jsonl");
    const fs::path dropped = options_.work / (file + ".dropped.jsonl");
    const fs::path marker_path = options_.work / (file + ".json");
    std::optional<Marker> marker = again ? std::nullopt : read_marker(marker_path);
    if (marker &&
        (marker->fingerprint != fingerprint_ || !is_whole(rows, *marker) || !fs::exists(dropped)))
      marker.reset();
    if (marker) {
      result_.passes_kept.push_back(pass.name());
    } else {
      fs::remove(marker_path);
      const auto start = std::chrono::steady_clock::now();
      for (NamedStep* step : pass.all()) {
        if (step->step.get() != begun_) step->step->begin(resources_);
      }
      const bool seen = pass.settles != nullptr && pass.settles->step.get() == begun_;
      // Rows that this pass keeps are in hand: a step that waits for them need not read them again.
      begun_ = nullptr;
      if (next != nullptr && next->settles != nullptr && pass.last == nullptr) {
        begun_ = next->settles->step.get();
        begun_->begin(resources_);
      }
      std::optional<PassResult> one =
          run_pass(pass, {.from = files_, .rows = rows_, .to = rows, .dropped = dropped}, present_,
                   seen, begun_, resources_, options_.progress);
      if (!one) return false;
      marker = Marker{fingerprint_, one->rows, fs::file_size(rows), std::move(one->accounts)};
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      for (StepAccount& account : marker->accounts) {
        account.unit = unit;
        account.seconds = seconds.count();
      }
      write_marker(marker_path, *marker);
    }
    for (const StepAccount& account : marker->accounts) {
      if (account.total().out == 0) stop_at_empty(account);
    }
    if (pass.last != nullptr && pass.last->step->spreads()) unit = "pairs";
    rows_ = marker->rows;
    files_ = {rows};
    for (StepAccount& account : marker->accounts) result_.accounts.push_back(std::move(account));
    result_.stages.push_back({pass.name(), rows, dropped});
    return true;
  }

  [[noreturn]] void stop_at_empty(const StepAccount& account) const {
    const Counts total = account.total();
    std::vector<std::string> reasons;
    for (const auto& [reason, count] : total.dropped)
      reasons.push_back(fmt::format("{} {}", count, reason));
    throw Error(fmt::format("the step '{}' leaves nothing of {} {}: {}", account.step, total.in,
                            account.unit, fmt::join(reasons, ", ")),
                recipe_.place, "loosen its options, or leave it out");
  }

  Recipe& recipe_;
  Resources& resources_;
  const RunOptions& options_;
  RunResult result_;
  std::vector<std::string> present_;  // Sources.
  std::string fingerprint_;
  std::vector<fs::path> files_;
  std::uint64_t rows_ = 0;
  Step* begun_ = nullptr;  // One that waits, and has seen the rows of the pass before.
};

}  // namespace

RunResult run(Recipe& recipe, Resources& resources, const RunOptions& options) {
  return Pipeline(recipe, resources, options).run();
}

}  // namespace selene::curate
