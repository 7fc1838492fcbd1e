// `selene models tune`: the number formats of a model measured on this machine.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/example_requests.h"
#include "cli/judge_flags.h"
#include "cli/output.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "judge/tune.h"
#include "model/quantize.h"
#include "model/store.h"
#include "report/table.h"

namespace selene::cli {
namespace {

namespace fs = std::filesystem;

struct TuneCommand {
  ExampleFlags work;
  std::string model;
  std::vector<std::string> formats;
  std::string keep;
  int repeats = 3;
};

void keep_format(const TuneCommand& options, const model::ResolvedModel& model) {
  const fs::path path = model::tuned_path(model.name, options.keep);
  fs::create_directories(path.parent_path());
  model::quantize(model.path, path, options.keep);
  fmt::print(stderr, "sha256 {}; a judge of its own: --judge {}\n", sha256_file_cached(path),
             path.stem().string());
  put(path.string() + "\n");
}

int run_tune(const TuneCommand& options) {
  check_local_model(options.model, "models tune");
  const model::ResolvedModel model = model::resolve_model(options.model);
  model::check_recorded(model);
  if (!options.keep.empty()) {
    keep_format(options, model);
    return kExitOk;
  }
  const data::InputRows input = open_samples(options.work.samples);
  const std::vector<engine::Request> requests =
      make_requests(input, options.work.rows, options.work.max_tokens);
  const report::Table table({{.title = "format", .width = 9},
                             {.title = "size", .width = 8, .align = report::Align::Right},
                             {.title = "prefill/s", .width = 9, .align = report::Align::Right},
                             {.title = "decode/s", .width = 9, .align = report::Align::Right},
                             {.title = "other label", .width = 11, .align = report::Align::Right},
                             {.title = "mean change", .width = 11, .align = report::Align::Right},
                             {.title = "largest", .width = 8, .align = report::Align::Right}},
                            report::terminal(STDOUT_FILENO));
  const auto print = [&](const judge::TuneRow& row) {
    if (options.work.json) {
      const nlohmann::ordered_json object = {{"format", row.format},
                                             {"bytes", row.bytes},
                                             {"prefill_tokens_per_s", row.prefill},
                                             {"decode_tokens_per_s", row.decode},
                                             {"verdicts", row.verdicts},
                                             {"changed", row.changed},
                                             {"mean_distance", row.mean_distance},
                                             {"largest_distance", row.largest_distance}};
      put(object.dump() + "\n");
    } else {
      put(table.row(std::vector<report::Cell>{
          {row.format},
          {fmt::format("{:.2f} GB", static_cast<double>(row.bytes) / 1e9)},
          {fmt::format("{:.0f}", row.prefill)},
          {fmt::format("{:.0f}", row.decode)},
          {fmt::format("{} of {}", row.changed, row.verdicts)},
          {fmt::format("{:.4f}", row.mean_distance)},
          {fmt::format("{:.4f}", row.largest_distance)}}));
    }
    flush_output();
  };
  if (!options.work.json) {
    put(fmt::format("{} requests, {} times each, model {}\n\n{}", requests.size(), options.repeats,
                    model.path.string(), table.header()));
  }
  const ScratchFolder scratch(model::models_dir(), ".tune-");  // On the disk of kept models.
  judge::TuneOptions tuning;
  tuning.model = {.model = model.path, .name = model.name, .threads = options.work.threads};
  tuning.folder = scratch.path();
  tuning.repeats = options.repeats;
  for (std::string_view format : model::quantized_formats()) {
    const bool wanted =
        std::find(options.formats.begin(), options.formats.end(), format) != options.formats.end();
    if (options.formats.empty() || wanted) tuning.formats.push_back(format);
  }
  judge::tune(tuning, requests, print, [] { return interrupted(); });
  if (interrupted()) {
    std::fputs("interrupted\n", stderr);
    return kExitInterrupted;
  }
  if (!options.work.json) {
    put(fmt::format(
        "\nTokens a second, the median of {} runs. Change: total variation distance between the "
        "label\n"
        "distributions (verdicts without a critique) of this format and of the file as it is, 0 to "
        "1.\n"
        "Nothing was kept. To keep one as a model of its own name and digest, never a "
        "replacement:\n"
        "  selene models tune{} --keep FORMAT\n",
        options.repeats, options.model.empty() ? "" : " " + options.model));
  }
  return kExitOk;
}

}  // namespace

void add_tune_command(CLI::App& models, int& exit_code) {
  auto options = std::make_shared<TuneCommand>();
  std::vector<std::string> formats;
  for (std::string_view format : model::quantized_formats()) formats.emplace_back(format);
  CLI::App* command = models.add_subcommand(
      "tune",
      "Measure a model's number formats on this machine: speed, and what it does to verdicts");
  command->footer(R"(Examples:
  selene models tune                             the default model, about two minutes
  selene models tune --samples mine.jsonl --rows 50
  selene models tune --keep bf16                 then: selene judge ... --judge smollm2-135m-bf16

Formats are converted from the model's file as it is, so one that has more bits than the file has is
no more exact. A kept format is another model: judgments of it are not those of the file it came from.)");
  command
      ->add_option("MODEL", options->model,
                   "A name (selene models), a GGUF file or hf:owner/repo/file.gguf [the default]")
      ->check(not_empty());
  command->add_option("--samples", options->work.samples, "JSONL file [the program's own examples]")
      ->check(not_empty());
  command->add_option("--formats", options->formats, "Only these, with commas between")
      ->delimiter(',')
      ->check(CLI::IsMember(formats));
  command->add_option("--keep", options->keep, "Measure nothing; keep the model in this format")
      ->check(CLI::IsMember(formats));
  add_example_flags(*command, options->work);
  command->add_option("--repeats", options->repeats, "Runs of each format; the median counts")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  command->callback([options, &exit_code] { exit_code = run_tune(*options); });
}

}  // namespace selene::cli
