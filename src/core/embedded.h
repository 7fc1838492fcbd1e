// The data files compiled into the program (templates/*.yaml and third_party.lock), so that one
// file is all that a user has to copy. They are embedded by src/core/CMakeLists.txt.
#ifndef SELENE_CORE_EMBEDDED_H_
#define SELENE_CORE_EMBEDDED_H_

#include <span>
#include <string_view>

namespace selene {

struct EmbeddedFile {
  std::string_view name;  // path from the root of the repository, such as "templates/absolute.yaml"
  std::string_view text;  // its bytes
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace selene

#endif  // SELENE_CORE_EMBEDDED_H_
