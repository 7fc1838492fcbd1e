#include "core/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/text.h"

extern char** environ;

namespace selene {
namespace {

// Everything that the child writes, until it ends; ends it on Ctrl-C.
std::string read_all(int descriptor, pid_t child) {
  std::string output;
  char buffer[4096];
  for (bool ended = false;;) {
    pollfd poll_one{descriptor, POLLIN, 0};
    const int ready = ::poll(&poll_one, 1, 200);
    if (interrupted() && !ended) {
      ::kill(child, SIGTERM);
      ended = true;
    }
    if (ready <= 0) continue;
    const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return output;
    output.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace

Finished run_program(const std::vector<std::string>& arguments, const std::string& remedy) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(fmt::format("cannot make a pipe: {}", errno_text(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failure != 0) {
    ::close(ends[0]);
    throw Error(fmt::format("cannot run {}: {}", arguments[0], errno_text(failure)), "", remedy);
  }
  Finished finished;
  finished.output = read_all(ends[0], child);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (interrupted()) throw Error("interrupted", "", "run the same command again");
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return finished;
}

void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  ::setenv("GOMP_SPINCOUNT", "10000", 1);
  ::setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);  // 2^4 processor cycles, the least.
  ::execv("/proc/self/exe", argv);
}

std::string last_lines(std::string_view output) {
  constexpr size_t kBytes = 2000;
  output = trim(output);
  if (output.size() > kBytes) output.remove_prefix(output.size() - kBytes);
  return printable(output);
}

}  // namespace selene
