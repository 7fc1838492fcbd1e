// `selene verify`: proves on this machine that judgments do not depend on threads, batches, order
// or cache.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/example_requests.h"
#include "cli/judge_flags.h"
#include "cli/output.h"
#include "core/interrupt.h"
#include "judge/verify.h"
#include "model/store.h"
#include "report/table.h"

namespace selene::cli {
namespace {

struct VerifyCommand {
  ExampleFlags work;
  std::string judge;
  std::string adapter;
  std::int64_t kv_mib = 0;
  int gpu_layers = -1;
};

int run_verify(const VerifyCommand& options) {
  check_local_model(options.judge, "verify");
  const data::InputRows input = open_samples(options.work.samples);
  const std::vector<engine::Request> requests =
      make_requests(input, options.work.rows, options.work.max_tokens);
  const model::ResolvedModel model = model::resolve_model(options.judge);
  model::check_recorded(model);
  const report::Table table({{.title = "circumstance", .width = 42},
                             {.title = "texts", .width = 12},
                             {.title = "scores", .width = 12},
                             {.title = "differ", .width = 8, .align = report::Align::Right},
                             {.title = "largest", .width = 9, .align = report::Align::Right},
                             {.title = "seconds", .width = 8, .align = report::Align::Right}},
                            report::terminal(STDOUT_FILENO));
  const auto cells = [&](const judge::VerifyRow& row) {
    return std::vector<report::Cell>{
        {row.name},
        {row.text_digest.substr(0, 12)},
        {row.score_digest.substr(0, 12)},
        {fmt::format("{}", row.differing), row.same() ? report::Style::Green : report::Style::Red},
        {fmt::format("{:.2g}", row.largest_change)},
        {fmt::format("{:.2f}", row.seconds)}};
  };
  const auto print = [&](const judge::VerifyRow& row) {
    if (options.work.json) {
      const nlohmann::ordered_json object = {{"circumstance", row.name},
                                             {"texts", row.text_digest},
                                             {"scores", row.score_digest},
                                             {"differing", row.differing},
                                             {"largest_change", row.largest_change},
                                             {"seconds", row.seconds}};
      put(fmt::format("{}\n", object.dump()));
    } else {
      put(table.row(cells(row)));
    }
    flush_output();
  };
  if (!options.work.json)
    put(fmt::format("{} requests, model {}\n\n{}", requests.size(), model.path.string(),
                    table.header()));
  const judge::VerifyReport report = judge::verify({.model = model.path,
                                                    .name = model.name,
                                                    .adapter = options.adapter,
                                                    .threads = options.work.threads,
                                                    .kv_mib = options.kv_mib,
                                                    .gpu_layers = options.gpu_layers},
                                                   requests, print, [] { return interrupted(); });
  if (interrupted()) {
    std::fputs("interrupted\n", stderr);
    return kExitInterrupted;
  }
  print(report.inexact);
  if (!options.work.json) {
    const std::vector<double>& costs = report.costs;
    put(fmt::format(
        "\nexactness takes {:.2f} times as long on this work ({:.2f} to {:.2f}, {} runs "
        "with the rules and {} without, in turn)\n",
        costs[costs.size() / 2], costs.front(), costs.back(), costs.size(), costs.size()));
    put(report.all_same() ? "verified: every judgment is the same bits under all of these\n"
                          : "NOT EXACT on this machine: see the rows that differ\n");
  }
  return report.all_same() ? kExitOk : kExitError;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<VerifyCommand>();
  CLI::App* command = app.add_subcommand(
      "verify", "Prove that judgments do not depend on threads, batch, order or cache");
  command->footer(R"(Examples:
  selene verify                                the program's own examples, about a minute
  selene verify samples.jsonl --rows 50
  selene verify --judge selene-1-mini --json

Exit codes: 0 all the same bits, 1 something differs (and which), 130 interrupted.)");
  command->add_option("SAMPLES", options->work.samples, "JSONL file [the program's own examples]")
      ->check(not_empty());
  command
      ->add_option("--judge", options->judge,
                   "A name (selene models), a GGUF file or hf:owner/repo/file.gguf")
      ->check(known_judge());
  command->add_option("--adapter", options->adapter, "LoRA adapter (GGUF file)")
      ->check(not_empty());
  add_example_flags(*command, options->work);
  command->add_option("--kv-mib", options->kv_mib, "Memory for keys and values; 0: as selene judge")
      ->capture_default_str()
      ->check(kv_mib_range());
  command
      ->add_option("--gpu-layers", options->gpu_layers,
                   "Layers on the GPU, where the build has one; -1: all")
      ->capture_default_str()
      ->check(gpu_layers_range());
  command->callback([options, &exit_code] { exit_code = run_verify(*options); });
}

}  // namespace selene::cli
