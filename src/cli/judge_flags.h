// The flags that name a judge, the same in every command that has one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "judge/judge_spec.h"

namespace selene::cli {

struct JudgeFlags {
  std::string judge;               // See judge_spec.h; empty: the default model.
  judge::MemberSettings settings;  // Override what a judge file says.
  std::uint64_t seed = 0;
  judge::MachineOptions machine;
  bool no_mmap = false;
  std::string ledger;  // Empty: the default one.
  bool no_ledger = false;
};

// For every --judge: refuses a name that is neither a known model nor a file.
CLI::Validator known_judge();

// The ranges of flags about the machine.
CLI::Validator thread_range();
CLI::Validator kv_mib_range();
CLI::Validator gpu_layers_range();

// Of add_judge_flags(): what a judgment is made by, and a server's key.
void add_model_flags(CLI::App& command, JudgeFlags& flags);
void add_key_flags(CLI::App& command, JudgeFlags& flags);
// Of add_judge_flags(): machine, servers and ledger.
void add_machine_flags(CLI::App& command, JudgeFlags& flags);
// `mode`: the one that help calls the default.
void add_judge_flags(CLI::App& command, JudgeFlags& flags, std::string_view mode = "critique");

// Throws UsageError for a --judge that is a server or a judge file; `command` is for models alone.
void check_local_model(const std::string& judge, std::string_view command);

// Throws UsageError for flags that contradict one another or that this judge has no use for; with
// `others` (a recipe's teachers and scorers) another judge may have use for those of the machine.
void check_judge_flags(const JudgeFlags& flags, bool others = false);

// --ledger, or the default one.
std::filesystem::path ledger_path(const JudgeFlags& flags);

// Opens the judge; a local model is loaded only when it is needed. Warnings go to standard error.
// Throws Error.
judge::Judge open_judge(const JudgeFlags& flags);

}  // namespace selene::cli
