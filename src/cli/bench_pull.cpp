// `selene bench pull`: the benchmarks' public files, at the revision that each was made with.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/items.h"
#include "cli/arguments.h"
#include "cli/bench.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/pull_files.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"

namespace selene::cli {
namespace {

struct BenchPullCommand {
  std::vector<std::string> names;
  std::string data;
  std::string token_env = "HF_TOKEN";
  bool quiet = false;
};

void pull_benchmark(const BenchPullCommand& options, const bench::Spec& spec,
                    const std::filesystem::path& folder) {
  put(fmt::format("{}: licence: {}\n", spec.name, spec.licence));
  pull_files(spec.source, folder,
             {.owner = "benchmark",
              .paper = spec.paper,
              .token_env = spec.gated ? options.token_env : "",
              .quiet = options.quiet});
}

int pull(const BenchPullCommand& options) {
  std::filesystem::path folder = options.data;
  if (folder.empty()) folder = data_folder("");
  std::filesystem::create_directories(folder);
  size_t failed = 0;
  for (const bench::Spec& spec : load_specs(options.names)) {
    if (interrupted()) return kExitInterrupted;
    try {
      pull_benchmark(options, spec, folder);
    } catch (const Error& failure) {
      if (interrupted()) throw;
      flush_output();
      std::fprintf(stderr, "error: %s: %s\n", spec.name.c_str(), failure.what());
      ++failed;
    }
  }
  return failed == 0 ? kExitOk : kExitError;
}

constexpr const char* kExamples = R"(Examples:
  selene bench pull rewardbench hhh
  HF_TOKEN=hf_… selene bench pull llm-aggrefact        a gated set, with your account's token
  selene bench pull all --data benchmarks

A pull that was stopped goes on where it was.)";

}  // namespace

void add_bench_pull_command(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<BenchPullCommand>();
  CLI::App* command =
      bench.add_subcommand("pull", "Fetch the benchmarks' public files, checked by SHA-256");
  command->add_option("NAMES", options->names, "Benchmarks by name or file, or all")
      ->required()
      ->check(not_empty());
  command
      ->add_option("--data", options->data,
                   "Folder for them; made where it is not there [SELENE_DATA, else the user's data "
                   "folder]")
      ->check(not_empty());
  command
      ->add_option("--token-env", options->token_env,
                   "Variable that holds the token for gated sets")
      ->capture_default_str()
      ->check(not_empty());
  command->add_flag("--quiet", options->quiet, "No progress");
  command->footer(kExamples);
  command->callback([options, &exit_code] { exit_code = pull(*options); });
}

}  // namespace selene::cli
