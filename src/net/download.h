// Files over HTTPS: resumed where an earlier attempt ended, and checked before they get their name.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace selene::net {

struct DownloadOptions {
  std::string url;  // https; http only for a loopback host.
  std::filesystem::path destination;
  std::string
      sha256{};  // Expected; empty: the one that Hugging Face sends (X-Linked-Etag), if any.
  std::string
      token_env{};  // Name of a variable with a bearer token, sent to the URL's own host only.
  std::string label = "downloading";  // Of the progress line.
  bool silent = false;
  int attempts = 5;                         // In a row without a new byte.
  std::chrono::milliseconds backoff{1000};  // Before the second attempt; doubled for each one more.
  std::chrono::seconds stall{30};           // Without data for this long: the attempt has failed.
};

struct Download {
  std::uint64_t bytes = 0;
  std::string sha256;
  bool verified = false;  // There was a checksum to compare with.
};

// Fetches into `destination.part`, with what identifies the file at the server in
// `destination.part.json`, and renames when size and checksum are right. A part left by an earlier
// call is gone on with when the server still has the same file, else begun anew. Needs Range
// support for that only.
//
// Throws Error on a refusing server (with the status and what to do), a lost connection after all
// attempts, a full disk, Ctrl-C (these keep the part), a wrong checksum (both digests; the part is
// removed) and another process that fetches the same file.
Download download(const DownloadOptions& options);

// A small text, such as a template. Throws Error as above, and when it is larger than `max_bytes`.
std::string fetch_text(const std::string& url, std::uint64_t max_bytes = 1 << 20);

}  // namespace selene::net
