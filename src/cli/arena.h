// What the commands of an arena share.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "arena/board.h"

namespace selene::cli {

// The positional argument ARENA.
void add_arena_file(CLI::App& command, std::string& file);

// --rating, --interval, --resamples, --seed.
void add_rating_flags(CLI::App& command, arena::BoardOptions& options);

}  // namespace selene::cli
