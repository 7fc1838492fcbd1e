// gzip: RFC 1952, by zlib. zstd: RFC 8878, section 3.1; sizes stand in the headers of frames and
// blocks, so that nothing is decompressed.
#include "table/whole_file.h"

#include <zlib.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <vector>

#include "core/error.h"

namespace selene::table {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw Error("the file is damaged or cut short", file.string(), "get it again");
}

void check_gzip(const std::filesystem::path& file) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> opened(gzopen(file.c_str(), "rb"), &gzclose);
  if (!opened) refuse(file);
  constexpr unsigned kBytes = 1 << 18;
  std::vector<char> bytes(kBytes);
  int read = 0;
  while ((read = gzread(opened.get(), bytes.data(), kBytes)) > 0) continue;
  int state = Z_OK;
  gzerror(opened.get(), &state);
  if (read < 0 || state != Z_OK) refuse(file);
}

class ZstdFile {
 public:
  explicit ZstdFile(const std::filesystem::path& file)
      : file_(file), stream_(file, std::ios::binary), size_(std::filesystem::file_size(file)) {}

  void check() {
    while (at_ < size_) {
      constexpr std::uint64_t kFrame = 0xFD2FB528, kSkipped = 0x184D2A50;
      const std::uint64_t magic = number(4);
      if (magic == kFrame) {
        check_frame();
      } else if ((magic & ~std::uint64_t{0xF}) == kSkipped) {
        skip(number(4));
      } else {
        refuse(file_);
      }
    }
  }

 private:
  // Little-endian.
  std::uint64_t number(size_t bytes) {
    std::uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      const int byte = stream_.get();
      if (byte == std::ifstream::traits_type::eof()) refuse(file_);
      value |= static_cast<std::uint64_t>(byte) << (8 * i);
    }
    at_ += bytes;
    return value;
  }

  void skip(std::uint64_t bytes) {
    if (bytes > size_ - at_) refuse(file_);
    at_ += bytes;
    stream_.seekg(static_cast<std::streamoff>(at_));
  }

  void check_frame() {
    constexpr std::array<std::uint64_t, 4> kDictionaryBytes = {0, 1, 2, 4},
                                           kSizeBytes = {0, 2, 4, 8};
    const std::uint64_t descriptor = number(1);
    const bool is_single_segment = (descriptor >> 5 & 1) == 1;
    const bool has_checksum = (descriptor >> 2 & 1) == 1;
    const std::uint64_t size_flag = descriptor >> 6;
    skip((is_single_segment ? 0 : 1) + kDictionaryBytes.at(descriptor & 3) +
         (is_single_segment && size_flag == 0 ? 1 : kSizeBytes.at(size_flag)));
    for (bool is_last = false; !is_last;) {
      constexpr std::uint64_t kRunLength = 1;
      const std::uint64_t header = number(3);
      is_last = (header & 1) == 1;
      skip((header >> 1 & 3) == kRunLength ? 1 : header >> 3);
    }
    if (has_checksum) skip(4);
  }

  std::filesystem::path file_;
  std::ifstream stream_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
};

}  // namespace

void check_whole(const std::filesystem::path& file) {
  std::array<char, 4> begin{};
  std::ifstream(file, std::ios::binary).read(begin.data(), begin.size());
  const std::string_view bytes(begin.data(), begin.size());
  if (bytes.starts_with("\x1F\x8B")) check_gzip(file);
  if (bytes == "\x28\xB5\x2F\xFD") ZstdFile(file).check();
}

}  // namespace selene::table
