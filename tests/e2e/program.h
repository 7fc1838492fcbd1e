// Runs the built program as a user does: arguments, standard input, environment and a time limit
// in; exit code and both outputs back.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/store.h"
#include "temporary_folder.h"

namespace selene::testing {

struct Call {
  std::vector<std::string> args;
  std::string input = {};                               // Standard input.
  std::map<std::string, std::string> environment = {};  // Added to the test's own.
  std::chrono::seconds limit{300};
  std::string program = SELENE_PROGRAM;
};

struct Finished {
  int exit_code = 0;  // 128 + the signal's number when one ended it.
  std::string out;
  std::string err;
};

// A started program. Its user folders are a fresh one, where only the models are the real ones, so
// that a test neither sees nor leaves anything there.
class Running {
 public:
  explicit Running(const Call& call) : limit_(std::chrono::steady_clock::now() + call.limit) {
    folder_.file("in", call.input);
    std::filesystem::create_directories(folder_ / "data");
    std::filesystem::create_directory_symlink(model::models_dir(), folder_ / "data/models");
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("cannot fork");
    if (child_ == 0) become(call);
  }
  ~Running() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // What it has printed so far.
  std::string out() const { return slurp(folder_ / "out"); }
  void signal(int number) const { ::kill(child_, number); }
  bool ended() {
    if (!status_ && ::waitpid(child_, &raw_status_, WNOHANG) == child_) status_ = raw_status_;
    return status_.has_value();
  }
  // Waits for the end; kills the program at its time limit.
  Finished wait() {
    while (!ended()) {
      if (std::chrono::steady_clock::now() > limit_) signal(SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    child_ = -1;
    const int code = WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
    return {code, slurp(folder_ / "out"), slurp(folder_ / "err")};
  }

 private:
  [[noreturn]] void become(const Call& call) const {
    const auto redirect = [&](const char* name, int flags, int descriptor) {
      ::dup2(::open((folder_ / name).c_str(), flags, 0600), descriptor);
    };
    redirect("in", O_RDONLY, STDIN_FILENO);
    redirect("out", O_WRONLY | O_CREAT, STDOUT_FILENO);
    redirect("err", O_WRONLY | O_CREAT, STDERR_FILENO);
    ::setenv("SELENE_DATA_HOME", (folder_ / "data").c_str(), 1);
    ::setenv("COLUMNS", "100", 1);
    for (const auto& [name, value] : call.environment) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv{const_cast<char*>(call.program.c_str())};
    for (const std::string& arg : call.args) argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    ::_exit(127);
  }

  TemporaryFolder folder_;
  std::chrono::steady_clock::time_point limit_;
  pid_t child_ = -1;
  int raw_status_ = 0;
  std::optional<int> status_;
};

inline Finished run(const Call& call) { return Running(call).wait(); }
inline Finished run(const std::vector<std::string>& args) { return run(Call{.args = args}); }

// The same call as a line of bash, where "$@" is the program and its arguments.
inline Call in_bash(Call call, const std::string& line) {
  call.args.insert(call.args.begin(), {"-c", line, "bash", call.program});
  call.program = "bash";
  return call;
}

// The same call on a terminal of its own, made by script(1); standard error goes there too.
inline Call on_terminal(const Call& call) {
  std::string line = call.program;
  for (const std::string& arg : call.args) line += " '" + arg + "'";
  Call shown = call;
  shown.program = "script";
  shown.args = {"-qec", line, "/dev/null"};
  shown.environment["NO_COLOR"] = "1";
  return shown;
}

// `selene judge` with one thread: ctest runs as many tests at once as there are cores.
inline Call judge_call(std::vector<std::string> args) {
  args.insert(args.begin(), {"judge", "--threads", "1"});
  return {.args = std::move(args)};
}
inline Finished judge(std::vector<std::string> args) { return run(judge_call(std::move(args))); }

// The objects of JSONL text; throws where a line is none.
inline std::vector<nlohmann::ordered_json> rows_of(const std::string& text) {
  std::vector<nlohmann::ordered_json> rows;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    if (end == std::string::npos) throw std::runtime_error("the last line has no end");
    rows.push_back(nlohmann::ordered_json::parse(text.substr(start, end - start)));
    start = end + 1;
  }
  return rows;
}

inline std::string source_file(const std::string& name) {
  return std::string(SELENE_SOURCE_DIR) + "/" + name;
}

// Where the data of the benchmarks is, when it is there.
inline std::filesystem::path shared_file(const std::string& name) {
  return source_file("../shared/" + name);
}

}  // namespace selene::testing
