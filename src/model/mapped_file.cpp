#include "model/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::model {

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    throw Error(fmt::format("cannot read: {}", errno_text(errno)), path.string());
  }
  struct stat info {};
  const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  void* mapping = nullptr;
  int failure = 0;
  if (regular && info.st_size > 0) {
    size_ = static_cast<size_t>(info.st_size);
    mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping == MAP_FAILED) failure = errno;
  }
  ::close(descriptor);
  if (!regular) throw Error("cannot read: not a file", path.string());
  if (failure != 0) {
    throw Error(fmt::format("cannot read: {}", errno_text(failure)), path.string());
  }
  data_ = static_cast<const char*>(mapping);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

}  // namespace selene::model
