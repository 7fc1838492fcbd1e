// `selene verify`: proves on this machine that judgments do not depend on threads, batches, order
// or cache.
#include <unistd.h>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "core/embedded.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "data/input_rows.h"
#include "judge/prompt.h"
#include "judge/verify.h"
#include "model/store.h"
#include "report/table.h"

namespace selene::cli {
namespace {

struct VerifyCommand {
  std::string samples;
  std::string judge;
  std::string adapter;
  int max_tokens = 24;
  int threads = 0;
  std::int64_t kv_mib = 0;
  int gpu_layers = -1;
  size_t rows = 16;
  bool json = false;
};

// The examples that the program carries, when no file is given.
data::InputRows open_samples(const VerifyCommand& options) {
  if (!options.samples.empty())
    return data::InputRows(options.samples, nlohmann::ordered_json::object());
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.ends_with("answers.jsonl"))
      return data::InputRows::from_text(std::string(file.text), "examples/answers.jsonl");
  }
  throw Error("this program carries no examples", "", "give a JSONL file of samples");
}

// Every sample twice: critique and verdict alone; a pair in both orders.
std::vector<engine::Request> make_requests(const data::InputRows& input,
                                           const VerifyCommand& options) {
  const judge::TemplateSet templates = judge::TemplateSet::open("");
  data::InputRows::Reader reader(input);
  std::vector<engine::Request> requests;
  for (const data::Sample& sample : reader.next(options.rows)) {
    std::vector<data::Sample> orders{sample};
    if (sample.task == data::Task::Pairwise) orders.push_back(data::swapped(sample));
    for (const data::Sample& one : orders) {
      for (const judge::Mode mode : {judge::Mode::Critique, judge::Mode::Verdict}) {
        requests.push_back(judge::make_request(templates.pick(one), one,
                                               {.mode = mode, .max_tokens = options.max_tokens}));
      }
    }
  }
  return requests;
}

int run_verify(const VerifyCommand& options) {
  const data::InputRows input = open_samples(options);
  input.check_all();
  const std::vector<engine::Request> requests = make_requests(input, options);
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
    if (options.json) {
      const nlohmann::ordered_json object = {{"circumstance", row.name},
                                             {"texts", row.text_digest},
                                             {"scores", row.score_digest},
                                             {"differing", row.differing},
                                             {"largest_change", row.largest_change},
                                             {"seconds", row.seconds}};
      fmt::print("{}\n", object.dump());
    } else {
      fmt::print("{}", table.row(cells(row)));
    }
    std::fflush(stdout);
  };
  if (!options.json)
    fmt::print("{} requests, model {}\n\n{}", requests.size(), model.path.string(), table.header());
  const judge::VerifyReport report = judge::verify({.model = model.path,
                                                    .name = model.name,
                                                    .adapter = options.adapter,
                                                    .threads = options.threads,
                                                    .kv_mib = options.kv_mib,
                                                    .gpu_layers = options.gpu_layers},
                                                   requests, print, [] { return interrupted(); });
  if (interrupted()) {
    std::fputs("interrupted\n", stderr);
    return kExitInterrupted;
  }
  print(report.inexact);
  if (!options.json) {
    fmt::print("\nexactness costs {:.0f}% of the speed on this work ({:.2f} s against {:.2f} s)\n",
               100 * (1 - report.inexact.seconds / report.rows.front().seconds),
               report.rows.front().seconds, report.inexact.seconds);
    fmt::print("{}\n", report.all_same()
                           ? "verified: every judgment is the same bits under all of these"
                           : "NOT EXACT on this machine: see the rows that differ");
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
  command->add_option("SAMPLES", options->samples, "JSONL file [the program's own examples]");
  command->add_option("--judge", options->judge,
                      "A name (selene models), a GGUF file or hf:owner/repo/file.gguf");
  command->add_option("--adapter", options->adapter, "LoRA adapter (GGUF file)");
  command->add_option("--rows", options->rows, "Samples to take from the file")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command->add_option("--max-tokens", options->max_tokens, "Longest critique, in tokens")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--threads", options->threads, "0: one a core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command->add_option("--kv-mib", options->kv_mib, "Memory for keys and values; 0: as selene judge")
      ->capture_default_str();
  command
      ->add_option("--gpu-layers", options->gpu_layers,
                   "Layers on the GPU, where the build has one; -1: all")
      ->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object a line");
  command->callback([options, &exit_code] { exit_code = run_verify(*options); });
}

}  // namespace selene::cli
