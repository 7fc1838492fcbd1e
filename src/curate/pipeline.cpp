#include "curate/pipeline.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "core/text.h"
#include "curate/load.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// Changes to what steps do give another number, so that files of before are not gone on with.
constexpr int kFormat = 1;
constexpr size_t kBatch = 2048;
constexpr size_t kExcerptColumns = 300;

// Steps that run over the rows of one file.
struct Pass {
  std::vector<NamedStep*> looks;  // Also those that need the order.
  NamedStep* settles = nullptr;   // The first: one that waited for all rows of the file.
  NamedStep* last = nullptr;      // One that spreads, or takes batches; alone then.
  std::string name() const {
    if (last != nullptr) return last->name;
    std::vector<std::string_view> names;
    if (settles != nullptr) names.push_back(settles->name);
    for (const NamedStep* step : looks) names.push_back(step->name);
    return fmt::format("{}", fmt::join(names, ", "));
  }
  std::vector<NamedStep*> all() const {
    std::vector<NamedStep*> steps;
    if (settles != nullptr) steps.push_back(settles);
    steps.insert(steps.end(), looks.begin(), looks.end());
    if (last != nullptr) steps.push_back(last);
    return steps;
  }
};

std::vector<Pass> plan(Recipe& recipe, const RunOptions& options,
                       std::vector<std::string>& skipped) {
  std::vector<Pass> passes;
  const auto open_pass = [&](bool fresh) -> Pass& {
    if (fresh || passes.empty() || passes.back().last != nullptr || options.every_step)
      passes.emplace_back();
    return passes.back();
  };
  for (NamedStep& step : recipe.steps) {
    if (step.step->batch() > 0 && options.no_models) {
      skipped.push_back(step.name);
    } else if (step.step->batch() > 0 || step.step->spreads()) {
      open_pass(true).last = &step;
    } else if (step.step->waits()) {
      open_pass(true).settles = &step;
    } else {
      open_pass(false).looks.push_back(&step);
    }
  }
  return passes;
}

std::string row_line(const Row& row) { return to_json(row).dump() + "\n"; }

Row row_of(const std::string& line) {
  try {
    return row_from_json(Json::parse(line));
  } catch (const Json::exception&) {
    throw Error("a file between passes is damaged", "", "do all again: --from load");
  }
}

// A row in hand.
struct Slot {
  Row row;
  std::vector<Notes> notes;     // By step of the pass,
  Notes notes_of_next;          // and of the one that waits for the pass.
  std::vector<size_t> history;  // Length of the row's history after each step,
  size_t history_before = 0;    // and before the first.
  size_t at = 0;                // The step that dropped it; the number of steps: none.
  std::optional<Drop> drop;
  std::vector<std::string> out;  // Lines.
};

class PassRun {
 public:
  // `seen`: the pass before has shown the step that waits its rows already. `next`: the step that
  // waits for the rows of this pass; null where there is none.
  PassRun(const Pass& pass, Resources& resources, const RunOptions& options,
          const std::vector<Source>& sources, bool seen, Step* next)
      : steps_(pass.all()),
        pass_(pass),
        resources_(resources),
        options_(options),
        seen_(seen),
        next_(next) {
    for (const NamedStep* step : steps_) {
      StepAccount account;
      account.step = step->name;
      for (const Source& source : sources) account.sources.emplace_back(source.name, Counts{});
      accounts_.push_back(std::move(account));
    }
  }

  // False when stopped.
  bool run(const std::vector<fs::path>& from, const fs::path& to, const fs::path& dropped,
           std::uint64_t total) {
    if (pass_.settles != nullptr) {
      if (!seen_ && !wait_for_all(from, total)) return false;
      pass_.settles->step->decide();
    }
    AtomicFile rows_file(to), dropped_file(dropped);
    RowReader reader(from);
    const size_t batch =
        pass_.last != nullptr && pass_.last->step->batch() > 0 ? pass_.last->step->batch() : kBatch;
    for (std::vector<std::string> lines; !(lines = reader.lines(batch)).empty();) {
      if (stopped()) return false;
      std::vector<Slot> slots = look_at(lines);
      if (pass_.last != nullptr && pass_.last->step->batch() > 0) {
        if (!run_model(slots)) return false;
      }
      std::string out, gone;
      for (Slot& slot : slots) commit(slot, out, gone);
      rows_file.append(out);
      dropped_file.append(gone);
      number_ += lines.size();
      if (options_.progress) options_.progress(pass_.name(), number_, total);
    }
    rows_file.commit();
    dropped_file.commit();
    for (size_t i = 0; i < steps_.size(); ++i) {
      accounts_[i].facts = steps_[i]->step->facts();
      check(accounts_[i]);
    }
    return true;
  }

  std::vector<StepAccount> take_accounts() { return std::move(accounts_); }
  std::uint64_t rows_out() const { return rows_out_; }

 private:
  bool stopped() const { return resources_.stop && resources_.stop(); }

  // The step that waits sees every row of the files.
  bool wait_for_all(const std::vector<fs::path>& from, std::uint64_t total) {
    Step& step = *pass_.settles->step;
    RowReader reader(from);
    std::uint64_t done = 0;
    for (std::vector<std::string> lines; !(lines = reader.lines(kBatch)).empty();) {
      if (stopped()) return false;
      std::vector<Slot> slots(lines.size());
      parallel_for(lines.size(), resources_.threads, [&](size_t i) {
        slots[i].row = row_of(lines[i]);
        slots[i].notes.resize(1);
        step.note(slots[i].row, slots[i].notes[0]);
      });
      for (const Slot& slot : slots) step.in_order(slot.row, slot.notes[0]);
      done += lines.size();
      if (options_.progress) options_.progress(pass_.settles->name + ", reading", done, total);
    }
    return !stopped();
  }

  std::vector<Slot> look_at(const std::vector<std::string>& lines) {
    std::vector<Slot> slots(lines.size());
    parallel_for(lines.size(), resources_.threads, [&](size_t i) {
      Slot& slot = slots[i];
      slot.row = row_of(lines[i]);
      look_at(slot, number_ + i);
    });
    return slots;
  }

  void look_at(Slot& slot, size_t number) {
    slot.notes.resize(steps_.size());
    slot.history_before = slot.row.history.size();
    for (slot.at = 0; slot.at < steps_.size(); ++slot.at) {
      Step& step = *steps_[slot.at]->step;
      if (step.batch() > 0) {
        // run_model() does it.
      } else if (step.spreads()) {
        Drop why;
        const std::vector<Row> rows = step.spread(slot.row, why);
        for (const Row& row : rows) slot.out.push_back(row_line(row));
        if (rows.empty()) slot.drop = std::move(why);
      } else if (steps_[slot.at] == pass_.settles) {
        slot.drop = step.settle(number, slot.row);
      } else {
        slot.drop = step.look(slot.row);
        if (!slot.drop) step.note(slot.row, slot.notes[slot.at]);
      }
      slot.history.push_back(slot.row.history.size());
      if (slot.drop) return;
    }
    if (slot.out.empty() && (pass_.last == nullptr || pass_.last->step->batch() == 0))
      slot.out.push_back(row_line(slot.row));
    if (next_ != nullptr) next_->note(slot.row, slot.notes_of_next);
  }

  bool run_model(std::vector<Slot>& slots) {
    std::vector<Row> rows;
    for (Slot& slot : slots) rows.push_back(std::move(slot.row));
    std::vector<std::optional<Drop>> drops = pass_.last->step->run(rows);
    if (stopped()) return false;
    ensure(drops.size() == slots.size(), "a step that answers for other rows than it was given");
    for (size_t i = 0; i < slots.size(); ++i) {
      slots[i].row = std::move(rows[i]);
      slots[i].drop = std::move(drops[i]);
      slots[i].at = slots[i].drop ? 0 : 1;
      slots[i].history = {slots[i].row.history.size()};
      if (!slots[i].drop) slots[i].out.push_back(row_line(slots[i].row));
    }
    return true;
  }

  // In the order of the rows.
  void commit(Slot& slot, std::string& out, std::string& gone) {
    const std::string& source = slot.row.source;
    size_t history = slot.history_before;
    for (size_t i = 0; i < steps_.size(); ++i) {
      Counts& counts = counts_of(i, source);
      ++counts.in;
      std::optional<Drop> drop;
      if (i == slot.at) {
        drop = std::move(slot.drop);
      } else if (steps_[i] != pass_.settles && steps_[i] != pass_.last) {
        drop = steps_[i]->step->in_order(slot.row, slot.notes[i]);
      }
      std::string changes;
      for (; history < slot.history[i]; ++history) {
        const std::string& what = slot.row.history[history].what;
        // What differs from row to row is behind a colon.
        ++counts.changed[what.substr(0, what.find(':'))];
        changes += (changes.empty() ? "" : ", ") + what;
      }
      if (drop) {
        ++counts.dropped[drop->reason];
        slot.row.history.resize(history);
        gone += dropped_line(slot.row, steps_[i]->name, *drop);
        example(accounts_[i].dropped[drop->reason], slot.row, drop->detail);
        return;
      }
      ++counts.out;
      if (steps_[i]->step->spreads()) counts.made += slot.out.size();
      example(accounts_[i].kept, slot.row, changes);
    }
    if (next_ != nullptr) next_->in_order(slot.row, slot.notes_of_next);
    rows_out_ += slot.out.size();
    for (const std::string& line : slot.out) out += line;
  }

  Counts& counts_of(size_t step, const std::string& source) {
    auto& sources = accounts_[step].sources;
    // Rows come source by source.
    if (last_source_ >= sources.size() || sources[last_source_].first != source) {
      for (last_source_ = 0; last_source_ < sources.size(); ++last_source_) {
        if (sources[last_source_].first == source) break;
      }
      ensure(last_source_ < sources.size(), "a row of no source");
    }
    return sources[last_source_].second;
  }

  void example(std::vector<Example>& examples, const Row& row, const std::string& detail) const {
    const std::uint64_t order = chance(resources_.seed, "example", row.id);
    if (examples.size() == StepAccount::kExamples && order > examples.back().order) return;
    add_example(examples, {.order = order,
                           .id = row.id,
                           .text = excerpt(row.sample, 200),
                           .detail = cut_to_columns(replace_invalid_utf8(detail), 200)});
  }

  static std::string dropped_line(const Row& row, const std::string& step, const Drop& drop) {
    Json history = Json::array();
    for (const Change& one : row.history) history.push_back({one.step, one.what});
    const Json line = {{"id", row.id},
                       {"source", row.source},
                       {"step", step},
                       {"reason", drop.reason},
                       {"detail", drop.detail},
                       {"history", std::move(history)},
                       {"text", excerpt(row.sample, kExcerptColumns)}};
    return line.dump() + "\n";
  }

  std::vector<NamedStep*> steps_;
  const Pass& pass_;
  Resources& resources_;
  const RunOptions& options_;
  bool seen_;
  Step* next_;
  std::vector<StepAccount> accounts_;
  std::uint64_t number_ = 0;
  std::uint64_t rows_out_ = 0;
  size_t last_source_ = 0;
};

// What a whole file of rows came from and what was counted: written when it is whole.
struct Marker {
  std::string fingerprint;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // Of the file of rows.
  std::vector<StepAccount> accounts;
};

// Whether the file of rows is as it was when its marker was written.
bool is_whole(const fs::path& rows, const Marker& marker) {
  std::error_code missing;
  return fs::file_size(rows, missing) == marker.bytes && !missing;
}

std::optional<Marker> read_marker(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  const Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  try {
    Marker marker{.fingerprint = json.at("fingerprint").get<std::string>(),
                  .rows = json.at("rows").get<std::uint64_t>(),
                  .bytes = json.at("bytes").get<std::uint64_t>(),
                  .accounts = {}};
    for (const Json& account : json.at("accounts"))
      marker.accounts.push_back(account_from_json(account));
    return marker;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void write_marker(const fs::path& path, const Marker& marker) {
  Json json = {{"fingerprint", marker.fingerprint}, {"rows", marker.rows}, {"bytes", marker.bytes}};
  json["accounts"] = Json::array();
  for (const StepAccount& account : marker.accounts) json["accounts"].push_back(to_json(account));
  write_file_atomically(path, json.dump(1) + "\n");
}

class Pipeline {
 public:
  Pipeline(Recipe& recipe, Resources& resources, const RunOptions& options)
      : recipe_(recipe), resources_(resources), options_(options) {}

  RunResult run() {
    if (!options_.from.empty()) check_from();
    const std::vector<Pass> passes = plan(recipe_, options_, result_.skipped);
    if (!load()) return std::move(result_);
    std::string unit = "rows";
    bool again = options_.from == "load";
    for (size_t i = 0; i < passes.size(); ++i) {
      const std::vector<NamedStep*> steps = passes[i].all();
      again = again || std::any_of(steps.begin(), steps.end(), [&](const NamedStep* step) {
                return step->name == options_.from;
              });
      const Pass* next = i + 1 < passes.size() ? &passes[i + 1] : nullptr;
      if (!run_pass(i, passes[i], next, again, unit)) return std::move(result_);
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

  bool load() {
    const auto start = std::chrono::steady_clock::now();
    struct Job {
      const Source* source;
      const data::Selection* selection;
      fs::path rows, rejected, marker;
      StepAccount account;
      std::string fingerprint;
      bool kept = false;
    };
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
                      .marker = folder / (source.name + ".json"),
                      .account = {},
                      .fingerprint = {}});
    }
    if (jobs.empty()) {
      throw Error(fmt::format("no source's files are in {}", options_.data.string()), recipe_.place,
                  "name their folder with --data, or fetch them with --pull");
    }
    const LoadOptions load_options{.data = options_.data,
                                   .scratch = resources_.scratch,
                                   .seed = resources_.seed,
                                   .max_bad = options_.max_bad,
                                   .limit = options_.limit,
                                   .stop = resources_.stop};
    std::atomic<std::uint64_t> done{0};
    const auto stopped = [&] { return resources_.stop && resources_.stop(); };
    try {
      parallel_for(jobs.size(), resources_.threads, [&](size_t i) {
        Job& job = jobs[i];
        if (stopped()) return;
        job.fingerprint =
            sha256(fmt::format("{} {} {}", kFormat, options_.max_bad,
                               load_fingerprint(*job.source, *job.selection, load_options)));
        const std::optional<Marker> old =
            options_.from == "load" ? std::nullopt : read_marker(job.marker);
        if (old && old->fingerprint == job.fingerprint && is_whole(job.rows, *old)) {
          job.account = old->accounts.at(0);
          job.kept = true;
        } else {
          fs::remove(job.marker);
          job.account =
              load_source(*job.source, *job.selection, load_options, job.rows, job.rejected);
          write_marker(
              job.marker,
              {job.fingerprint, job.account.total().out, fs::file_size(job.rows), {job.account}});
        }
        done += job.account.total().in;
      });
    } catch (const Error&) {
      if (stopped()) return false;
      throw;
    }
    if (stopped()) return false;
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
      present_.push_back(*job.source);
      rows_ += job.account.total().out;
      if (job.kept) result_.passes_kept.push_back("load " + job.source->name);
    }
    check(account);
    account.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    fingerprint_ = sha256(prints);
    files_ = result_.loaded;
    result_.accounts.push_back(std::move(account));
    if (options_.progress) options_.progress("load", done, done);
    return true;
  }

  bool run_pass(size_t index, const Pass& pass, const Pass* next, bool again, std::string& unit) {
    Json about = Json::array({kFormat, fingerprint_, resources_.seed});
    std::vector<std::string> names;
    for (NamedStep* step : pass.all()) {
      about.push_back({step->name, step->options, step->step->depends_on(resources_)});
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
      PassRun one(pass, resources_, options_, present_, seen, begun_);
      if (!one.run(files_, rows, dropped, rows_)) return false;
      marker = Marker{fingerprint_, one.rows_out(), fs::file_size(rows), one.take_accounts()};
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
  std::vector<Source> present_;
  std::string fingerprint_;
  std::vector<fs::path> files_;
  std::uint64_t rows_ = 0;
  Step* begun_ = nullptr;  // One that waits, and has seen the rows of the pass before.
};

}  // namespace

struct RowReader::State {
  std::vector<fs::path> files;
  size_t next = 0;
  std::ifstream file;
};

RowReader::RowReader(std::vector<fs::path> files) : state_(std::make_unique<State>()) {
  state_->files = std::move(files);
}
RowReader::~RowReader() = default;

std::vector<std::string> RowReader::lines(std::size_t count) {
  std::vector<std::string> lines;
  State& state = *state_;
  while (lines.size() < count) {
    std::string line;
    if (state.file.is_open() && std::getline(state.file, line)) {
      lines.push_back(std::move(line));
      continue;
    }
    if (state.file.is_open() && state.file.bad())
      throw Error("reading failed", state.files[state.next - 1].string());
    state.file.close();
    state.file.clear();
    if (state.next == state.files.size()) break;
    state.file.open(state.files[state.next], std::ios::binary);
    if (!state.file) throw Error("cannot read", state.files[state.next].string());
    ++state.next;
  }
  return lines;
}

RunResult run(Recipe& recipe, Resources& resources, const RunOptions& options) {
  return Pipeline(recipe, resources, options).run();
}

}  // namespace selene::curate
