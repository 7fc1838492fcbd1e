// The flags that name a judge, the same in every command that has one.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

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

void add_judge_flags(CLI::App& command, JudgeFlags& flags);

// Opens the judge; a local model is loaded only when it is needed. Throws Error.
judge::Judge open_judge(const JudgeFlags& flags);

// What of the judge a judgment depends on, and nothing else (threads and memory are not in it).
nlohmann::ordered_json describe(const judge::Judge& judge);

}  // namespace selene::cli
