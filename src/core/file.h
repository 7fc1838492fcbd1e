// Files: whole reads, atomic writes, an append-only row file that survives a kill, and the user's
// folders.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace selene {

std::string read_file(const std::filesystem::path& path);

// Whether there is something of this name; false too where no file can have it (it is too long).
bool path_exists(const std::filesystem::path& path);

// A file written under a temporary name of its own beside `path` and renamed when it is whole.
// Until then, and after a failure, `path` is as it was. Every Error names `path` and the cause (a
// full disk, no permission).
class AtomicFile {
 public:
  // Makes missing parent folders.
  explicit AtomicFile(std::filesystem::path path);
  // Removes what was not committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void append(std::string_view bytes);
  // Syncs and renames to `path`. Once, at the end. Without `overwrite`, Error where `path` is
  // there.
  void commit(bool overwrite = true);

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

// An AtomicFile of these bytes.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

// Renames after syncing the file and then the folder, so that a crash leaves either the old or the
// new file.
void rename_synced(const std::filesystem::path& from, const std::filesystem::path& to);
// The same, and false with nothing done where `to` is there.
bool rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to);

// The file that a user named as output: link_target(path). Throws Error when it is a folder or no
// regular file, when its folder is not there, and without `overwrite` when it exists.
std::filesystem::path output_target(const std::filesystem::path& path, bool overwrite);

// Throws Error when the disk of `folder` has not `bytes` free.
void check_space(const std::filesystem::path& folder, std::uint64_t bytes);

// The file that `path` names: where it leads when it is a symbolic link, whether or not that file
// is there; `path` itself otherwise. Throws Error for links that go in a circle.
std::filesystem::path link_target(const std::filesystem::path& path);

// A file or folder that one process alone works on while this lives (flock(2)).
class FileLock {
 public:
  // A file is made when it is not there. Throws Error when another process has it locked; a file
  // system without locks is passed over.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

// A new folder for a work in hand, removed at the end with all that is in it.
class ScratchFolder {
 public:
  // In `parent`, which is made when it is not there; its name begins with `prefix`.
  ScratchFolder(const std::filesystem::path& parent, std::string_view prefix);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Rows appended one at a time, each with one write(2), so that a killed process leaves at most one
// unfinished last row. Not thread-safe.
class AppendFile {
 public:
  // Opens `path` and cuts it to `keep_bytes` (0: a new, empty file).
  AppendFile(std::filesystem::path path, std::uint64_t keep_bytes);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // `row` is a line with its newline, or a record that tells its size. On failure (a full disk) the
  // part that was written is cut off again, so that every row in the file is whole, and the Error
  // says how to go on.
  void append(std::string_view row);
  void sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// `SELENE_DATA_HOME`, else `$XDG_DATA_HOME/selene`, else `~/.local/share/selene`: models and
// ledgers.
std::filesystem::path data_dir();
// `SELENE_CACHE`, else `$XDG_CACHE_HOME/selene`, else `~/.cache/selene`: what can be made again.
std::filesystem::path cache_dir();

}  // namespace selene
