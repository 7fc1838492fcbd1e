// `selene judge`: samples from a file, standard input or flags; one judgment a row, in order.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/judge_flags.h"
#include "cli/judge_view.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/lock.h"
#include "core/progress.h"
#include "core/run_record.h"
#include "data/input_rows.h"
#include "data/row_output.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Judged as one batch, so that prefixes can be shared. Without a ledger it is what an interrupt can
// lose.
constexpr size_t kWindow = 1024;
constexpr size_t kWindowWithoutLedger = 64;

struct JudgeCommand {
  JudgeFlags judge;
  std::string input_file;
  std::string task, input, context, response, response_a, response_b, reference, criteria, labels;
  std::string out;
  bool overwrite = false;
  bool skip_overlong = false;
  bool quiet = false;
  std::string format;
};

struct Counts {
  size_t rows = 0;
  size_t kept = 0;  // From an earlier run.
  size_t judged = 0;
  size_t unreadable = 0;
  size_t skipped = 0;
  size_t truncated = 0;
};

constexpr const char* kExamples = R"(Examples:
  selene judge examples/answers.jsonl                          a table on a terminal, JSONL in a pipe
  selene judge answers.jsonl --out judgments.jsonl             goes on where a killed run stopped
  selene judge pairs.jsonl --order both --mode verdict --out judgments.jsonl
  selene judge --task absolute --input "Name a prime." --response 4 --criteria "Is it right?"
  selene judge --task classification --labels "safe,unsafe" --input "…" --response "…"
  generate | selene judge - --judge selene-1-mini --format jsonl > judgments.jsonl

Rows are JSON objects, one a line: task, input, response (or response_a and response_b), and more (docs/formats.md).
A flag such as --criteria replaces that field in every row.)";

std::vector<std::string> split_labels(const std::string& text) {
  std::vector<std::string> labels;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t comma = std::min(text.find(',', start), text.size());
    labels.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return labels;
}

// The flags that are fields of a row. A flag that was given counts, also an empty one (--response
// "").
Json row_fields(const CLI::App& command, const JudgeCommand& options) {
  Json fields = Json::object();
  const std::pair<const char*, const std::string&> texts[] = {{"task", options.task},
                                                              {"input", options.input},
                                                              {"context", options.context},
                                                              {"response", options.response},
                                                              {"response_a", options.response_a},
                                                              {"response_b", options.response_b},
                                                              {"reference", options.reference},
                                                              {"criteria", options.criteria}};
  for (const auto& [name, value] : texts) {
    std::string flag = std::string("--") + name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (command.count(flag) > 0) fields[name] = value;
  }
  if (command.count("--labels") > 0) fields["labels"] = split_labels(options.labels);
  return fields;
}

data::InputRows open_input(const CLI::App& command, const JudgeCommand& options) {
  Json fields = row_fields(command, options);
  if (!options.input_file.empty()) return data::InputRows(options.input_file, std::move(fields));
  if (!fields.contains("input")) {
    throw UsageError("nothing to judge", "",
                     "give a JSONL file, - for standard input, or --task, --input and --response");
  }
  return data::InputRows(std::move(fields));
}

JudgeView::Style view_style(const JudgeCommand& options) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const bool critique = options.judge.settings.mode.value_or("critique") == "critique";
  if (options.format == "jsonl") return JudgeView::Style::Jsonl;
  if (options.format.empty() && (!options.out.empty() || options.quiet))
    return JudgeView::Style::None;
  if (options.input_file.empty() && (terminal || options.format == "table")) {
    return terminal && critique ? JudgeView::Style::Stream : JudgeView::Style::Card;
  }
  if (options.format.empty() && !terminal) return JudgeView::Style::Jsonl;
  return terminal && critique ? JudgeView::Style::Stream : JudgeView::Style::Table;
}

std::string overlong_reason(const judge::Judge::Fit& fit) {
  return fmt::format("overlong: {} tokens, the context has {}", fit.tokens, fit.limit);
}

// Refuses the run before a model is loaded when a template cannot be filled from a sample.
void check_templates(const judge::Judge& judge, const data::InputRows& input) {
  data::InputRows::Reader reader(input);
  for (auto samples = reader.next(kWindow); !samples.empty(); samples = reader.next(kWindow)) {
    for (size_t i = 0; i < samples.size(); ++i) {
      try {
        judge.check({&samples[i], 1});
      } catch (const Error& failure) {
        throw failure.at(reader.place(i));
      }
    }
  }
}

// Refuses the run before the first judgment when a sample does not fit, unless they are to be
// skipped.
size_t check_lengths(judge::Judge& judge, const data::InputRows& input, size_t kept, bool skip) {
  size_t overlong = 0;
  std::string first;
  data::InputRows::Reader reader(input);
  reader.skip(kept);
  for (auto samples = reader.next(kWindow); !samples.empty(); samples = reader.next(kWindow)) {
    for (size_t i = 0; i < samples.size(); ++i) {
      const judge::Judge::Fit fit = judge.fit({&samples[i], 1}).front();
      if (fit.fits()) continue;
      if (overlong++ == 0) {
        first = fmt::format("{} needs {} tokens with its critique, the context has {}",
                            reader.place(i), fit.tokens, fit.limit);
      }
    }
    if (interrupted()) throw Error("interrupted before the first judgment");
  }
  if (overlong > 0 && !skip) {
    throw Error(
        fmt::format("{} sample{} too long for the judge: {}", overlong,
                    overlong == 1 ? " is" : "s are", first),
        "", "give --skip-overlong to go on without them, a smaller --max-tokens, or another model");
  }
  return overlong;
}

// Passes judgments on in the order of rows as soon as the order allows; each counts as progress at
// once.
class InOrder {
 public:
  InOrder(size_t first_row, Progress& progress,
          std::function<void(size_t, const data::Judgment&)> pass)
      : next_(first_row), progress_(progress), pass_(std::move(pass)) {}

  void add(size_t row, data::Judgment judgment) {
    waiting_.emplace(row, std::move(judgment));
    for (auto it = waiting_.find(next_); it != waiting_.end(); it = waiting_.find(next_)) {
      pass_(next_++, it->second);
      waiting_.erase(it);
    }
    progress_.add(1);
  }
  size_t next() const { return next_; }

 private:
  size_t next_;
  Progress& progress_;
  std::function<void(size_t, const data::Judgment&)> pass_;
  std::map<size_t, data::Judgment> waiting_;
};

// With --no-ledger, what is finished before its turn to be written is kept in a ledger beside the
// output, so that an interrupt or a kill loses none of it; it goes away with the run's end.
class ScratchLedger {
 public:
  explicit ScratchLedger(const JudgeCommand& options) : path_(options.out + ".part.ledger") {
    if (options.overwrite && !options.out.empty()) remove();
  }
  // For the judge's flags.
  const std::string& path() const { return path_; }
  void remove() const {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }

 private:
  std::string path_;
};

void count(const data::Judgment& judgment, bool skipped, Counts& counts) {
  ++counts.judged;
  if (skipped) {
    ++counts.skipped;
    --counts.judged;
  } else if (!judgment.label) {
    ++counts.unreadable;
  }
  for (const std::string& flag : judgment.flags) counts.truncated += flag == "truncated" ? 1 : 0;
}

// Judges all rows after those kept; stops early when interrupted. Returns how many rows are done.
size_t judge_rows(judge::Judge& judge, const data::InputRows& input, bool has_overlong,
                  InOrder& rows, JudgeView& view, Counts& counts) {
  const size_t window_rows = judge.has_ledger() ? kWindow : kWindowWithoutLedger;
  data::InputRows::Reader reader(input);
  reader.skip(counts.kept);
  size_t first = counts.kept;
  for (auto window = reader.next(window_rows); !window.empty() && !interrupted();
       window = reader.next(window_rows)) {
    std::vector<data::Sample> samples;
    std::vector<size_t> places;
    for (size_t i = 0; i < window.size(); ++i) {
      const judge::Judge::Fit fit =
          has_overlong ? judge.fit({&window[i], 1}).front() : judge::Judge::Fit{};
      if (!fit.fits()) {
        rows.add(first + i, judge.not_judged(window[i], overlong_reason(fit)));
      } else {
        samples.push_back(std::move(window[i]));
        places.push_back(first + i);
      }
    }
    judge.judge(samples, {
                             .judgment =
                                 [&](size_t sample, data::Judgment judgment) {
                                   rows.add(places[sample], std::move(judgment));
                                 },
                             .text =
                                 [&](size_t sample, size_t part, std::string_view piece) {
                                   view.text(places[sample], samples[sample].id, part, piece);
                                 },
                             .stop = [] { return interrupted(); },
                         });
    first += window.size();
  }
  return rows.next();
}

void print_summary(const Counts& counts, std::int64_t ledger_hits, double seconds) {
  std::string text =
      fmt::format("{} row{}: {} judged, {} unreadable, {} skipped", counts.rows,
                  counts.rows == 1 ? "" : "s", counts.judged, counts.unreadable, counts.skipped);
  if (counts.truncated > 0)
    text += fmt::format(", {} with a critique cut at --max-tokens", counts.truncated);
  if (counts.kept > 0) text += fmt::format(", {} from before", counts.kept);
  if (ledger_hits > 0)
    text += fmt::format(", {} request{} known from the ledger", ledger_hits,
                        ledger_hits == 1 ? "" : "s");
  std::fprintf(stderr, "%s; %.1f s\n", text.c_str(), seconds);
}

void print_default_judge_note(const judge::Judge& judge) {
  const std::string model = lock_value("smollm2-135m-instruct", "q8_0_sha256");
  const auto uses_it = [&](const judge::Member& member) {
    return judge.engine_of(member).id().model == model;
  };
  if (!std::any_of(judge.members().begin(), judge.members().end(), uses_it)) return;
  std::fputs(
      "note: this 135M model shows the machinery and judges near chance (.52 of RewardBench pairs, "
      "the same position in "
      "84% of them); for real use: selene models pull selene-1-mini\n",
      stderr);
}

Json counters_json(const engine::Counters& counters) {
  return {{"prompt_tokens", counters.prompt_tokens},
          {"prompt_tokens_computed", counters.prompt_tokens_computed},
          {"scoring_tokens_computed", counters.scoring_tokens_computed},
          {"repeated_tokens_computed", counters.repeated_tokens_computed},
          {"generated_tokens", counters.generated_tokens},
          {"prefill_s", counters.prefill_s},
          {"decode_s", counters.decode_s},
          {"scoring_s", counters.scoring_s}};
}

int run_with_judge(judge::Judge judge, const data::InputRows& input, const JudgeCommand& options,
                   Counts counts, RunRecord& record, Clock::time_point start) {
  check_templates(judge, input);
  const Json work = {{"command", "judge"},
                     {"input_sha256", input.digest()},
                     {"skip_overlong", options.skip_overlong},
                     {"judge", describe(judge)}};
  std::optional<data::RowOutput> output;
  if (!options.out.empty()) output.emplace(options.out, work, options.overwrite);
  counts.kept = output ? output->rows_kept() : 0;
  if (counts.kept > 0)
    std::fprintf(stderr, "going on after %zu rows in %s\n", counts.kept,
                 output->part_path().c_str());
  const size_t overlong = check_lengths(judge, input, counts.kept, options.skip_overlong);

  JudgeView view(view_style(options));
  const bool talks = view_style(options) == JudgeView::Style::Stream;
  Progress progress({.label = "judging", .total = counts.rows, .silent = options.quiet || talks});
  progress.resume_from(counts.kept);
  InOrder rows(counts.kept, progress, [&](size_t row, const data::Judgment& judgment) {
    if (output) output->append(data::to_json(judgment));
    count(judgment, judgment.unreadable.starts_with("overlong:"), counts);
    progress.clear();
    view.judgment(row, judgment);
  });
  const auto judging_start = Clock::now();
  const size_t done = judge_rows(judge, input, overlong > 0, rows, view, counts);
  progress.finish();
  if (done < counts.rows) {
    if (output) output->sync();
    std::fprintf(stderr, "interrupted: %zu of %zu rows are done%s\n", done, counts.rows,
                 output
                     ? fmt::format(" and kept in {}, what is finished of later ones too; the same "
                                   "command again goes on from there",
                                   output->part_path().string())
                           .c_str()
                     : "; give --out FILE to keep them");
    return kExitInterrupted;
  }
  if (output) {
    record.fields()["input"] = input.name();
    record.fields()["work"] = work;
    record.fields()["counts"] = {{"rows", counts.rows},
                                 {"judged", counts.judged},
                                 {"unreadable", counts.unreadable},
                                 {"skipped", counts.skipped},
                                 {"truncated", counts.truncated},
                                 {"from_before", counts.kept}};
    record.fields()["ledger"] = {{"found", judge.ledger_hits()},
                                 {"not_found", judge.ledger_misses()}};
    record.fields()["engine"] = counters_json(judge.counters());
    record.fields()["judging_s"] = seconds_since(judging_start);
    output->finish(record);
  }
  if (!options.quiet) {
    print_summary(counts, judge.ledger_hits(), seconds_since(start));
    print_default_judge_note(judge);
  }
  return kExitOk;
}

int run_judge(const CLI::App& command, const JudgeCommand& options) {
  const auto start = Clock::now();
  RunRecord record("judge");
  if (!options.out.empty()) data::RowOutput::check_new(options.out, options.overwrite);
  const data::InputRows input = open_input(command, options);
  Counts counts;
  counts.rows = input.check_all();
  JudgeFlags flags = options.judge;
  const ScratchLedger scratch(options);
  if (flags.no_ledger && !options.out.empty()) {
    flags.no_ledger = false;
    flags.ledger = scratch.path();
  }
  const int exit_code = run_with_judge(open_judge(flags), input, options, counts, record, start);
  if (exit_code == kExitOk && !options.out.empty()) scratch.remove();
  return exit_code;
}

}  // namespace

void add_judge_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<JudgeCommand>();
  CLI::App* command = app.add_subcommand(
      "judge", "Judge answers: critique, verdict and a probability for every label");
  command->footer(kExamples);
  command->add_option("FILE", options->input_file, "Samples as JSONL, or - for standard input");
  const char* one = "One sample, or a field of every row";
  command
      ->add_option("--task", options->task,
                   "absolute (a score), classification (Yes/No) or pairwise (A/B)")
      ->check(CLI::IsMember({"absolute", "classification", "pairwise"}))
      ->group(one);
  command->add_option("--input", options->input, "What the response answers")->group(one);
  command->add_option("--context", options->context, "Given with the input")->group(one);
  command->add_option("--response", options->response, "What is judged")->group(one);
  command->add_option("--response-a", options->response_a, "Pairwise: the first response")
      ->group(one);
  command->add_option("--response-b", options->response_b, "Pairwise: the second")->group(one);
  command->add_option("--reference", options->reference, "A known good answer")->group(one);
  command->add_option("--criteria", options->criteria, "The question asked of the response")
      ->group(one);
  command
      ->add_option("--labels", options->labels,
                   "Allowed labels, with commas between: 1,2,3 or safe,unsafe")
      ->group(one);
  add_judge_flags(*command, options->judge);
  const char* output = "Output";
  command
      ->add_option("--out", options->out,
                   "JSONL file; FILE.run.json beside it says how it was made")
      ->group(output);
  command
      ->add_flag("--overwrite", options->overwrite, "Start anew even if the output file is there")
      ->group(output);
  command
      ->add_flag("--skip-overlong", options->skip_overlong,
                 "Leave samples that do not fit unjudged, and count them")
      ->group(output);
  command
      ->add_option("--format", options->format,
                   "To standard output: table (default on a terminal) or jsonl")
      ->check(CLI::IsMember({"table", "jsonl"}))
      ->group(output);
  command->add_flag("--quiet", options->quiet, "No progress, no summary")->group(output);
  command->callback([command, options, &exit_code] { exit_code = run_judge(*command, *options); });
}

}  // namespace selene::cli
