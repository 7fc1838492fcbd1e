#include "cli/output.h"

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::cli {
namespace {

Error write_error(int error_number) {
  return Error(fmt::format("cannot write to standard output: {}", errno_text(error_number)));
}

}  // namespace

void put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw write_error(errno);
}

void flush_output() {
  if (std::fflush(stdout) != 0) throw write_error(errno);
}

}  // namespace selene::cli
