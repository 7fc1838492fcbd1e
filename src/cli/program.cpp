#include "cli/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/process.h"

namespace selene::cli {
namespace {

// A file opened later must not get the number of a closed standard stream, and its bytes with it.
// Each gets one that fails as a closed one does.
void keep_standard_streams_apart() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) < 0)
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int run(const Program& program, int argc, char** argv) {
  CLI::App app{program.description, "selene"};
  auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(34);
  app.formatter(formatter);
  app.set_help_flag("-h,--help", "Print this help");
  app.failure_message(
      [&app](const CLI::App*, const CLI::Error& failure) { return usage_message(app, failure); });
  app.set_version_flag("--version", program.version,
                       "Print the versions of selene and of its engine");
  app.require_subcommand(1);
  int exit_code = kExitOk;
  for (const AddCommand add : program.commands) add(app, exit_code);
  app.footer(program.examples);  // After the commands, which would take it over.
  try {
    app.parse(words_for_cli11(app, argc, argv));
  } catch (const CLI::ParseError& failure) {
    std::ostringstream text;  // Of --help and --version.
    const bool is_answered = app.exit(failure, text, std::cerr) == 0;
    if (is_answered && unknown_command(app).empty()) {
      put(text.str());
    } else {
      if (is_answered) std::cerr << usage_message(app, failure);
      exit_code = kExitUsage;
    }
  }
  flush_output();
  return exit_code;
}

}  // namespace

void start_program(char** argv) {
  keep_standard_streams_apart();
  limit_spinning(argv);
  std::setlocale(LC_CTYPE, "C.UTF-8");  // For wcwidth; numbers stay in the C locale.
  catch_interrupts();
}

int run_program(const Program& program, int argc, char** argv) {
  try {
    return run(program, argc, argv);
  } catch (const UsageError& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return kExitUsage;
  } catch (const Error& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return interrupted() ? kExitInterrupted : kExitError;
  } catch (const std::bad_alloc&) {
    std::fputs("error: out of memory; lower --ctx-size or --kv-mib, or take a smaller model\n",
               stderr);
    return kExitError;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: this is a bug in selene: %s\n", failure.what());
    return kExitError;
  }
}

}  // namespace selene::cli
