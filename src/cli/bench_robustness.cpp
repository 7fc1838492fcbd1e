// `selene bench robustness`: how far a judge's verdicts depend on the wording of the prompt, and on
// what should not matter.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/robustness.h"
#include "cli/arguments.h"
#include "cli/bench.h"
#include "cli/bench_runner.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/file.h"
#include "judge/template.h"

namespace selene::cli {
namespace {

struct BenchRobustnessCommand {
  std::string benchmark;
  BenchRunOptions run;
  std::string beside;
  std::string json;
  std::string format = "table";
  bool no_probes = false;
  bench::ScoreOptions score;
};

// One run of the study.
struct Variant {
  std::string name;
  const bench::Probe* probe = nullptr;  // Null: a format.
};

std::vector<Variant> variants_of(const BenchRobustnessCommand& options) {
  std::vector<Variant> variants{{bench::kStandardFormat}};
  for (const judge::Template& form : judge::format_templates()) variants.push_back({form.name});
  if (!options.no_probes) {
    for (const bench::Probe& probe : bench::probes())
      variants.push_back({std::string(probe.name), &probe});
  }
  return variants;
}

BenchRunOptions options_of(const BenchRobustnessCommand& options, const Variant& variant,
                           size_t number, size_t count) {
  BenchRunOptions run = options.run;
  run.names = {options.benchmark};
  run.probe = variant.probe;
  run.out = (variant.probe == nullptr ? bench::format_folder(options.run.out, variant.name)
                                      : bench::probe_folder(options.run.out, variant.name))
                .string();
  run.judge.settings.template_spec =
      variant.probe == nullptr ? variant.name : bench::kStandardFormat;
  // Position is a probe of its own; the formats differ in nothing but their wording.
  if (!run.judge.settings.order) run.judge.settings.order = "one";
  run.label = fmt::format("{} ({}/{})", variant.name, number, count);
  return run;
}

void check_benchmark(const bench::Spec& spec) {
  if (spec.task == data::Task::Pairwise && spec.labels == data::default_labels(spec.task)) return;
  throw UsageError(
      fmt::format("the formats are for pairs with the labels A and B, not for '{}'", spec.name));
}

int robustness(BenchRobustnessCommand options) {
  check_judge_flags(options.run.judge);
  if (options.run.judge.settings.template_spec)
    throw UsageError("--template is not of this command", "", "it runs every format");
  const bench::Spec spec = bench::load_spec(options.benchmark);
  check_benchmark(spec);
  if (options.run.out.empty()) options.run.out = "runs/robustness-" + spec.name;
  if (!options.json.empty()) output_target(options.json, true);
  const std::vector<Variant> variants = variants_of(options);
  for (size_t i = 0; i < variants.size(); ++i) {
    const BenchRunOutcome outcome =
        run_benchmarks(options_of(options, variants[i], i + 1, variants.size()));
    if (outcome.done) continue;
    std::fprintf(stderr, "interrupted; the same command again goes on from there\n");
    return kExitInterrupted;
  }
  const bench::Robustness study = bench::read_robustness(options.run.out, spec.name, options.score);
  std::optional<bench::Robustness> beside;
  if (!options.beside.empty())
    beside = bench::read_robustness(options.beside, spec.name, options.score);
  const std::string json = bench::to_json(study).dump(1) + "\n";
  if (!options.json.empty()) write_file_atomically(output_target(options.json, true), json);
  put(options.format == "json" ? json
                               : bench::robustness_text(study, beside ? &*beside : nullptr,
                                                        report::terminal(STDOUT_FILENO)));
  std::fprintf(stderr, "the study is in %s\n", options.run.out.c_str());
  return kExitOk;
}

constexpr const char* kExamples = R"(Examples:
  selene bench robustness rewardbench --limit 100 --mode verdict
  selene bench robustness rewardbench --limit 100 --out runs/formats
  selene bench robustness rewardbench --judge tuned.gguf --out runs/tuned --beside runs/formats
  selene bench compare runs/formats/formats/pairwise runs/formats/formats/pairwise-json

Each format is a run of its own below OUT; those that are done are left.)";

}  // namespace

void add_bench_robustness_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchRobustnessCommand>();
  CLI::App* command = bench.add_subcommand(
      "robustness", "A pairwise benchmark under many prompt formats, and three probes");
  command->add_option("BENCHMARK", options->benchmark, "By name or file")
      ->required()
      ->check(not_empty());
  add_data_flag(*command, options->run.data);
  command
      ->add_option("--limit", options->run.limit,
                   "Items at most, spread over the groups by --seed [all]")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--out", options->run.out,
                   "Folder of the study; made where it is not there [runs/robustness-BENCHMARK]")
      ->check(not_empty());
  command->add_option("--beside", options->beside, "Another judge's study, for a second column")
      ->check(not_empty());
  command->add_flag("--no-probes", options->no_probes, "Formats alone");
  command->add_option("--json", options->json, "JSON file: every figure")->check(not_empty());
  command->add_option("--format", options->format, "To standard output: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_flag("--overwrite", options->run.overwrite, "Replace runs of other work in OUT");
  command->add_flag("--quiet", options->run.quiet, "No progress");
  add_judge_flags(*command, options->run.judge);
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = robustness(*options); });
}

}  // namespace selene::cli
