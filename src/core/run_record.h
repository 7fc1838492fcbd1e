// run.json: what was run, on what, with what result. Every output folder has one; a single output
// file has OUT.run.json. Times and machine facts stand here and never in the rows, so that the same
// work gives the same rows.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace selene {

// The program's version (CMake's project version).
std::string version();

// The most memory this process has held resident so far, in bytes (VmHWM); 0 where the system does
// not say.
std::uint64_t peak_memory_bytes();

// Facts of the machine for run.json and `selene doctor`.
struct Machine {
  std::string cpu;  // Model name.
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string system;
};
Machine machine();

class RunRecord {
 public:
  explicit RunRecord(std::string command);

  // The object to add fields to: `options`, `digests`, `counts`, ...
  nlohmann::ordered_json& fields();
  // Adds the times and the peak memory, and writes the file atomically.
  void write(const std::filesystem::path& path);

  ~RunRecord();
  RunRecord(const RunRecord&) = delete;
  RunRecord& operator=(const RunRecord&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene
