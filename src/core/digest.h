// SHA-256 (OpenSSL) of text and files, as 64 lower-case hex digits.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace selene {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  // Ends the digest; update() must not be called after it.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);

// Reads the whole file. Throws Error when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

// The same, remembered under `cache_dir()/digests.json` by absolute path, size and modification
// time (ns), so that a model of gigabytes is read once. A cache that cannot be written or read is
// passed over.
std::string sha256_file_cached(const std::filesystem::path& path);

}  // namespace selene
