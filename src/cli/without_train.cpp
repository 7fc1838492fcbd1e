// `selene train` in the program that has no LibTorch: the command is handed over to selene-train
// before it gets here, where there is one.
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "core/error.h"

namespace selene::cli {

void add_train_command(CLI::App& app, int&) {
  CLI::App* command = app.add_subcommand("train", "Make a judge: DPO + NLL on a mix of pairs");
  command->prefix_command();  // Whatever follows: the reason comes first.
  command->callback([] {
    throw Error("there is no selene-train beside this program: it was built without LibTorch",
                "selene train", "make train");
  });
}

}  // namespace selene::cli
