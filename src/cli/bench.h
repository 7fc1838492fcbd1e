// What the commands under `selene bench` share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "bench/spec.h"

namespace selene::cli {

// --data of the commands that read data.
void add_data_flag(CLI::App& command, std::string& data);
// --data, else SELENE_DATA, else data_dir()/benchmarks.
std::filesystem::path data_folder(const std::string& data);

// By name or file, each once; none, or `all`: those of the program. Throws UsageError for a name
// that is none.
std::vector<bench::Spec> load_specs(const std::vector<std::string>& names);

}  // namespace selene::cli
