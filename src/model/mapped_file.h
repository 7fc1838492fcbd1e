// A whole file as read-only bytes (mmap), so that a model of gigabytes is read only where it is
// looked at.
#pragma once

#include <filesystem>
#include <string_view>

namespace selene::model {

class MappedFile {
 public:
  // Throws Error when `path` is not a regular file that can be read.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Valid as long as this object. A file that another process cuts meanwhile ends the program
  // (SIGBUS).
  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace selene::model
