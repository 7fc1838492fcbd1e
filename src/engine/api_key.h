// The key of a hosted endpoint, from the environment or a file. It never appears in a message of
// ours.
#pragma once

#include <filesystem>
#include <string>

namespace selene::engine {

struct ApiKey {
  std::string key;      // Empty: none was asked for.
  std::string warning;  // For the user: the file can be read by others. Mostly empty.
};

// From the environment variable `key_env` or the first line of `key_file`; both empty: no key.
// Throws Error that names the variable or the file: not there, empty, a key that cannot be sent in
// a header, or both given.
ApiKey read_api_key(const std::string& key_env, const std::filesystem::path& key_file);

}  // namespace selene::engine
