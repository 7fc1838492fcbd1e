// selene-train: `selene train`, in a program of its own that is linked to LibTorch.
#include <malloc.h>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/program.h"
#include "core/run_record.h"

namespace {

constexpr selene::cli::AddCommand kCommands[] = {selene::cli::add_train_command};

}  // namespace

int main(int argc, char** argv) {
  selene::cli::start_program(argv);
  // Activations of a row are freed and asked for again all the time: large pieces stay with the
  // process instead of being unmapped and filled with zeros anew.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  return selene::cli::run_program(
      {.description = "selene train: make a judge from a mix of pairs",
       .version = [] { return fmt::format("selene {}", selene::version()); },
       .commands = kCommands,
       .examples = ""},
      argc, argv);
}
