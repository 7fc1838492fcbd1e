// A file of a work in hand: written at its end and read anywhere, with no part of it in our memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace selene::text {

// From any number of threads. Every Error names the file and the cause (a full disk).
class ScratchFile {
 public:
  // Makes it; it must not be there. Its folder is there.
  explicit ScratchFile(std::filesystem::path path);
  // Removes it.
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  // Gives the place of the first byte.
  std::uint64_t append(std::span<const std::byte> bytes);
  // All of `bytes`, which were appended before.
  void read(std::uint64_t place, std::span<std::byte> bytes) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::atomic<std::uint64_t> size_ = 0;
};

}  // namespace selene::text
