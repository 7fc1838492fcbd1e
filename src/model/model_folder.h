// A folder of files that appears whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"

namespace selene::model {

class NewFolder {
 public:
  // `path` must not be there, or be an empty folder, or with `overwrite` one that holds `mark`: a
  // folder of another kind is never replaced. Throws Error otherwise.
  NewFolder(std::filesystem::path path, std::string_view mark, bool overwrite);

  // Where to write until commit().
  std::filesystem::path file(std::string_view name) const;
  void commit();

 private:
  std::filesystem::path path_;
  ScratchFolder scratch_;
};

}  // namespace selene::model
