#include "core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace selene {
namespace {

namespace fs = std::filesystem;

Error write_error(const fs::path& path, int error_number) {
  return Error(fmt::format("cannot write: {}", errno_text(error_number)), path.string(),
               error_number == ENOSPC ? "free some space and run the same command again" : "");
}

Error output_exists(const fs::path& path) {
  return Error("the output file exists", path.string(), "give --overwrite or name another file");
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

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// renameat2(2) between two syncs. Returns 0 or the errno.
int rename_durably(const fs::path& from, const fs::path& to, unsigned flags) {
  if (const int file = ::open(from.c_str(), O_RDONLY | O_CLOEXEC); file >= 0) {
    const int failure = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    if (failure != 0) throw write_error(from, failure);
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) != 0) return errno;
  const fs::path folder = parent_of(to);
  if (const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); opened >= 0) {
    ::fsync(opened);
    ::close(opened);
  }
  return 0;
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

bool path_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)), temporary_(fmt::format("{}.tmp{}", path_.string(), ::getpid())) {
  make_parent(path_);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw write_error(path_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::append(std::string_view bytes) {
  if (const int failure = write_all(descriptor_, bytes); failure != 0)
    throw write_error(path_, failure);
}

void AtomicFile::commit(bool overwrite) {
  if (::fsync(descriptor_) != 0) throw write_error(path_, errno);
  if (overwrite) {
    rename_synced(temporary_, path_);
  } else if (!rename_to_new(temporary_, path_)) {
    throw output_exists(path_);
  }
  ::close(std::exchange(descriptor_, -1));
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.append(bytes);
  file.commit();
}

void rename_synced(const fs::path& from, const fs::path& to) {
  if (const int failure = rename_durably(from, to, 0); failure != 0) throw write_error(to, failure);
}

bool rename_to_new(const fs::path& from, const fs::path& to) {
  int failure = rename_durably(from, to, RENAME_NOREPLACE);
  if (failure == EINVAL) {  // Of a file system that cannot tell (NFS).
    std::error_code ignored;
    failure = fs::exists(fs::symlink_status(to, ignored)) ? EEXIST : rename_durably(from, to, 0);
  }
  if (failure == EEXIST) return false;
  if (failure != 0) throw write_error(to, failure);
  return true;
}

fs::path output_target(const fs::path& path, bool overwrite) {
  fs::path target = link_target(path);
  std::error_code ignored;  // Where it cannot be told, making the file says why.
  const fs::file_status status = fs::status(target, ignored);
  if (fs::is_directory(status) || !target.has_filename())
    throw Error("the output names a folder", path.string(), "name a file");
  if (fs::status(parent_of(target), ignored).type() == fs::file_type::not_found) {
    throw Error("the output's folder is not there", path.string(),
                fmt::format("make it: mkdir -p {}", parent_of(target).string()));
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error("the output is not a regular file", path.string(),
                "write to standard output (-) and redirect that");
  }
  if (fs::exists(status) && !overwrite) throw output_exists(path);
  return target;
}

void check_space(const fs::path& folder, std::uint64_t bytes) {
  std::error_code failure;
  const auto space = fs::space(folder, failure);
  if (failure || space.available >= bytes) return;
  throw Error(
      fmt::format("not enough disk space: {:.1f} MB more are needed, {:.1f} MB are free",
                  static_cast<double>(bytes) / 1e6, static_cast<double>(space.available) / 1e6),
      folder.string(), "free some space and run the same command again");
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

ScratchFolder::ScratchFolder(const fs::path& parent, std::string_view prefix) {
  fs::create_directories(parent);
  std::string name = (parent / prefix).string() + "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    throw Error(fmt::format("cannot make a folder: {}", errno_text(errno)), parent.string());
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

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
