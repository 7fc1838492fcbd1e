// `selene arena serve`: the voting page.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "arena/server.h"
#include "cli/arena.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "core/interrupt.h"

namespace selene::cli {
namespace {

struct ArenaServeCommand {
  std::string file;
  arena::ServerOptions server;
};

int serve(const ArenaServeCommand& options) {
  arena::Store store(options.file);
  arena::serve(
      store, options.server, [] { return interrupted(); },
      [](const std::string& address) {
        put(address + "\n");
        flush_output();
      });
  return kExitOk;
}

}  // namespace

void add_arena_serve_command(CLI::App& arena_command, int& exit_code) {
  auto options = std::make_shared<ArenaServeCommand>();
  arena::ServerOptions& server = options->server;
  CLI::App* command =
      arena_command.add_subcommand("serve", "A page to vote on, with the board, until Ctrl-C");
  add_arena_file(*command, options->file);
  command
      ->add_option("--host", server.host,
                   "Address to listen on; 0.0.0.0 for all of this machine's. Others reach it "
                   "without TLS: put a proxy before it")
      ->check(not_empty())
      ->capture_default_str();
  command->add_option("--port", server.port, "0: any that is free")
      ->check(CLI::Range(0, 65'535))
      ->capture_default_str();
  command->add_option("--voter-per-minute", server.voter_per_minute, "Votes of one voter")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--address-per-minute", server.address_per_minute,
                   "Requests from one address, of all its voters")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command
      ->add_option("--new-voters-per-minute", server.new_voters_per_minute,
                   "New voters from one address")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_rating_flags(*command, server.board);
  command->footer(
      "Examples:\n  selene arena serve a.db\n  selene arena serve a.db --host 0.0.0.0 --port 8000");
  command->callback([options, &exit_code] { exit_code = serve(*options); });
}

}  // namespace selene::cli
