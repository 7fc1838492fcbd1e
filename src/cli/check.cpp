// `selene check`: several checks an answer, a threshold, and an exit code for CI.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "check/checks_file.h"
#include "check/compare.h"
#include "check/gate.h"
#include "check/report_text.h"
#include "check/reports.h"
#include "check/run_checks.h"
#include "cli/arguments.h"
#include "cli/check_flags.h"
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
#include "core/text.h"
#include "model/store.h"

namespace selene::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CheckCommand {
  std::string checks;
  std::string answers;
  std::vector<std::string> compare;  // Two sets of answers, in place of the two files.
  std::string criteria;
  std::string map;
  std::string human;
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
  selene check --compare old.csv new.csv                       which prompt or model answers better

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
  if (!judge::names_judge_file(flags.judge))  // A judge file says its own.
    fill(flags.settings.mode, "verdict");
  return flags;
}

void check_outputs(const CheckCommand& options) {
  std::vector<NamedFile> inputs{{"checks file", options.checks},
                                {"answers", options.answers},
                                {"baseline", options.baseline},
                                {"labels", options.human},
                                {"judge", options.judge.judge}};
  for (const std::string& file : options.compare) inputs.push_back({"answers", file});
  const std::pair<const char*, const std::string*> outputs[] = {{"--out", &options.out},
                                                                {"--junit", &options.junit},
                                                                {"--markdown", &options.markdown},
                                                                {"--html", &options.html}};
  for (const auto& [flag, file] : outputs) {
    if (file->empty()) continue;
    if (*file == "-") throw UsageError(fmt::format("{} needs a file, not '-'", flag));
    check_not_input(*file, inputs);
    inputs.push_back({flag, *file, /*is_made=*/true});
    output_target(*file, file == &options.out ? options.overwrite : true);
  }
}

void write_rows(const CheckCommand& options, std::string_view rows, RunRecord& record) {
  AtomicFile file(output_target(options.out, options.overwrite));
  file.append(rows);
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

// Whether this is the model that is there to try things out.
bool is_toy(const judge::Judge& judge) {
  return judge.name() == model::find_known_model("default")->name;
}

// What of the run is no judgment, for run.json.
struct Facts {
  Json judges = Json::array();
  std::int64_t ledger_hits = 0;
  std::int64_t ledger_misses = 0;
  bool exact = true;
  bool toy = false;  // Whether a judge was.

  void add(const judge::Judge& judge) {
    judges.push_back(judge::describe(judge));
    ledger_hits += judge.ledger_hits();
    ledger_misses += judge.ledger_misses();
    exact = exact && judge.exact();
    toy = toy || is_toy(judge);
  }
  void write(RunRecord& record) const {
    record.fields()["judges"] = judges;
    record.fields()["exact"] = exact;
    record.fields()["ledger"] = {{"found", ledger_hits}, {"not_found", ledger_misses}};
  }
};

// Shows progress from the first judgment on.
class JudgingProgress {
 public:
  explicit JudgingProgress(bool silent) : silent_(silent) {}

  void operator()(size_t judged, size_t total) {
    if (!progress_) {
      progress_.emplace(Progress::Options{
          .label = "judging", .unit = "judgments", .total = total, .silent = silent_});
    }
    progress_->set(judged);
  }
  void finish() {
    if (progress_) progress_->finish();
  }

 private:
  bool silent_;
  std::optional<Progress> progress_;
};

int report_interrupt(const CheckCommand& options) {
  std::fprintf(stderr, "interrupted; %s\n",
               options.judge.no_ledger ? "nothing is kept (--no-ledger)"
                                       : "what was judged is in the ledger, the same command "
                                         "again goes on from there");
  return kExitInterrupted;
}

check::RunOptions run_options(const CheckCommand& options, JudgingProgress& progress,
                              Facts& facts) {
  check::RunOptions run;
  run.open = [&](const check::JudgeChoice& choice) {
    return open_judge(judge_flags(options, choice));
  };
  run.skip_overlong = options.skip_overlong;
  run.stop = [] { return interrupted(); };
  run.progress = std::ref(progress);
  run.judged = [&](const judge::Judge& judge) { facts.add(judge); };
  return run;
}

std::string comparison_text(const check::Comparison& comparison, const CheckCommand& options) {
  std::string text = fmt::format(
      "A  {}\nB  {}\n\npairs in both orders: {}; A wins {}, B wins {}, ties {} (of them {} "
      "identical, else the orders disagree), {} without a verdict\n",
      printable(options.compare[0]), printable(options.compare[1]), comparison.rows.size(),
      comparison.a, comparison.b, comparison.ties, comparison.identical, comparison.unreadable);
  if (!comparison.b_rate) return text + "no pair is decided: cannot tell which is better\n";
  const stats::Estimate& rate = *comparison.b_rate;
  text += fmt::format(
      "of the {} decided pairs B wins {:.2f} [{:.2f}, {:.2f}]: ", comparison.a + comparison.b,
      rate.value, rate.interval.low, rate.interval.high);
  const std::string decision = comparison.decision();
  return text + (decision == "cannot tell" ? "cannot tell which is better\n"
                                           : fmt::format("B is {}\n", decision));
}

// Passes unless B is worse.
int run_compare(const CheckCommand& options) {
  RunRecord record("check");
  CheckCommand own = options;
  if (!own.judge.settings.order) own.judge.settings.order = "both";
  const JudgeFlags flags = judge_flags(own, {});
  check_judge_flags(flags);
  check_outputs(own);
  const check::ColumnMap map = read_map(own.map);
  const check::Answers a = check::read_answers(own.compare[0], map);
  const check::Answers b = check::read_answers(own.compare[1], map);
  Facts facts;
  JudgingProgress progress(own.quiet);
  const auto comparison =
      check::compare_answers(a, b, own.criteria, run_options(own, progress, facts));
  progress.finish();
  if (!comparison) return report_interrupt(own);
  if (!own.out.empty()) {
    record.fields()["answers_files"] = own.compare;
    facts.write(record);
    record.fields()["decision"] = check::summary_json(*comparison);
    std::string rows;
    for (const check::Comparison::Row& row : comparison->rows)
      rows += check::to_json(row).dump() + "\n";
    write_rows(own, rows, record);
  }
  put(own.format == "json" ? check::summary_json(*comparison).dump(2) + "\n"
                           : comparison_text(*comparison, own));
  return comparison->decision() == "worse" ? kExitGateFailed : kExitOk;
}

// What only the program knows.
void add_notes(const check::ChecksFile& checks, const std::optional<check::Baseline>& baseline,
               const Facts& facts, size_t stale_labels, check::Report& report) {
  if (stale_labels > 0) {
    report.notes.push_back(fmt::format(
        "labels of people that do not count, since the answer's text is another now: {}; label "
        "them again with selene check label",
        stale_labels));
  }
  if (baseline) {
    const std::string others = check::other_judges(baseline->judges, facts.judges);
    if (!others.empty()) report.notes.push_back(others);
  }
  bool judge_decides = checks.judged() > 0 && check::decides(report.overall);
  for (size_t c = 0; c < checks.checks.size(); ++c)
    judge_decides |= checks.checks[c].judged && check::decides(report.lines[c]);
  if (facts.toy && judge_decides) {
    report.notes.push_back(
        "the default judge, which is tiny and judges near chance, decides here; a real one: selene "
        "models pull selene-1-mini, then --judge selene-1-mini");
  }
}

void print_report(const CheckCommand& options, const check::Report& report) {
  const bool table = options.format != "json" && (!options.quiet || !report.passed);
  if (table) put(check_table(report, report::terminal(STDOUT_FILENO)));
  if (options.format == "json") {
    Json decision = check::summary_json(report);
    decision["failures"] = check::failures_json(report);
    put(decision.dump(2) + "\n");
  }
  if (table) return;
  for (const std::string& note : report.notes)
    std::fprintf(stderr, "note: %s\n", printable(note).c_str());
}

int run_check(const CheckCommand& options) {
  const auto start = std::chrono::steady_clock::now();
  RunRecord record("check");
  const check::ChecksFile checks = check::parse_checks(read_file(options.checks), options.checks);
  const check::Gate gate = merged_gate(options, checks);
  if (checks.judged() > 0) check_judge_flags(judge_flags(options, {checks.judge, "", ""}));
  check_outputs(options);
  const check::Answers answers = read_mapped_answers(options.answers, options.map, checks);
  std::optional<check::Baseline> baseline;
  if (!options.baseline.empty()) baseline = check::read_baseline(options.baseline, checks, answers);

  Facts facts;
  JudgingProgress progress(options.quiet);
  check::RunOptions run = run_options(options, progress, facts);
  check::LabelsFile people;
  if (!options.human.empty()) people = check::read_labels(options.human, checks, answers);
  run.people = people.labels;
  std::vector<check::AnswerResult> results;
  const bool done = check::run_checks(checks, answers, run, results);
  progress.finish();
  if (!done) return report_interrupt(options);

  check::Report report = check::decide(checks, answers, gate, baseline, std::move(results));
  add_notes(checks, baseline, facts, people.stale, report);
  if (!options.out.empty()) {
    Json& fields = record.fields();
    fields["checks_file"] = options.checks;
    fields["answers_file"] = options.answers;
    fields["checks"] = check::check_digests(checks);
    facts.write(record);
    fields["decision"] = check::summary_json(report);
    std::string rows;
    for (const check::AnswerResult& answer : report.answers)
      rows += check::to_json(answer, report.checks).dump() + "\n";
    write_rows(options, rows, record);
  }
  write_reports(options, report);
  print_report(options, report);
  if (!options.quiet) {
    flush_output();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::fprintf(
        stderr, "answers: %zu, checks: %zu, judged now: %lld, from the ledger: %lld, %.1f s\n",
        answers.answers.size(), checks.checks.size(), static_cast<long long>(facts.ledger_misses),
        static_cast<long long>(facts.ledger_hits), seconds.count());
  }
  return report.passed ? kExitOk : kExitGateFailed;
}

void check_usage(const CheckCommand& options) {
  if (options.github && options.format == "json")
    throw UsageError("--github prints beside a table, not beside --format json", "",
                     "leave out one of them");
  const bool files = !options.checks.empty() || !options.answers.empty();
  if (options.compare.empty()) {
    if (!options.criteria.empty())
      throw UsageError("--criteria is of --compare", "", "write criteria in the checks file");
    if (options.checks.empty() || options.answers.empty())
      throw UsageError("a checks file and an answers file are needed", "",
                       "selene check init ANSWERS writes a first checks file");
    return;
  }
  if (files) throw UsageError("--compare takes two sets of answers and no checks file");
  const std::tuple<bool, const char*> others[] = {
      {!options.baseline.empty(), "--baseline"},
      {!options.human.empty(), "--human"},
      {!options.junit.empty(), "--junit"},
      {!options.markdown.empty(), "--markdown"},
      {!options.html.empty(), "--html"},
      {options.github, "--github"},
      {options.gate.min_pass_rate.has_value(), "--min-pass-rate"},
      {options.on.has_value(), "--on"},
      {options.gate.max_drop.has_value(), "--max-drop"}};
  for (const auto& [given, flag] : others) {
    if (given) throw UsageError(fmt::format("{} is not of --compare", flag), "", "leave it out");
  }
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
      ->add_option("--compare", options->compare,
                   "Two sets of answers, A and B, in place of the files: judged pairwise in both "
                   "orders; exit 3 when B is worse")
      ->expected(2)
      ->check(not_empty());
  command->add_option("--criteria", options->criteria, "With --compare: what better means")
      ->check(not_empty());
  command
      ->add_option("--map", options->map,
                   "Your columns: input=question,response=answer [the checks file's `map`]")
      ->check(not_empty());
  command
      ->add_option("--human", options->human,
                   "Labels of people (selene check label): adds the judge's agreement with them")
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
  add_check_init_command(*command, exit_code);
  add_check_label_command(*command, exit_code);
  add_check_import_command(*command, exit_code);
  command->callback([command, options, &exit_code] {
    if (!command->get_subcommands().empty()) return;
    check_usage(*options);
    exit_code = options->compare.empty() ? run_check(*options) : run_compare(*options);
  });
  command->footer(kExamples);
}

}  // namespace selene::cli
