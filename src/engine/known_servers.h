// What servers said that they are, by their addresses, so that work which is in the ledger needs
// none of them: a JSON file. One that cannot be read or written is passed over.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/engine.h"

namespace selene::engine {

std::optional<EngineId> known_server(const std::filesystem::path& file, const std::string& address);
void remember_server(const std::filesystem::path& file, const std::string& address,
                     const EngineId& id);

}  // namespace selene::engine
