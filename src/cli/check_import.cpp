// `selene check import`: a promptfoo configuration as a checks file and answers.
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "check/promptfoo.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/judge_flags.h"
#include "cli/judge_output.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "core/text.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxTokens = 512;  // Of a generated answer.

struct ImportCommand {
  std::string config;
  std::string out;
  std::string results;
  std::string provider;
  JudgeFlags generate;
  bool overwrite = false;
  bool quiet = false;
};

constexpr const char* kExamples = R"(Examples:
  selene check import promptfooconfig.yaml --out checks
  selene check import promptfooconfig.yaml --out checks --results results.json
  selene check import promptfooconfig.yaml --out checks --results results.json --provider openai:gpt-4.1
  selene check import promptfooconfig.yaml --out checks --generate default
  selene check checks/checks.yaml checks/answers.jsonl

Answers come from --results (what promptfoo eval -o results.json wrote), else from a test's providerOutput, else from
the provider echo, else from --generate. What does not carry over is named on standard error and at the end of
checks.yaml. docs/from-promptfoo.md says what becomes of what.)";

check::PromptfooImport read_config(const ImportCommand& options) {
  std::optional<check::PromptfooResults> results;
  if (!options.results.empty()) {
    results = check::read_promptfoo_results(read_file(options.results), options.results,
                                            options.provider);
  }
  const std::string config = read_file(options.config);
  const fs::path folder = fs::path(options.config).parent_path();
  return check::import_promptfoo(
      {.config = config,
       .name = options.config,
       .results = results ? &*results : nullptr,
       .read = [&](const fs::path& name) { return read_file(folder / name); }});
}

void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    throw Error(fmt::format("cannot make the folder: {}", failure.message()), folder.string());
}

// Answers what has no response yet; false when interrupted.
bool generate(const ImportCommand& options, check::PromptfooImport& made) {
  const size_t missing = made.unanswered();
  if (missing == 0) return true;
  JudgeFlags flags = options.generate;
  flags.no_ledger = true;
  judge::Judge judge = open_judge(flags);
  Progress progress(
      {.label = "generating", .unit = "answers", .total = missing, .silent = options.quiet});
  std::vector<engine::Request> requests;
  std::vector<size_t> rows;
  for (size_t i = 0; i < made.answers.size(); ++i) {
    if (made.answers[i].contains("response")) continue;
    engine::Request request;
    request.messages = {{"user", made.answers[i].at("input").get<std::string>()}};
    request.max_tokens = kMaxTokens;
    requests.push_back(std::move(request));
    rows.push_back(i);
  }
  size_t cut = 0;
  size_t done = 0;
  engine::Events events;
  events.stop = [] { return interrupted(); };
  events.results = [&](std::span<engine::Completed> completed) {
    for (const engine::Completed& one : completed) {
      auto& row = made.answers[rows[one.request]];
      if (!one.result.unreadable.empty()) {
        throw Error(fmt::format("no answer to {}: {}", row.at("id").get<std::string>(),
                                one.result.unreadable),
                    options.config);
      }
      row["response"] = one.result.text;
      if (one.result.truncated) ++cut;
      ++done;
    }
    progress.set(done);
  };
  judge.run(judge.members().front(), requests, events);
  if (done < requests.size()) return false;
  progress.finish();
  if (cut > 0 && !options.quiet)
    fmt::print(stderr, "{} of the answers were cut at {} tokens\n", cut, kMaxTokens);
  return true;
}

void write_files(const ImportCommand& options, const check::PromptfooImport& made,
                 const fs::path& checks, const fs::path& answers) {
  AtomicFile checks_file(output_target(checks, options.overwrite));
  checks_file.append(made.checks);
  AtomicFile answers_file(output_target(answers, options.overwrite));
  for (const auto& row : made.answers) answers_file.append(row.dump() + "\n");
  answers_file.commit(options.overwrite);
  checks_file.commit(options.overwrite);
}

int run_import(const ImportCommand& options) {
  if (!options.provider.empty() && options.results.empty())
    throw UsageError("--provider needs --results", "", "it says whose results to take");
  if (!options.generate.judge.empty()) check_judge_flags(options.generate);
  const fs::path checks = fs::path(options.out) / "checks.yaml";
  const fs::path answers = fs::path(options.out) / "answers.jsonl";
  for (const fs::path& file : {checks, answers}) {
    const NamedFile inputs[] = {{"configuration", options.config}, {"results", options.results}};
    check_not_input(file, inputs);
    if (fs::exists(options.out)) output_target(file, options.overwrite);
  }

  check::PromptfooImport made = read_config(options);
  if (!made.dropped.empty()) {
    std::string list = "not carried over:\n";
    for (const std::string& one : made.dropped) list += "  " + printable(one) + "\n";
    std::fputs(list.c_str(), stderr);
  }
  if (made.check_count == 0) {
    throw Error("nothing carried over: no assertion becomes a check", options.config,
                "docs/from-promptfoo.md says which ones do");
  }
  make_folder(options.out);
  if (!options.generate.judge.empty() && !generate(options, made)) {
    std::fputs("interrupted; nothing was written\n", stderr);
    return kExitInterrupted;
  }
  write_files(options, made, checks, answers);

  put(fmt::format("{}: {} checks\n{}: {} answers\n", checks.string(), made.check_count,
                  answers.string(), made.answers.size()));
  if (options.quiet) return kExitOk;
  if (const size_t missing = made.unanswered(); missing > 0) {
    fmt::print(stderr,
               "{} answers have no response: write the field `response` into {}, or import again "
               "with --results or --generate\n",
               missing, answers.string());
  } else {
    fmt::print(stderr, "next: selene check {} {}\n", checks.string(), answers.string());
  }
  return kExitOk;
}

}  // namespace

void add_check_import_command(CLI::App& check, int& exit_code) {
  auto options = std::make_shared<ImportCommand>();
  CLI::App* command =
      check.add_subcommand("import", "Make a checks file and answers of a promptfoo configuration");
  command->add_option("CONFIG", options->config, "promptfooconfig.yaml")
      ->required()
      ->check(not_empty());
  command
      ->add_option("--out", options->out,
                   "Folder for checks.yaml and answers.jsonl, made where it is missing")
      ->required()
      ->check(not_empty());
  command->add_flag("--overwrite", options->overwrite, "Replace the two files");
  const char* group = "Answers";
  command->add_option("--results", options->results, "What promptfoo eval -o results.json wrote")
      ->check(not_empty())
      ->group(group);
  command
      ->add_option("--provider", options->provider,
                   "Whose results, by id or label, where there are several")
      ->check(not_empty())
      ->group(group);
  command
      ->add_option("--generate", options->generate.judge,
                   "What answers the prompts, as --judge elsewhere: temperature 0, at most 512 "
                   "tokens each")
      ->check(known_judge())
      ->group(group);
  command
      ->add_option("--threads", options->generate.machine.threads, "For --generate; 0: one a core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->group(group);
  command->add_flag("--quiet", options->quiet, "No progress, no advice");
  command->callback([options, &exit_code] { exit_code = run_import(*options); });
  command->footer(kExamples);
}

}  // namespace selene::cli
