#include "core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "core/error.h"

namespace selene {
namespace {

namespace fs = std::filesystem;

Error write_error(const fs::path& path, int error_number) {
  return Error(fmt::format("cannot write: {}", errno_text(error_number)), path.string(),
               error_number == ENOSPC ? "free some space and run the same command again" : "");
}

// Writes all of `bytes`, going on after short writes and signals. Returns 0 or the errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

void make_parent(const fs::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  if (failure) {
    throw Error(fmt::format("cannot make the folder: {}", failure.message()),
                path.parent_path().string());
  }
}

fs::path user_dir(const char* ours, const char* xdg, const char* fallback) {
  const auto set = [](const char* name) -> const char* {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
  };
  if (const char* value = set(ours)) return value;
  if (const char* value = set(xdg)) return fs::path(value) / "selene";
  if (const char* value = set("HOME")) return fs::path(value) / fallback / "selene";
  throw Error("no home folder: HOME is not set", "", fmt::format("set {} to a folder", ours));
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw Error("cannot read: not a file", path.string());
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("cannot read: {}", errno_text(errno)), path.string());
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) throw Error("reading failed", path.string());
  return text;
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  make_parent(path);
  const fs::path temporary = fmt::format("{}.tmp{}", path.string(), ::getpid());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) throw write_error(path, errno);
  int failure = write_all(descriptor, bytes);
  if (failure == 0 && ::fsync(descriptor) != 0) failure = errno;
  if (::close(descriptor) != 0 && failure == 0) failure = errno;
  if (failure != 0) {
    ::unlink(temporary.c_str());
    throw write_error(path, failure);
  }
  try {
    rename_synced(temporary, path);
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void rename_synced(const fs::path& from, const fs::path& to) {
  if (const int file = ::open(from.c_str(), O_RDONLY | O_CLOEXEC); file >= 0) {
    const int failure = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    if (failure != 0) throw write_error(from, failure);
  }
  if (::rename(from.c_str(), to.c_str()) != 0) throw write_error(to, errno);
  const fs::path parent = to.has_parent_path() ? to.parent_path() : fs::path(".");
  if (const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

fs::path link_target(const fs::path& path) {
  constexpr int kMostLinks = 40;  // Linux' own limit.
  fs::path at = path;
  std::error_code ignored;
  for (int links = 0; fs::is_symlink(fs::symlink_status(at, ignored)); ++links) {
    if (links == kMostLinks) throw Error("symbolic links go in a circle", path.string());
    at = at.parent_path() / fs::read_symlink(at);  // An absolute target replaces the folder.
  }
  return at;
}

FileLock::FileLock(const fs::path& path) {
  make_parent(path);
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // Enough for a lock; a folder too.
  if (descriptor_ < 0 && errno == ENOENT)
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw write_error(path, errno);
  bool taken = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  // The other process may have renamed the file since it was opened.
  struct stat opened {};
  struct stat named {};
  taken = taken || ::fstat(descriptor_, &opened) != 0 || ::stat(path.c_str(), &named) != 0 ||
          opened.st_ino != named.st_ino;
  if (taken) {
    ::close(descriptor_);
    throw Error("another process is at work on it", path.string(),
                "wait until it ends, then run the same command again");
  }
}

FileLock::~FileLock() { ::close(descriptor_); }

AppendFile::AppendFile(fs::path path, std::uint64_t keep_bytes)
    : path_(std::move(path)), size_(keep_bytes) {
  make_parent(path_);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw write_error(path_, errno);
  if (::ftruncate(descriptor_, static_cast<off_t>(keep_bytes)) != 0) {
    const int failure = errno;
    ::close(descriptor_);
    throw write_error(path_, failure);
  }
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view row) {
  if (const int failure = write_all(descriptor_, row); failure != 0) {
    [[maybe_unused]] const int cut = ::ftruncate(descriptor_, static_cast<off_t>(size_));
    throw write_error(path_, failure);
  }
  size_ += row.size();
}

void AppendFile::sync() {
  if (::fsync(descriptor_) != 0) throw write_error(path_, errno);
}

fs::path data_dir() { return user_dir("SELENE_DATA_HOME", "XDG_DATA_HOME", ".local/share"); }

fs::path cache_dir() { return user_dir("SELENE_CACHE", "XDG_CACHE_HOME", ".cache"); }

}  // namespace selene
