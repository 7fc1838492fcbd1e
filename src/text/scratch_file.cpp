#include "text/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace selene::text {
namespace {

Error failure(const std::filesystem::path& path, const char* what, int error_number) {
  return Error(fmt::format("cannot {}: {}", what, errno_text(error_number)), path.string(),
               error_number == ENOSPC ? "free some space and run the same command again" : "");
}

}  // namespace

ScratchFile::ScratchFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw failure(path_, "write", errno);
}

ScratchFile::~ScratchFile() {
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

std::uint64_t ScratchFile::append(std::span<const std::byte> bytes) {
  const std::uint64_t place = size_.fetch_add(bytes.size());
  for (std::uint64_t at = place; !bytes.empty();) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw failure(path_, "write", errno);
    at += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return place;
}

void ScratchFile::read(std::uint64_t place, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw failure(path_, "read", errno);
    if (count == 0) throw Error("cannot read: the file was cut", path_.string());
    place += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

}  // namespace selene::text
