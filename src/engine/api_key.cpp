#include "engine/api_key.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace selene::engine {
namespace {

namespace fs = std::filesystem;

// Someone may give the key itself where its variable's name is asked for: then it must not be
// shown.
bool could_be_a_name(const std::string& text) {
  constexpr size_t kLongestName = 64;
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return text.size() <= kLongestName && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         std::all_of(text.begin(), text.end(), fits);
}

std::string checked_key(std::string_view text, const std::string& place) {
  const std::string key(trim(text));
  if (key.empty()) throw Error("there is no key in it", place);
  const auto sendable = [](unsigned char c) { return c > ' ' && c < 0x7F; };
  if (!std::all_of(key.begin(), key.end(), sendable)) {
    throw Error("what is in it cannot be a key: it has characters other than printable ASCII",
                place);
  }
  return key;
}

// Bytes that the character takes at the beginning of `text`: itself, "\/" or "\u002f". 0: it is not
// there.
size_t length_at_start(std::string_view text, char c) {
  if (text.starts_with(c)) return 1;
  if (!text.starts_with('\\')) return 0;
  text.remove_prefix(1);
  if (text.starts_with(c)) return 2;
  const std::string code = fmt::format("u{:04x}", static_cast<unsigned char>(c));
  std::string start(text.substr(0, code.size()));
  std::transform(start.begin(), start.end(), start.begin(),
                 [](unsigned char one) { return std::tolower(one); });
  return start == code ? 1 + code.size() : 0;
}

size_t length_at_start(std::string_view text, std::string_view key) {
  size_t length = 0;
  for (const char c : key) {
    const size_t one = length_at_start(text.substr(length), c);
    if (one == 0) return 0;
    length += one;
  }
  return length;
}

}  // namespace

std::string without_key(std::string_view answer, std::string_view key) {
  constexpr size_t kShortest = 8;
  if (key.size() < kShortest) return std::string(answer);
  std::string text;
  while (!answer.empty()) {
    const size_t length = length_at_start(answer, key);
    text += length > 0 ? "[key]" : std::string_view(answer.substr(0, 1));
    answer.remove_prefix(std::max<size_t>(length, 1));
  }
  return text;
}

ApiKey read_api_key(const std::string& key_env, const fs::path& key_file) {
  if (!key_env.empty() && !key_file.empty()) {
    throw Error("--key-env and --key-file are both given", "", "give one of them");
  }
  ApiKey result;
  if (!key_env.empty()) {
    if (!could_be_a_name(key_env)) {
      throw Error("--key-env takes the name of an environment variable, not the key", "",
                  "put the key into a variable and give its name");
    }
    const char* value = std::getenv(key_env.c_str());
    if (value == nullptr) {
      throw Error("the environment variable is not set", key_env, "export it, or use --key-file");
    }
    result.key = checked_key(value, key_env);
  } else if (!key_file.empty()) {
    const std::string text = read_file(key_file);
    result.key = checked_key(std::string_view(text).substr(0, text.find('\n')), key_file.string());
    std::error_code failure;
    const fs::perms open_to_others = fs::perms::group_all | fs::perms::others_all;
    if ((fs::status(key_file, failure).permissions() & open_to_others) != fs::perms::none &&
        !failure) {
      result.warning =
          fmt::format("{} can be read by other users; `chmod 600` it", key_file.string());
    }
  }
  return result;
}

}  // namespace selene::engine
