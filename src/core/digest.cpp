#include "core/digest.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"

namespace selene {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  ensure(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
         "SHA-256 is missing from OpenSSL");
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  ensure(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1,
         "SHA-256 update failed");
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> raw{};
  ensure(EVP_DigestFinal_ex(state_->context, raw.data(), nullptr) == 1,
         "SHA-256 was already ended");
  std::string text;
  for (unsigned char byte : raw) text += fmt::format("{:02x}", byte);
  return text;
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("cannot read: {}", errno_text(errno)), path.string());
  Sha256 digest;
  std::string buffer(1 << 20, '\0');
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    digest.update({buffer.data(), static_cast<size_t>(file.gcount())});
  }
  if (file.bad()) throw Error("reading failed", path.string());
  return digest.hex();
}

std::string sha256_file_cached(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw Error(errno_text(errno), path.string());
  const std::string key = std::filesystem::absolute(path).lexically_normal().string();
  const std::string stamp =
      fmt::format("{}:{}.{:09}", info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);

  const std::filesystem::path cache_path = cache_dir() / "digests.json";
  nlohmann::json cache = nlohmann::json::object();
  if (std::ifstream file(cache_path); file) {
    cache = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!cache.is_object()) cache = nlohmann::json::object();
  }
  if (auto entry = cache.find(key); entry != cache.end() && entry->is_object() &&
                                    entry->value("stamp", nlohmann::json()) == stamp &&
                                    entry->value("sha256", nlohmann::json()).is_string()) {
    return entry->at("sha256").get<std::string>();
  }
  std::string digest = sha256_file(path);
  cache[key] = {{"stamp", stamp}, {"sha256", digest}};
  try {
    write_file_atomically(cache_path,
                          cache.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
  } catch (const Error&) {
    // Only a cache: the digest is computed again next time.
  }
  return digest;
}

}  // namespace selene
