// `selene check`: several checks an answer, a threshold, and an exit code for CI.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "check/checks_file.h"
#include "check/gate.h"
#include "check/reports.h"
#include "check/run_checks.h"
#include "cli/arguments.h"
#include "cli/check_view.h"
#include "cli/commands.h"
#include "cli/judge_flags.h"
#include "cli/judge_output.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "core/run_record.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CheckCommand {
  std::string checks;
  std::string answers;
  std::string map;
  check::Gate gate;  // What flags say of it.
  std::optional<std::string> on;
  std::string baseline;
  JudgeFlags judge;
  bool skip_overlong = false;
  std::string out;
  bool overwrite = false;
  std::string junit;
  std::string markdown;
  std::string html;
  bool github = false;
  std::string format = "table";
  bool quiet = false;
};

constexpr const char* kExamples = R"(Examples:
  selene check init answers.csv > checks.yaml                  a first checks file, from the columns
  selene check checks.yaml answers.csv
  selene check checks.yaml answers.csv --map input=question,response=answer
  selene check checks.yaml answers.csv --min-pass-rate 0.9 --on lower
  selene check checks.yaml answers.csv --out now.jsonl         what a later run compares with:
  selene check checks.yaml answers.csv --baseline now.jsonl --max-drop 0.03
  selene check checks.yaml answers.csv --junit checks.xml --markdown comment.md --html checks.html

The checks file is described in docs/formats.md, CI in docs/ci.md.
Exit codes: 0 the gate passed, 3 it failed, 1 error, 2 wrong usage, 130 interrupted.)";

check::Gate merged_gate(const CheckCommand& options, const check::ChecksFile& checks) {
  check::Gate gate = checks.gate;
  if (options.gate.min_pass_rate) gate.min_pass_rate = options.gate.min_pass_rate;
  if (options.gate.max_drop) gate.max_drop = options.gate.max_drop;
  if (options.on) gate.on_lower = *options.on == "lower";
  if (gate.min_pass_rate) check::check_rate(*gate.min_pass_rate, gate.on_lower);
  for (const check::Check& check : checks.checks) {
    if (check.min_pass_rate) check::check_rate(*check.min_pass_rate, gate.on_lower);
  }
  if (options.gate.max_drop && options.baseline.empty())
    throw UsageError("--max-drop needs --baseline", "", "give the --out of an earlier run");
  return gate;
}

// The flags, over what the checks file says.
JudgeFlags judge_flags(const CheckCommand& options, const check::JudgeChoice& choice) {
  JudgeFlags flags = options.judge;
  if (flags.judge.empty()) flags.judge = choice.judge;
  const auto fill = [](std::optional<std::string>& flag, const std::string& own) {
    if (!flag && !own.empty()) flag = own;
  };
  fill(flags.settings.template_spec, choice.template_spec);
  fill(flags.settings.mode, choice.mode);
  const bool is_file = flags.judge.ends_with(".yaml") || flags.judge.ends_with(".yml");
  if (!is_file) fill(flags.settings.mode, "verdict");  // A judge file says its own.
  return flags;
}

check::Answers open_answers(const CheckCommand& options, const check::ChecksFile& checks) {
  check::ColumnMap map = checks.map;
  if (!options.map.empty()) {
    try {
      map = check::parse_map(options.map);
    } catch (const Error& failure) {
      throw UsageError(failure.message(), "--map", failure.remedy());
    }
  }
  check::Answers answers = check::read_answers(options.answers, map);
  check::check_columns(checks, answers);
  return answers;
}

void check_outputs(const CheckCommand& options) {
  const std::vector<NamedFile> inputs{{"checks file", options.checks},
                                      {"answers", options.answers},
                                      {"baseline", options.baseline},
                                      {"judge", options.judge.judge}};
  for (const std::string* file : {&options.out, &options.junit, &options.markdown, &options.html}) {
    if (file->empty()) continue;
    check_not_input(*file, inputs);
    output_target(*file, file == &options.out ? options.overwrite : true);
  }
}

void write_rows(const CheckCommand& options, const check::Report& report, RunRecord& record) {
  AtomicFile file(output_target(options.out, options.overwrite));
  for (const check::AnswerResult& answer : report.answers)
    file.append(check::to_json(answer, report.checks).dump() + "\n");
  record.write(options.out + ".run.json");
  file.commit(options.overwrite);
}

void write_reports(const CheckCommand& options, const check::Report& report) {
  const auto write = [&](const std::string& path, std::string (*make)(const check::Report&)) {
    if (!path.empty()) write_file_atomically(output_target(path, true), make(report));
  };
  write(options.junit, check::junit);
  write(options.markdown, check::markdown);
  write(options.html, check::html_page);
  if (options.github) put(check::github_annotations(report));
}

// What of the run is no judgment, for run.json.
struct Facts {
  Json judges = Json::array();
  std::int64_t ledger_hits = 0;
  std::int64_t ledger_misses = 0;
  bool exact = true;

  void add(const judge::Judge& judge) {
    judges.push_back(describe(judge));
    ledger_hits += judge.ledger_hits();
    ledger_misses += judge.ledger_misses();
    exact = exact && judge.exact();
  }
};

int run_check(const CheckCommand& options) {
  const auto start = std::chrono::steady_clock::now();
  RunRecord record("check");
  const check::ChecksFile checks = check::parse_checks(read_file(options.checks), options.checks);
  const check::Gate gate = merged_gate(options, checks);
  if (checks.judged() > 0) check_judge_flags(judge_flags(options, {checks.judge, "", ""}));
  check_outputs(options);
  const check::Answers answers = open_answers(options, checks);
  std::optional<check::Baseline> baseline;
  if (!options.baseline.empty()) baseline = check::read_baseline(options.baseline, checks, answers);

  Facts facts;
  std::optional<Progress> progress;  // From the first judgment on.
  std::vector<check::AnswerResult> results;
  const bool done =
      check::run_checks(checks, answers,
                        {.open =
                             [&](const check::JudgeChoice& choice) {
                               return open_judge(judge_flags(options, choice));
                             },
                         .skip_overlong = options.skip_overlong,
                         .stop = [] { return interrupted(); },
                         .progress =
                             [&](size_t judged, size_t total) {
                               if (!progress) {
                                 progress.emplace(Progress::Options{.label = "checking",
                                                                    .unit = "judgments",
                                                                    .total = total,
                                                                    .silent = options.quiet});
                               }
                               progress->set(judged);
                             },
                         .judged = [&](const judge::Judge& judge) { facts.add(judge); }},
                        results);
  if (progress) progress->finish();
  if (!done) {
    std::fprintf(stderr, "interrupted; %s\n",
                 options.judge.no_ledger ? "nothing is kept (--no-ledger)"
                                         : "what was judged is in the ledger, the same command "
                                           "again goes on from there");
    return kExitInterrupted;
  }

  const check::Report report = check::decide(checks, answers, gate, baseline, std::move(results));
  if (!options.out.empty()) {
    Json& fields = record.fields();
    fields["checks_file"] = options.checks;
    fields["answers_file"] = options.answers;
    fields["checks"] = check::check_digests(checks);
    fields["judges"] = facts.judges;
    fields["exact"] = facts.exact;
    fields["ledger"] = {{"found", facts.ledger_hits}, {"not_found", facts.ledger_misses}};
    fields["decision"] = check::summary_json(report);
    write_rows(options, report, record);
  }
  write_reports(options, report);
  if (options.format == "json") {
    put(check::summary_json(report).dump(2) + "\n");
  } else if (!options.quiet || !report.passed) {
    put(check_table(report, report::terminal(STDOUT_FILENO)));
  }
  if (!options.quiet) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::fprintf(
        stderr, "%zu answers, %zu checks, %lld judged now and %lld from the ledger, %.1f s\n",
        answers.answers.size(), checks.checks.size(), static_cast<long long>(facts.ledger_misses),
        static_cast<long long>(facts.ledger_hits), seconds.count());
  }
  return report.passed ? kExitOk : kExitGateFailed;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CheckCommand>();
  CLI::App* command =
      app.add_subcommand("check", "Gate a build: several checks an answer, thresholds, reports");
  command->add_option("CHECKS", options->checks, "Checks file (YAML)")->check(not_empty());
  command->add_option("ANSWERS", options->answers, "Answers: a .csv, .tsv or JSONL file")
      ->check(not_empty());
  command
      ->add_option("--map", options->map,
                   "Your columns: input=question,response=answer [the checks file's `map`]")
      ->check(not_empty());
  command->add_flag("--skip-overlong", options->skip_overlong,
                    "Answers that do not fit the judge count as without a verdict");
  const char* gate = "Decision";
  command
      ->add_option("--min-pass-rate", options->gate.min_pass_rate,
                   "Share of the answers that must pass [the checks file's; 1 where it has none]")
      ->check(number_from(0, 1))
      ->group(gate);
  command
      ->add_option("--on", options->on,
                   "What must reach it: the rate (point) or the lower end of its 95% interval "
                   "(lower) [point]")
      ->check(CLI::IsMember({"point", "lower"}))
      ->group(gate);
  command
      ->add_option("--baseline", options->baseline, "The --out of an earlier run, to compare with")
      ->check(not_empty())
      ->group(gate);
  command
      ->add_option("--max-drop", options->gate.max_drop,
                   "How far the pass rate may fall below the baseline's")
      ->check(number_from(0, 1))
      ->group(gate);
  const char* output = "Output";
  command->add_option("--out", options->out, "JSONL file, a row an answer; OUT.run.json beside it")
      ->check(not_empty())
      ->group(output);
  command->add_flag("--overwrite", options->overwrite, "Replace OUT")->group(output);
  command->add_option("--junit", options->junit, "JUnit XML file")
      ->check(not_empty())
      ->group(output);
  command->add_option("--markdown", options->markdown, "Markdown file, for a pull request")
      ->check(not_empty())
      ->group(output);
  command->add_option("--html", options->html, "Page to read failures with, one offline file")
      ->check(not_empty())
      ->group(output);
  command->add_flag("--github", options->github, "Print GitHub annotations too")->group(output);
  command->add_option("--format", options->format, "table, or json: the decision")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->group(output);
  command
      ->add_flag("--quiet", options->quiet, "No progress and no summary; no table where it passes")
      ->group(output);
  add_judge_flags(*command, options->judge, "verdict");
  add_check_import_command(*command, exit_code);
  command->callback([command, options, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    if (options->checks.empty() || options->answers.empty())
      throw UsageError("a checks file and an answers file are needed", "",
                       "selene check init ANSWERS writes a first checks file");
    exit_code = run_check(*options);
  });
  command->footer(kExamples);
}

}  // namespace selene::cli
