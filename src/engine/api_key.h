// The key of a hosted endpoint, from the environment or a file. It never appears in a message of
// ours, nor in what is kept of an answer.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace selene::engine {

struct ApiKey {
  std::string key;      // Empty: none was asked for.
  std::string warning;  // For the user: the file can be read by others. Mostly empty.
};

// From the environment variable `key_env` or the first line of `key_file`; both empty: no key.
// Throws Error that names the variable or the file: not there, empty, a key that cannot be sent in
// a header, or both given.
ApiKey read_api_key(const std::string& key_env, const std::filesystem::path& key_file);

// The text of an answer with "[key]" wherever the server repeats the key that it was sent, be it as
// it is or with characters that JSON has escaped. A key of fewer than 8 characters is a placeholder
// ("none", "x"), which is found in any answer: it is left alone.
std::string without_key(std::string_view answer, std::string_view key);

}  // namespace selene::engine
