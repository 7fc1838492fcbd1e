#include "curate/pass.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/file.h"
#include "core/parallel.h"
#include "core/text.h"
#include "curate/row_file.h"

namespace selene::curate {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kBatch = 2048;
constexpr size_t kExcerptColumns = 300;

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
  PassRun(const Pass& pass, const std::vector<std::string>& sources, bool seen, Step* next,
          const Resources& resources, const PassProgress& progress)
      : steps_(pass.all()),
        pass_(pass),
        seen_(seen),
        next_(next),
        resources_(resources),
        progress_(progress) {
    for (const NamedStep* step : steps_) {
      StepAccount account;
      account.step = step->name;
      for (const std::string& source : sources) account.sources.emplace_back(source, Counts{});
      accounts_.push_back(std::move(account));
    }
  }

  // False when stopped.
  bool run(const PassFiles& files) {
    if (pass_.settles != nullptr) {
      if (!seen_ && !wait_for_all(files)) return false;
      pass_.settles->step->decide();
    }
    AtomicFile rows_file(files.to), dropped_file(files.dropped);
    RowReader reader(files.from);
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
      if (progress_) progress_(pass_.name(), number_, files.rows);
    }
    rows_file.commit();
    dropped_file.commit();
    for (size_t i = 0; i < steps_.size(); ++i) {
      accounts_[i].facts = steps_[i]->step->facts();
      check(accounts_[i]);
    }
    return true;
  }

  PassResult take_result() { return {std::move(accounts_), rows_out_}; }

 private:
  bool stopped() const { return resources_.stop && resources_.stop(); }

  // The step that waits sees every row of the files.
  bool wait_for_all(const PassFiles& files) {
    Step& step = *pass_.settles->step;
    RowReader reader(files.from);
    std::uint64_t done = 0;
    for (std::vector<std::string> lines; !(lines = reader.lines(kBatch)).empty();) {
      if (stopped()) return false;
      std::vector<Slot> slots(lines.size());
      parallel_for(lines.size(), resources_.threads, [&](size_t i) {
        slots[i].row = row_of_line(lines[i]);
        slots[i].notes.resize(1);
        step.note(slots[i].row, slots[i].notes[0]);
      });
      for (const Slot& slot : slots) step.in_order(slot.row, slot.notes[0]);
      done += lines.size();
      if (progress_) progress_(pass_.settles->name + ", reading", done, files.rows);
    }
    return !stopped();
  }

  std::vector<Slot> look_at(const std::vector<std::string>& lines) {
    std::vector<Slot> slots(lines.size());
    parallel_for(lines.size(), resources_.threads, [&](size_t i) {
      Slot& slot = slots[i];
      slot.row = row_of_line(lines[i]);
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
      if (!changes.empty()) example(accounts_[i].kept, slot.row, changes);
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
  bool seen_;
  Step* next_;
  const Resources& resources_;
  const PassProgress& progress_;
  std::vector<StepAccount> accounts_;
  std::uint64_t number_ = 0;
  std::uint64_t rows_out_ = 0;
  size_t last_source_ = 0;
};

}  // namespace

std::string Pass::name() const {
  if (last != nullptr) return last->name;
  std::vector<std::string_view> names;
  if (settles != nullptr) names.push_back(settles->name);
  for (const NamedStep* step : looks) names.push_back(step->name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<NamedStep*> Pass::all() const {
  std::vector<NamedStep*> steps;
  if (settles != nullptr) steps.push_back(settles);
  steps.insert(steps.end(), looks.begin(), looks.end());
  if (last != nullptr) steps.push_back(last);
  return steps;
}

std::vector<Pass> plan_passes(Recipe& recipe, bool every_step, bool no_models,
                              std::vector<std::string>& skipped) {
  std::vector<Pass> passes;
  const auto open_pass = [&](bool fresh) -> Pass& {
    if (fresh || passes.empty() || passes.back().last != nullptr || every_step)
      passes.emplace_back();
    return passes.back();
  };
  for (NamedStep& step : recipe.steps) {
    if (step.step->batch() > 0 && no_models) {
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

std::optional<PassResult> run_pass(const Pass& pass, const PassFiles& files,
                                   const std::vector<std::string>& sources, bool seen, Step* next,
                                   const Resources& resources, const PassProgress& progress) {
  PassRun run(pass, sources, seen, next, resources, progress);
  if (!run.run(files)) return std::nullopt;
  return run.take_result();
}

}  // namespace selene::curate
