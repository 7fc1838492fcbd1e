#include "model/model_folder.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

// Without a slash at its end, so that its name and its parent are what they look like.
fs::path plain(fs::path path) {
  path = fs::absolute(path).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

fs::path checked(fs::path path, std::string_view mark, bool overwrite) {
  path = plain(std::move(path));
  if (!path_exists(path)) return path;
  std::error_code failure;
  if (!fs::is_directory(path, failure)) throw Error("it is a file, not a folder", path.string());
  if (fs::is_empty(path, failure)) return path;
  if (!overwrite)
    throw Error("the output folder exists", path.string(),
                "give --overwrite or name another folder");
  if (!path_exists(path / mark)) {
    throw Error(fmt::format("the folder has no {}, so it is not replaced", mark), path.string(),
                "name another folder");
  }
  return path;
}

void move(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) throw Error(fmt::format("cannot write: {}", failure.message()), to.string());
}

}  // namespace

NewFolder::NewFolder(fs::path path, std::string_view mark, bool overwrite)
    : path_(checked(std::move(path), mark, overwrite)), scratch_(path_.parent_path(), ".writing-") {
  std::error_code failure;
  fs::create_directory(scratch_.path() / "new", failure);
  if (failure) throw Error(fmt::format("cannot write: {}", failure.message()), path_.string());
}

fs::path NewFolder::file(std::string_view name) const { return scratch_.path() / "new" / name; }

void NewFolder::commit() {
  const fs::path old = scratch_.path() / "old";
  const bool replaces = path_exists(path_);
  if (replaces) move(path_, old);
  try {
    move(scratch_.path() / "new", path_);
  } catch (const Error&) {
    if (replaces) move(old, path_);
    throw;
  }
}

}  // namespace selene::model
