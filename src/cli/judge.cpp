// `selene judge`: samples from a file, standard input or flags; one judgment a row, in order.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/judge_flags.h"
#include "cli/judge_input.h"
#include "cli/judge_output.h"
#include "cli/judge_view.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/lock.h"
#include "core/progress.h"
#include "core/run_record.h"
#include "data/in_order.h"
#include "data/input_rows.h"
#include "data/row_output.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Rows judged as one batch, so that prefixes can be shared; fewer where each is shown in its turn.
constexpr size_t kWindow = 1024;
constexpr size_t kShownWindow = 64;

struct JudgeCommand {
  JudgeFlags judge;
  RowFlags rows;
  std::string out;
  bool overwrite = false;
  bool skip_overlong = false;
  bool quiet = false;
  std::string format;
};

// What the steps of a run share.
struct Run {
  const JudgeCommand& options;
  const data::InputRows& input;
  judge::Judge& judge;
  data::RowOutput* output;  // Null without --out.
  Counts counts;
  bool has_overlong = false;
};

constexpr const char* kExamples = R"(Examples:
  selene judge examples/answers.jsonl                          critiques on a terminal, JSONL in a pipe
  selene judge answers.jsonl --out judgments.jsonl             goes on where a killed run stopped
  selene judge pairs.jsonl --order both --mode verdict --out judgments.jsonl
  selene judge --task absolute --input "Name a prime." --response 4 --criteria "Is it right?"
  selene judge --task classification --labels "safe,unsafe" --input "…" --response "…"
  generate | selene judge - --judge selene-1-mini --format jsonl > judgments.jsonl

Rows are JSON objects, one a line: task, input, response (or response_a and response_b), and more (docs/formats.md).
A flag such as --criteria replaces that field in every row.)";

// Null without --out.
std::unique_ptr<data::RowOutput> open_output(const JudgeCommand& options) {
  if (options.out.empty() || options.out == "-") return nullptr;
  const JudgeFlags& judge = options.judge;
  std::vector<NamedFile> inputs{
      {"input", options.rows.file == "-" ? "/dev/stdin" : options.rows.file},
      {"judge", judge.judge},
      {"template", judge.settings.template_spec.value_or("")},
      {"adapter", judge.settings.adapter.value_or("")},
      {"chat template", judge.settings.chat_template.value_or("")},
      {"key file", judge.settings.key_file.value_or("")}};
  if (!judge.no_ledger) {
    inputs.push_back({"ledger", ledger_path(judge), /*is_made=*/true});
  }
  check_not_input(options.out, inputs);
  return std::make_unique<data::RowOutput>(options.out, options.overwrite);
}

bool writes_critiques(const judge::Judge& judge) {
  return std::any_of(
      judge.members().begin(), judge.members().end(),
      [](const judge::Member& member) { return member.policy.mode == judge::Mode::Critique; });
}

JudgeView::Style view_style(const JudgeCommand& options, const judge::Judge& judge) {
  const auto row_style =
      options.rows.file.empty() ? JudgeView::Style::Card : JudgeView::Style::Table;
  if (options.format == "jsonl") return JudgeView::Style::Jsonl;
  if (options.format == "table") return row_style;
  if (!options.out.empty() && options.out != "-") return JudgeView::Style::None;
  if (::isatty(STDOUT_FILENO) != 1) return JudgeView::Style::Jsonl;
  return writes_critiques(judge) ? JudgeView::Style::Stream : row_style;
}

std::string overlong_reason(const judge::Fit& fit) {
  return fmt::format("overlong: {} tokens, the context has {}", fit.tokens, fit.limit);
}

// Refuses the run before a model is loaded when a template cannot be filled from a sample. Warns of
// an --order that changes nothing.
void check_templates(const Run& run) {
  bool pairwise = false;
  data::InputRows::Reader reader(run.input);
  for (auto samples = reader.next(kWindow); !samples.empty(); samples = reader.next(kWindow)) {
    for (size_t i = 0; i < samples.size(); ++i) {
      pairwise = pairwise || samples[i].task == data::Task::Pairwise;
      try {
        run.judge.check({&samples[i], 1});
      } catch (const Error& failure) {
        throw_row_error(failure, reader.place(i), run.options.rows);
      }
    }
  }
  if (!pairwise && run.options.judge.settings.order == "both")
    std::fputs("warning: --order both changes nothing: no row is pairwise\n", stderr);
}

// Goes on after the rows that an earlier run of this work has left.
void resume(Run& run, const Json& work) {
  if (run.output == nullptr) return;
  run.output->begin(work);
  if (const auto wrong =
          count_kept(run.output->part_path(), run.output->rows_kept(), run.input, run.counts)) {
    run.output->drop_rows(*wrong);
    run.counts = {.rows = run.counts.rows};
  }
  if (run.counts.kept > 0 && !run.options.quiet) {
    std::fprintf(stderr, "going on after %zu row%s in %s\n", run.counts.kept,
                 run.counts.kept == 1 ? "" : "s", run.output->part_path().c_str());
  }
}

// Refuses the run before the first judgment when a sample does not fit, unless they are to be
// skipped.
void check_lengths(Run& run) {
  const bool critiques = writes_critiques(run.judge);
  size_t overlong = 0;
  std::string first;
  Progress progress(
      {.label = "checking lengths", .total = run.counts.rows, .silent = run.options.quiet});
  progress.resume_from(run.counts.kept);
  data::InputRows::Reader reader(run.input);
  reader.skip(run.counts.kept);
  for (auto samples = reader.next(kWindow); !samples.empty(); samples = reader.next(kWindow)) {
    for (size_t i = 0; i < samples.size(); ++i) {
      if (interrupted())
        throw Error("interrupted before the first judgment", "", "run the same command again");
      const judge::Fit fit = run.judge.fit({&samples[i], 1}).front();
      progress.add(1);
      if (fit.fits()) continue;
      if (overlong++ == 0) {
        const bool flags = run.options.rows.file.empty();
        first = fmt::format("{} needs {} tokens or more{}, the context has {}",
                            flags ? "it" : reader.place(i), fit.tokens,
                            critiques ? " with its critique" : "", fit.limit);
      }
    }
  }
  progress.finish();
  if (overlong > 0 && !run.options.skip_overlong) {
    throw Error(fmt::format("{} sample{} too long for the judge: {}", overlong,
                            overlong == 1 ? " is" : "s are", first),
                "",
                fmt::format("give --skip-overlong to go on without them,{} or another model",
                            critiques ? " a smaller --max-tokens," : ""));
  }
  run.has_overlong = overlong > 0;
}

// Judges all rows after those kept; stops early when interrupted.
void judge_rows(Run& run, data::InOrder& rows, Progress& progress, JudgeView& view) {
  const size_t window_rows = run.output != nullptr ? kWindow : kShownWindow;
  data::InputRows::Reader reader(run.input);
  reader.skip(run.counts.kept);
  size_t first = run.counts.kept;
  const auto add = [&](size_t row, data::Judgment judgment) {
    rows.add(row, std::move(judgment));
    progress.add(1);
  };
  for (auto window = reader.next(window_rows); !window.empty() && !interrupted();
       window = reader.next(window_rows)) {
    std::vector<data::Sample> samples;
    std::vector<size_t> places;
    for (size_t i = 0; i < window.size(); ++i) {
      const judge::Fit fit =
          run.has_overlong ? run.judge.fit({&window[i], 1}).front() : judge::Fit{};
      if (!fit.fits()) {
        add(first + i, run.judge.not_judged(window[i], overlong_reason(fit)));
      } else {
        samples.push_back(std::move(window[i]));
        places.push_back(first + i);
      }
    }
    run.judge.judge(samples, {
                                 .judgment =
                                     [&](size_t sample, data::Judgment judgment) {
                                       add(places[sample], std::move(judgment));
                                     },
                                 .text =
                                     [&](size_t sample, size_t part, std::string_view piece) {
                                       view.text(places[sample], samples[sample].id, part, piece);
                                     },
                                 .stop = [] { return interrupted(); },
                             });
    first += window.size();
  }
}

// Judges, writes and shows.
void judge_all(Run& run) {
  const JudgeView::Style style = view_style(run.options, run.judge);
  JudgeView view(style);
  Progress progress({.label = "judging",
                     .total = run.counts.rows,
                     .silent = run.options.quiet || style == JudgeView::Style::Stream});
  progress.resume_from(run.counts.kept);
  data::InOrder rows(run.counts.kept, [&](size_t row, const data::Judgment& judgment) {
    const Json written = data::to_json(judgment);
    if (run.output != nullptr) run.output->append(written);
    run.counts.add(written);
    progress.clear();
    view.judgment(row, judgment);
  });
  judge_rows(run, rows, progress, view);
  progress.finish();
  view.stop();
}

void print_default_judge_note(const judge::Judge& judge) {
  const std::string model = lock_value("smollm2-135m-instruct", "q8_0_sha256");
  const auto uses_it = [&](const judge::Member& member) {
    return judge.engine_of(member).id().model == model;
  };
  if (!std::any_of(judge.members().begin(), judge.members().end(), uses_it)) return;
  std::fputs(
      "note: this 135M model shows the machinery and judges near chance (.49 of RewardBench pairs, "
      "the same position in 98% of them); for real use: selene models pull selene-1-mini\n",
      stderr);
}

void finish_output(const Run& run, const Json& work, double judging_s, RunRecord& record) {
  record.fields()["input"] = run.input.name();
  record.fields()["work"] = work;
  record.fields()["exact"] = run.judge.exact();
  record.fields()["counts"] = to_json(run.counts);
  record.fields()["ledger"] = {{"found", run.judge.ledger_hits()},
                               {"not_found", run.judge.ledger_misses()}};
  record.fields()["engine"] = to_json(run.judge.counters());
  const std::vector<engine::ServerUse> servers = run.judge.servers();
  if (!servers.empty()) record.fields()["servers"] = to_json(servers);
  record.fields()["judging_s"] = judging_s;
  run.output->finish(record);
}

int report_interrupt(const Run& run) {
  if (run.output != nullptr) run.output->sync();
  std::fprintf(stderr, "%s\n",
               interrupt_message(run.counts, run.output, run.judge.has_ledger()).c_str());
  return kExitInterrupted;
}

int run_judge(const CLI::App& command, const JudgeCommand& options) {
  const auto start = Clock::now();
  RunRecord record("judge");
  JudgeFlags flags = options.judge;
  check_judge_flags(flags);
  const auto output = open_output(options);
  const data::InputRows input = open_rows(command, options.rows);
  const size_t rows = check_rows(input, options.rows);

  std::optional<ScratchLedger> scratch;
  if (output != nullptr && flags.no_ledger) {
    scratch.emplace(*output);
    flags.no_ledger = false;
    flags.ledger = scratch->path();
  }
  judge::Judge judge = open_judge(flags);
  Run run{options, input, judge, output.get(), {.rows = rows}};
  check_templates(run);
  const Json work = {{"command", "judge"},
                     {"input_sha256", input.digest()},
                     {"skip_overlong", options.skip_overlong},
                     {"judge", judge::describe(judge)}};
  resume(run, work);
  check_lengths(run);

  if (scratch) scratch->keep(true);
  const auto judging_start = Clock::now();
  judge_all(run);
  if (run.counts.done() < rows && interrupted()) return report_interrupt(run);
  if (run.counts.done() != rows) {
    throw Error("the input changed while it was read", input.name(),
                "leave it as it is during a run, and run the same command again");
  }
  if (output != nullptr) finish_output(run, work, seconds_since(judging_start), record);
  if (scratch) scratch->keep(false);
  if (!options.quiet) {
    std::fprintf(stderr, "%s\n",
                 summary(run.counts, judge.ledger_hits(), seconds_since(start)).c_str());
    print_default_judge_note(judge);
  }
  return kExitOk;
}

}  // namespace

void add_judge_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<JudgeCommand>();
  CLI::App* command = app.add_subcommand(
      "judge", "Judge answers: critique, verdict and a probability for every label");
  command->footer(kExamples);
  add_row_flags(*command, options->rows);
  add_judge_flags(*command, options->judge);
  const char* output = "Output";
  command
      ->add_option(
          "--out", options->out,
          "JSONL file in a folder that is there; OUT.run.json beside it says how it was made. -: "
          "standard output")
      ->check(not_empty())
      ->group(output);
  command
      ->add_flag(
          "--overwrite", options->overwrite,
          "Replace OUT, or OUT.part of other work. The same work still goes on from OUT.part")
      ->group(output);
  command
      ->add_flag("--skip-overlong", options->skip_overlong,
                 "Leave samples that do not fit unjudged, and count them")
      ->group(output);
  command
      ->add_option("--format", options->format,
                   "To standard output: table (one sample: a card) or jsonl. Default: jsonl in a "
                   "pipe; on a terminal each critique as it is written, or the table in verdict "
                   "mode; nothing with --out")
      ->check(CLI::IsMember({"table", "jsonl"}))
      ->group(output);
  command
      ->add_flag("--quiet", options->quiet, "No progress, no summary; judgments are still printed")
      ->group(output);
  command->callback([command, options, &exit_code] { exit_code = run_judge(*command, *options); });
}

}  // namespace selene::cli
