#include "core/lock.h"

#include <fmt/format.h>

#include "core/embedded.h"
#include "core/error.h"
#include "core/text.h"

namespace selene {
namespace {

std::string_view lock_text() {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == "third_party.lock") return file.text;
  }
  throw std::logic_error("third_party.lock is not part of this build");
}

}  // namespace

std::vector<std::string> lock_values(std::string_view section, std::string_view key) {
  std::vector<std::string> values;
  bool inside = false;
  std::string_view text = lock_text();
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      inside = line == fmt::format("[{}]", section);
      continue;
    }
    const size_t equals = line.find('=');
    if (inside && equals != std::string_view::npos && trim(line.substr(0, equals)) == key) {
      values.emplace_back(trim(line.substr(equals + 1)));
    }
  }
  if (values.empty()) throw Error(fmt::format("no '{}' in [{}]", key, section), "third_party.lock");
  return values;
}

std::string lock_value(std::string_view section, std::string_view key) {
  return lock_values(section, key).front();
}

}  // namespace selene
