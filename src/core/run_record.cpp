#include "core/run_record.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/text.h"

namespace selene {
namespace {

// The value after "name:" in a /proc text file, or "".
std::string proc_value(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const size_t colon = line.find(':');
    if (colon != std::string::npos)
      return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return {};
}

std::uint64_t kilobytes(const std::string& text) {
  return text.empty() ? 0 : std::strtoull(text.c_str(), nullptr, 10) * 1024;
}

}  // namespace

std::string version() { return SELENE_VERSION; }

std::uint64_t peak_memory_bytes() { return kilobytes(proc_value("/proc/self/status", "VmHWM")); }

Machine machine() {
  Machine facts;
  facts.cpu = proc_value("/proc/cpuinfo", "model name");
  facts.cores = std::thread::hardware_concurrency();
  facts.memory_bytes = kilobytes(proc_value("/proc/meminfo", "MemTotal"));
  utsname name{};
  if (::uname(&name) == 0)
    facts.system = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  return facts;
}

struct RunRecord::State {
  nlohmann::ordered_json fields;
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  std::chrono::steady_clock::time_point clock = std::chrono::steady_clock::now();
};

RunRecord::RunRecord(std::string command) : state_(std::make_unique<State>()) {
  state_->fields["command"] = std::move(command);
  state_->fields["selene"] = version();
}

RunRecord::~RunRecord() = default;

nlohmann::ordered_json& RunRecord::fields() { return state_->fields; }

void RunRecord::write(const std::filesystem::path& path) {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - state_->clock).count();
  const Machine facts = machine();
  nlohmann::ordered_json all = state_->fields;
  all["started"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                               fmt::gmtime(std::chrono::system_clock::to_time_t(state_->started)));
  all["wall_s"] = std::round(seconds * 1000) / 1000;
  all["peak_memory_bytes"] = peak_memory_bytes();
  all["machine"] = {{"cpu", facts.cpu},
                    {"cores", facts.cores},
                    {"memory_bytes", facts.memory_bytes},
                    {"system", facts.system}};
  write_file_atomically(path, all.dump(2) + "\n");
}

}  // namespace selene
