// The program: the command table, and the one place that turns an Error into a message and an exit
// code.
#include <fcntl.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/run_record.h"
#include "engine/llama_engine.h"
#include "table/table.h"

namespace {

using AddCommand = void (*)(CLI::App& app, int& exit_code);

// In the order of the help text.
constexpr AddCommand kCommands[] = {
    selene::cli::add_judge_command,     selene::cli::add_check_command,
    selene::cli::add_bench_command,     selene::cli::add_curate_command,
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

// llama.cpp's threads wait for one another several hundred times a pass. OpenMP lets them spin for
// milliseconds there, which on a machine with other work makes every pass wait for time slices
// (measured: 10 times as slow and more). The runtime reads its settings when the program is loaded,
// so they are set and the program is loaded again, once.
void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  ::setenv("GOMP_SPINCOUNT", "10000", 1);
  ::execv("/proc/self/exe",
          argv);  // Returns only where this is not possible: then it goes on as it is.
}

// A file opened later must not get the number of a closed standard stream, and its bytes with it.
// Each gets one that fails as a closed one does.
void keep_standard_streams_apart() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0)
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int run(int argc, char** argv) {
  CLI::App app{"selene: a language model as a judge, on your own machine", "selene"};
  auto formatter = std::make_shared<selene::cli::HelpFormatter>();
  formatter->column_width(34);
  app.formatter(formatter);
  app.set_help_flag("-h,--help", "Print this help");
  app.failure_message([&app](const CLI::App*, const CLI::Error& failure) {
    return selene::cli::usage_message(app, failure);
  });
  app.set_version_flag(
      "--version",
      [] {
        return fmt::format(
            "selene {} ({}; {})", selene::version(),
            selene::engine::llama_engine_version(/*gpu=*/true),
            selene::table::is_available() ? "DuckDB " + selene::table::version() : "no DuckDB");
      },
      "Print the versions of selene and of its engine");
  app.require_subcommand(1);
  int exit_code = selene::cli::kExitOk;
  for (AddCommand add : kCommands) add(app, exit_code);
  app.footer(kExamples);  // After the commands, which would take it over.
  try {
    app.parse(selene::cli::words_for_cli11(app, argc, argv));
  } catch (const CLI::ParseError& failure) {
    std::ostringstream text;  // Of --help and --version.
    const bool is_answered = app.exit(failure, text, std::cerr) == 0;
    if (is_answered && selene::cli::unknown_command(app).empty()) {
      selene::cli::put(text.str());
    } else {
      if (is_answered) std::cerr << selene::cli::usage_message(app, failure);
      exit_code = selene::cli::kExitUsage;
    }
  }
  selene::cli::flush_output();
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams_apart();
  limit_spinning(argv);
  std::setlocale(LC_CTYPE, "C.UTF-8");  // For wcwidth; numbers stay in the C locale.
  selene::catch_interrupts();
  try {
    return run(argc, argv);
  } catch (const selene::UsageError& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return selene::cli::kExitUsage;
  } catch (const selene::Error& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return selene::interrupted() ? selene::cli::kExitInterrupted : selene::cli::kExitError;
  } catch (const std::bad_alloc&) {
    std::fputs("error: out of memory; lower --ctx-size or --kv-mib, or take a smaller model\n",
               stderr);
    return selene::cli::kExitError;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: this is a bug in selene: %s\n", failure.what());
    return selene::cli::kExitError;
  }
}
