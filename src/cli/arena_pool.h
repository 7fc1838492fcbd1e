// The judges of an arena, each by itself.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "arena/store.h"
#include "cli/judge_flags.h"
#include "judge/judge_spec.h"

namespace selene::cli {

// Each member of what --judges names as a judge of its own.
std::vector<judge::JudgeSpec> single_judges(const std::vector<std::string>& named);

judge::Judge open_single(const judge::JudgeSpec& spec, const JudgeFlags& flags);

// Flags that hold for all of them: mode, length, keys, machine, ledger.
void add_judging_flags(CLI::App& command, JudgeFlags& flags);

}  // namespace selene::cli
