// Standard output, checked: what cannot be written is an error, not a silent loss.
#pragma once

#include <string_view>

namespace selene::cli {

// Both throw Error when standard output cannot be written (a full disk, a closed descriptor).
void put(std::string_view text);
// Writes what put() has held back; main does so after every command.
void flush_output();

}  // namespace selene::cli
