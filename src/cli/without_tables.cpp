// The commands that read tables, in a build that has none: they say how to get them.
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "core/error.h"

namespace selene::cli {
namespace {

void add_missing(CLI::App& app, const char* name, const char* help) {
  CLI::App* command = app.add_subcommand(name, help);
  command->prefix_command();  // Whatever follows: the reason comes first.
  command->callback([name] {
    throw Error("this program was built without DuckDB, which this command reads its data with",
                std::string("selene ") + name, "make tables");
  });
}

}  // namespace

void add_bench_command(CLI::App& app, int&) {
  add_missing(app, "bench", "Benchmarks: how good a judge is (not in this build: make tables)");
}

void add_curate_command(CLI::App& app, int&) {
  add_missing(app, "curate", "From data sets to training pairs (not in this build: make tables)");
}

void add_arena_command(CLI::App& app, int&) {
  add_missing(app, "arena", "People rank judges (not in this build: make tables)");
}

}  // namespace selene::cli
