// The program: the command table.
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/program.h"
#include "core/run_record.h"
#include "engine/llama_engine.h"
#include "table/table.h"

namespace {

// In the order of the help text.
constexpr selene::cli::AddCommand kCommands[] = {
    selene::cli::add_judge_command,     selene::cli::add_check_command,
    selene::cli::add_bench_command,     selene::cli::add_curate_command,
    selene::cli::add_train_command,     selene::cli::add_arena_command,
    selene::cli::add_templates_command, selene::cli::add_models_command,
    selene::cli::add_ledger_command,    selene::cli::add_verify_command,
    selene::cli::add_doctor_command,
};

constexpr const char* kExamples = R"(Examples:
  selene judge examples/answers.jsonl --out judgments.jsonl
  selene judge --task pairwise --input "2+2?" --response-a 4 --response-b 5 --order both
  selene models pull selene-1-mini
  selene doctor

`selene COMMAND --help` says more. Exit codes: 0 done, 1 error, 2 wrong usage, 3 the gate of `check` failed, 130 interrupted.)";

// `train` is a program of its own beside this one: LibTorch takes longer to load than a judgment
// from the ledger. Returns where there is none; then the command says so.
void hand_over_to_train(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "train") != 0) return;
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  ::execv((self.parent_path() / "selene-train").c_str(), argv);
}

std::string version() {
  return fmt::format(
      "selene {} ({}; {})", selene::version(), selene::engine::llama_engine_version(/*gpu=*/true),
      selene::table::is_available() ? "DuckDB " + selene::table::version() : "no DuckDB");
}

}  // namespace

int main(int argc, char** argv) {
  hand_over_to_train(argc, argv);
  selene::cli::start_program(argv);
  return selene::cli::run_program(
      {.description = "selene: a language model as a judge, on your own machine",
       .version = version,
       .commands = kCommands,
       .examples = kExamples},
      argc, argv);
}
