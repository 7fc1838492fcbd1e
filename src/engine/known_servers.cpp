#include "engine/known_servers.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"

namespace selene::engine {
namespace {

using Json = nlohmann::ordered_json;

Json read_servers(const std::filesystem::path& file) {
  try {
    const Json servers = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
    return servers.is_object() ? servers : Json::object();
  } catch (const Error&) {
    return Json::object();
  }
}

}  // namespace

std::optional<EngineId> known_server(const std::filesystem::path& file,
                                     const std::string& address) {
  if (file.empty()) return std::nullopt;
  const Json servers = read_servers(file);
  const auto found = servers.find(address);
  if (found == servers.end()) return std::nullopt;
  EngineId id;
  for (const auto& [key, value] :
       {std::pair("name", &id.name), {"model", &id.model}, {"version", &id.version}}) {
    if (!found->is_object() || !found->contains(key) || !found->at(key).is_string())
      return std::nullopt;
    *value = found->at(key).get<std::string>();
  }
  return id;
}

void remember_server(const std::filesystem::path& file, const std::string& address,
                     const EngineId& id) {
  if (file.empty()) return;
  Json servers = read_servers(file);
  const Json known = {{"name", id.name}, {"model", id.model}, {"version", id.version}};
  if (servers.contains(address) && servers[address] == known) return;
  servers[address] = known;
  try {
    write_file_atomically(file, servers.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const Error&) {
  }
}

}  // namespace selene::engine
