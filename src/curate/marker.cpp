#include "curate/marker.h"

#include "core/file.h"

namespace selene::curate {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

bool is_whole(const fs::path& rows, const Marker& marker) {
  std::error_code missing;
  return fs::file_size(rows, missing) == marker.bytes && !missing;
}

std::optional<Marker> read_marker(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  const Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  try {
    Marker marker{.fingerprint = json.at("fingerprint").get<std::string>(),
                  .rows = json.at("rows").get<std::uint64_t>(),
                  .bytes = json.at("bytes").get<std::uint64_t>(),
                  .accounts = {}};
    for (const Json& account : json.at("accounts"))
      marker.accounts.push_back(account_from_json(account));
    return marker;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void write_marker(const fs::path& path, const Marker& marker) {
  Json json = {{"fingerprint", marker.fingerprint}, {"rows", marker.rows}, {"bytes", marker.bytes}};
  json["accounts"] = Json::array();
  for (const StepAccount& account : marker.accounts) json["accounts"].push_back(to_json(account));
  write_file_atomically(path, json.dump(1) + "\n");
}

}  // namespace selene::curate
