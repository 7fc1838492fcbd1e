// third_party.lock: the one place where the version, source and checksum of every third-party part
// stand.
//
// Lines of `key = value` under `[section]` headings; a key may repeat (sources, tried in order);
// `#` starts a comment. The program carries the file of its build (embedded.h), so that `selene
// models pull` and the set-up scripts agree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace selene {

// The values of a key in file order. Throws Error when the section or the key is not there.
std::vector<std::string> lock_values(std::string_view section, std::string_view key);
std::string lock_value(std::string_view section, std::string_view key);

}  // namespace selene
