// `selene arena init` and `selene arena add`: samples, and each judge's judgments of them.
#include "cli/arena_pool.h"

#include <cstdio>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "data/input_rows.h"

namespace selene::cli {
namespace {

struct ArenaAddCommand {
  std::string file;
  std::string samples;
  std::vector<std::string> judges;
  bool is_new = false;
  bool skip_overlong = false;
  bool quiet = false;
  JudgeFlags flags;
};

// Judged and stored at once, so that a killed run has lost no more.
constexpr std::size_t kWindow = 64;

std::size_t add_samples(arena::Store& store, const std::string& file) {
  const data::InputRows rows(file, nlohmann::ordered_json::object());
  rows.check_all();
  data::InputRows::Reader reader(rows);
  std::size_t added = 0;
  for (auto batch = reader.next(kWindow); !batch.empty(); batch = reader.next(kWindow))
    added += store.add_samples(batch);
  return added;
}

std::string judge_name(const judge::JudgeSpec& spec, const judge::Judge& judge) {
  return spec.name.empty() ? judge.name() : spec.name;
}

}  // namespace

std::vector<judge::JudgeSpec> single_judges(const std::vector<std::string>& named) {
  std::vector<judge::JudgeSpec> judges;
  for (const std::string& text : named) {
    judge::JudgeSpec spec = judge::parse_judge_spec(text);
    for (judge::MemberSpec& member : spec.members) {
      const std::string name =
          member.name.empty() && spec.members.size() == 1 ? spec.name : member.name;
      judges.push_back({.name = name, .members = {std::move(member)}});
    }
  }
  return judges;
}

judge::Judge open_single(const judge::JudgeSpec& spec, const JudgeFlags& flags) {
  judge::MachineOptions machine = flags.machine;
  machine.mmap = !flags.no_mmap;
  machine.warn = [](std::string_view warning) { fmt::print(stderr, "warning: {}\n", warning); };
  std::optional<std::filesystem::path> ledger;
  if (!flags.no_ledger) ledger = ledger_path(flags);
  return judge::open_judge(spec, flags.settings, flags.seed, machine, ledger);
}

namespace {

// Refuses the run before the first judgment when a sample does not fit.
void check_lengths(judge::Judge& judge, const std::string& name,
                   const std::vector<data::Sample>& samples) {
  const std::vector<judge::Fit> fits = judge.fit(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (fits[i].fits()) continue;
    throw Error(fmt::format("the sample '{}' is too long for the judge '{}': {} tokens, the "
                            "context has {}",
                            samples[i].id, name, fits[i].tokens, fits[i].limit),
                "", "give --skip-overlong to go on without such, or a smaller --max-tokens");
  }
}

// Judges the samples that this judge has no judgment of yet. Returns false when interrupted.
bool add_judgments(arena::Store& store, const judge::JudgeSpec& spec,
                   const ArenaAddCommand& options) {
  judge::Judge judge = open_single(spec, options.flags);
  const std::string name = judge_name(spec, judge);
  const arena::RowId row = store.add_judge(name, judge::describe(judge).dump());
  std::set<arena::RowId> done;
  for (const arena::StoredJudgment& judgment : store.judgments())
    if (judgment.judge == row) done.insert(judgment.sample);
  std::vector<arena::RowId> places;
  std::vector<data::Sample> samples;
  for (const arena::StoredSample& stored : store.samples()) {
    if (done.contains(stored.id)) continue;
    places.push_back(stored.id);
    samples.push_back(
        data::sample_from_json(nlohmann::ordered_json::parse(stored.json), samples.size() + 1));
  }
  judge.check(samples);
  if (!options.skip_overlong) check_lengths(judge, name, samples);
  std::size_t unreadable = 0;
  std::size_t overlong = 0;
  Progress progress({.label = name, .total = samples.size(), .silent = options.quiet});
  for (std::size_t first = 0; first < samples.size() && !interrupted(); first += kWindow) {
    const std::size_t count = std::min(kWindow, samples.size() - first);
    std::vector<std::optional<data::Judgment>> window(count);
    judge::JudgeEvents events{.judgment =
                                  [&](std::size_t i, data::Judgment judgment) {
                                    window[i] = std::move(judgment);
                                    progress.add(1);
                                  },
                              .stop = [] { return interrupted(); }};
    if (options.skip_overlong) {
      events.overlong = [&](std::size_t, judge::Fit) {
        ++overlong;
        progress.add(1);
      };
    }
    judge.judge(std::span(samples).subspan(first, count), events);
    std::vector<arena::Store::Judged> judged;
    for (std::size_t i = 0; i < count; ++i) {
      if (!window[i]) continue;
      unreadable += !window[i]->label.has_value();
      judged.push_back({.sample = places[first + i], .judgment = &*window[i]});
    }
    store.add_judgments(row, judged);
  }
  progress.finish();
  if (interrupted()) return false;
  put(fmt::format("{}: {} samples judged, {} known already{}{}\n", name, samples.size() - overlong,
                  done.size(),
                  unreadable > 0 ? fmt::format(", {} unreadable and not offered", unreadable) : "",
                  overlong > 0 ? fmt::format(", {} too long and left out", overlong) : ""));
  flush_output();
  return true;
}

int add(const ArenaAddCommand& options) {
  if (options.samples.empty() && options.judges.empty())
    throw UsageError("there is nothing to add", "", "give --samples FILE or --judges FILE");
  const std::vector<judge::JudgeSpec> judges = single_judges(options.judges);
  if (options.is_new && path_exists(options.file))
    throw Error("this file is there already", options.file,
                "selene arena add brings more samples and judges to an arena");
  if (!options.samples.empty())  // What is wrong with it is said before there is an arena.
    data::InputRows(options.samples, nlohmann::ordered_json::object()).check_all();
  arena::Store store(options.file,
                     options.is_new ? data::Opening::MustBeNew : data::Opening::MustBeThere);
  if (!options.samples.empty()) {
    const std::size_t added = add_samples(store, options.samples);
    put(fmt::format("{} samples added, {} in the arena\n", added, store.samples().size()));
    flush_output();
  }
  for (const judge::JudgeSpec& spec : judges) {
    if (!add_judgments(store, spec, options)) {
      fmt::print(
          stderr,
          "interrupted: what was judged is kept; go on with selene arena add {} --judges …\n",
          options.file);
      return kExitInterrupted;
    }
  }
  return kExitOk;
}

void add_pool_flags(CLI::App& command, ArenaAddCommand& options) {
  add_arena_file(command, options.file);
  command
      .add_option("--samples", options.samples,
                  "JSONL file of samples; `category`, else `group`, is what boards can be made of")
      ->check(not_empty());
  command
      .add_option("--judges", options.judges,
                  "A judge file, whose members compete, or a model or server as --judge takes; "
                  "several times")
      ->allow_extra_args(false)
      ->check(not_empty());
  command.add_flag("--skip-overlong", options.skip_overlong,
                   "Leave samples that do not fit a judge's context without its judgment");
  command.add_flag("--quiet", options.quiet, "No progress");
  add_judging_flags(command, options.flags);
}

}  // namespace

void add_judging_flags(CLI::App& command, JudgeFlags& flags) {
  const char* judging = "Judging";
  command
      .add_option("--mode", flags.settings.mode, "critique or verdict, for every judge [critique]")
      ->check(CLI::IsMember({"critique", "verdict"}))
      ->group(judging);
  command
      .add_option("--max-tokens", flags.settings.max_tokens,
                  "The longest critique, for every judge [512]")
      ->check(CLI::Range(1, 1'000'000))
      ->group(judging);
  add_machine_flags(command, flags);
}

void add_arena_init_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaAddCommand>();
  options->is_new = true;
  CLI::App* command = arena_command.add_subcommand(
      "init", "A new arena: samples, and every judge's judgment of each");
  add_pool_flags(*command, *options);
  command->footer(
      "Examples:\n  selene arena init a.db --samples answers.jsonl --judges judges.yaml\n"
      "  selene arena init a.db --samples answers.jsonl --judges default --judges "
      "http://localhost:8000/v1#qwen");
  command->callback([options, &exit_code] { exit_code = add(*options); });
}

void add_arena_add_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaAddCommand>();
  CLI::App* command = arena_command.add_subcommand("add", "More samples or judges for an arena");
  add_pool_flags(*command, *options);
  command->footer(
      "Examples:\n  selene arena add a.db --judges selene-1-mini\n"
      "  selene arena add a.db --samples more.jsonl --judges judges.yaml");
  command->callback([options, &exit_code] { exit_code = add(*options); });
}

}  // namespace selene::cli
