// `selene doctor`: what this machine and this build have, and what is missing, with the command
// that brings it.
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/run_record.h"
#include "engine/llama_engine.h"
#include "judge/template.h"
#include "model/gguf.h"
#include "model/store.h"
#include "table/table.h"

namespace selene::cli {
namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;

void line(std::string_view name, std::string_view value) {
  put(fmt::format("{:12} {}\n", name, value));
}

// Free space where `folder` is or will be made; empty when it cannot be told.
std::string free_space(std::filesystem::path folder) {
  while (!folder.empty() && !std::filesystem::exists(folder) && folder.has_relative_path())
    folder = folder.parent_path();
  std::error_code failure;
  const auto space = std::filesystem::space(folder, failure);
  return failure ? ""
                 : fmt::format(" ({:.1f} GiB free)", static_cast<double>(space.available) / kGib);
}

// llama.cpp's "CPU : SSE3 = 1 | AVX = 1 | " as "SSE3 AVX".
std::string processor_features() {
  std::string names;
  std::istringstream words(engine::llama_system_info());
  std::string before;
  for (std::string word; words >> word; before = word == "=" ? before : word) {
    if (word == "1" && !before.empty()) names += (names.empty() ? "" : " ") + before;
  }
  return names;
}

bool report_model() {
  std::string_view wrong = "MISSING";
  try {
    const model::ResolvedModel found = model::resolve_model("");
    wrong = "MISMATCH";
    model::check_recorded(found);
    wrong = "UNUSABLE";
    const model::GgufInfo info = model::inspect_gguf(found.path);
    line("model", found.path.string());
    line("", fmt::format("{}, {} {}, {:.0f} million parameters, context {} tokens, {:.0f} MB",
                         found.name, info.architecture, info.file_type,
                         static_cast<double>(info.parameters) / 1e6, info.context_length,
                         static_cast<double>(info.bytes) / 1e6));
    line("", fmt::format("sha256 {}{}", sha256_file_cached(found.path),
                         found.recorded_sha256.empty() ? "" : " (as recorded)"));
    return true;
  } catch (const Error& failure) {
    line("model", fmt::format("{}: {}", wrong, failure.what()));
    return false;
  }
}

int run_doctor() {
  const Machine facts = machine();
  line("selene", version());
  line("engine", engine::llama_engine_version(/*gpu=*/true));
  line("features", processor_features());
  line("system", facts.system);
  line("cpu", fmt::format("{}, {} cores", facts.cpu, facts.cores));
  line("memory", fmt::format("{:.1f} GiB", static_cast<double>(facts.memory_bytes) / kGib));
  line("data", data_dir().string() + free_space(data_dir()));
  line("cache", cache_dir().string() + free_space(cache_dir()));
  line("templates", fmt::format("{} built in", judge::builtin_templates().size()));
  line("tables", table::is_available()
                     ? "DuckDB " + table::version()
                     : "none: make tables gets DuckDB, which only Parquet and SQL need");
  const bool ready = report_model();
  put(fmt::format("\n{}\n", ready ? "ready: selene judge FILE.jsonl" : "not ready: see above"));
  return ready ? kExitOk : kExitError;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("doctor", "Say what this machine and build have, and what is missing");
  command->callback([&exit_code] { exit_code = run_doctor(); });
}

}  // namespace selene::cli
