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
#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "net/download.h"
#include "table/xlsx.h"

namespace selene::cli {
namespace {

struct BenchPullCommand {
  std::vector<std::string> names;
  std::string data;
  std::string token_env = "HF_TOKEN";
  bool quiet = false;
};

// Where the pulled file lies: the file itself, or the workbook that it is made of.
std::filesystem::path pulled_path(const std::filesystem::path& folder,
                                  const bench::SourceFile& file) {
  return folder / (file.xlsx.empty() ? file.file : file.xlsx);
}

// Says whether the file is new.
bool pull_file(const BenchPullCommand& options, const bench::Spec& spec,
               const bench::SourceFile& file, const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) {
    if (file.sha256.empty() || sha256_file_cached(path) == file.sha256) return false;
    throw Error("this file is of another revision than the benchmark's", path.string(),
                "move it away and pull again");
  }
  if (file.address.empty())
    throw Error("it has no public address", file.file,
                fmt::format("the licence and the paper say where it is: {}", spec.paper));
  std::filesystem::create_directories(path.parent_path());
  const net::Download got = net::download({.url = file.address,
                                           .destination = path,
                                           .sha256 = file.sha256,
                                           .token_env = spec.gated ? options.token_env : "",
                                           .label = path.filename().string(),
                                           .silent = options.quiet});
  if (!got.verified)
    std::fprintf(stderr,
                 "warning: %s: not checked, its SHA-256 is not known to the benchmark; it is %s\n",
                 path.c_str(), got.sha256.c_str());
  return true;
}

void pull_benchmark(const BenchPullCommand& options, const bench::Spec& spec,
                    const std::filesystem::path& folder) {
  put(fmt::format("{}: licence: {}\n", spec.name, spec.licence));
  for (const bench::SourceFile& file : spec.source.files) {
    const std::filesystem::path path = pulled_path(folder, file);
    const bool is_new = pull_file(options, spec, file, path);
    if (!file.xlsx.empty() && (is_new || !std::filesystem::exists(folder / file.file)))
      table::xlsx_to_jsonl(path, folder / file.file);
    put(fmt::format("  {}{}\n", path.string(), is_new ? "" : " (was here)"));
  }
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
