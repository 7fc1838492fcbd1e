#include "net/download.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "core/text.h"
#include "net/http_get.h"

namespace selene::net {
namespace {

namespace fs = std::filesystem;

std::string megabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.size() > 18 ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return std::stoull(std::string(text));
}

std::string environment(const std::string& name) {
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

// What identifies a file at its server, kept beside the part so that a later call knows whether it
// still fits.
struct Identity {
  std::string url;
  std::string etag;
  std::string sha256;  // As the server gives it; may be empty.
  std::optional<std::uint64_t> size;

  bool operator==(const Identity&) const = default;
};

Identity read_identity(const fs::path& path) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return {};
  const auto json = nlohmann::json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  Identity identity{text("url"), text("etag"), text("sha256"), std::nullopt};
  if (const auto size = json.find("size"); size != json.end() && size->is_number_unsigned()) {
    identity.size = size->get<std::uint64_t>();
  }
  return identity;
}

void write_identity(const fs::path& path, const Identity& identity) {
  nlohmann::ordered_json json{
      {"url", identity.url}, {"etag", identity.etag}, {"sha256", identity.sha256}};
  if (identity.size) json["size"] = *identity.size;
  write_file_atomically(path,
                        json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

// "bytes 100-199/200"; `total` is empty for "*".
struct ContentRange {
  std::uint64_t begin = 0;
  std::optional<std::uint64_t> total;
};

std::optional<ContentRange> parse_content_range(std::string_view text) {
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (!text.starts_with("bytes ") || dash == std::string_view::npos ||
      slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto begin = parse_number(trim(text.substr(6, dash - 6)));
  if (!begin) return std::nullopt;
  return ContentRange{*begin, parse_number(trim(text.substr(slash + 1)))};
}

// Hugging Face's X-Linked-Etag of a large file is its SHA-256 in quotes (of a small one it is a git
// id: not used).
std::string linked_sha256(const HttpResponse& response) {
  std::string text = response.header_of_any_hop("x-linked-etag");
  std::erase(text, '"');
  const bool digest =
      text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return digest ? text : "";
}

bool worth_retrying(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

Error refusal(int status, const std::string& url, const std::string& token_env) {
  std::string remedy;
  if (status == 401 || status == 403) {
    remedy = token_env.empty()
                 ? "check the address"
                 : fmt::format(
                       "check the name; if access needs permission, ask for it on the page of the "
                       "repository and set {} to your token",
                       token_env);
  } else if (status == 404) {
    remedy = "check the name";
  } else if (worth_retrying(status)) {
    remedy = "try again later";
  }
  return Error(fmt::format("the server answers HTTP {}", status), url, remedy);
}

void wait(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end && !interrupted()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// One download over all its attempts.
class Job {
 public:
  explicit Job(const DownloadOptions& options)
      : options_(options),
        part_(options.destination.string() + ".part"),
        identity_path_(options.destination.string() + ".part.json"),
        lock_(made(part_)),
        identity_(read_identity(identity_path_)) {
    std::error_code failure;
    const auto size = fs::file_size(part_, failure);
    if (!failure) size_ = size;
    if (size_ > 0 && !can_resume()) restart();
  }

  ~Job() {
    std::error_code ignored;
    if (size_ > 0) return;
    fs::remove(part_, ignored);
    fs::remove(identity_path_, ignored);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  std::uint64_t size() const { return size_; }
  bool whole() const { return whole_ || (size_ > 0 && identity_.size == size_); }

  // One request. Returns what failed, or an empty text.
  std::string attempt() {
    HttpRequest request{
        .url = options_.url, .token = environment(options_.token_env), .stall = options_.stall};
    if (size_ > 0) {
      request.headers.push_back(fmt::format("Range: bytes={}-", size_));
      // A weak tag may not stand here (RFC 9110, 13.1.5); begin() compares all tags itself.
      if (identity_.etag.starts_with('"')) request.headers.push_back("If-Range: " + identity_.etag);
    }
    status_ = 0;
    const std::string failure =
        http_get(request, {.begin = [this](const HttpResponse& r) { return begin(r); },
                           .part = [this](std::string_view bytes) { return part(bytes); }});
    if (progress_) progress_->clear();
    file_.reset();
    if (changed_) {
      changed_ = false;
      restart();
      return attempt();
    }
    if (status_ >= 300) {
      if (!worth_retrying(status_)) throw refusal(status_, options_.url, options_.token_env);
      return fmt::format("the server answers HTTP {}", status_);
    }
    if (failure.empty() && identity_.size && size_ != *identity_.size) {
      return fmt::format("the connection ended after {} of {} bytes", size_, *identity_.size);
    }
    whole_ = failure.empty();
    return failure;
  }

  Download finish() {
    if (progress_) progress_->finish();
    const std::uint64_t on_disk = fs::file_size(part_);
    if (on_disk != size_) {
      restart();
      throw Error(fmt::format("the file on disk has {} bytes instead of {}", on_disk, size_),
                  part_.string(), "is another download of it running? run the same command again");
    }
    const std::string expected = options_.sha256.empty() ? identity_.sha256 : options_.sha256;
    Download result{.bytes = size_, .sha256 = sha256_file(part_), .verified = !expected.empty()};
    if (result.verified && result.sha256 != expected) {
      restart();
      throw Error(fmt::format("wrong checksum: expected {}, got {}", expected, result.sha256),
                  options_.url, "nothing was kept; run the same command again");
    }
    rename_synced(part_, options_.destination);
    fs::remove(identity_path_);
    return result;
  }

  std::string state() const {
    if (size_ == 0) return "nothing was fetched yet";
    const std::string total =
        identity_.size ? fmt::format(" of {}", megabytes(*identity_.size)) : "";
    return fmt::format("{}{} are kept: run the same command again to go on", megabytes(size_),
                       total);
  }

 private:
  // The file to lock, empty when there is none yet.
  static const fs::path& made(const fs::path& path) {
    std::error_code failure;
    if (!fs::exists(path, failure)) AppendFile(path, 0);
    return path;
  }

  bool can_resume() const {
    const bool known =
        !identity_.etag.empty() || !identity_.sha256.empty() || !options_.sha256.empty();
    return identity_.url == options_.url && known && (!identity_.size || size_ <= *identity_.size);
  }

  void restart() {
    size_ = 0;
    identity_ = {};
    file_.reset();
    std::error_code ignored;
    fs::resize_file(part_, 0, ignored);  // Not removed: the lock is on this file.
    fs::remove(identity_path_, ignored);
  }

  bool begin(const HttpResponse& response) {
    status_ = response.status;
    const bool resumed = size_ > 0;
    if (resumed && status_ == 416) return changed();
    if (status_ >= 300) return false;
    if (status_ != 200 && status_ != 206) throw refusal(status_, options_.url, options_.token_env);

    Identity now{options_.url, response.header("etag"), linked_sha256(response), std::nullopt};
    if (status_ == 206) {
      const auto range = parse_content_range(response.header("content-range"));
      if (!resumed || !range || range->begin != size_) return changed();
      now.size = range->total;
      if (now != identity_) return changed();
    } else {
      now.size = parse_number(response.header("content-length"));
      size_ = 0;  // From the start, asked for or not.
    }
    check_linked_size(response, now);
    check_space(now);
    file_ = std::make_unique<AppendFile>(part_, size_);
    if (now != identity_ || !resumed) write_identity(identity_path_, now);
    identity_ = now;
    start_progress();
    return true;
  }

  bool part(std::string_view bytes) {
    file_->append(bytes);
    size_ += bytes.size();
    progress_->set(size_);
    return true;
  }

  bool changed() {
    changed_ = size_ > 0;
    if (!changed_)
      throw Error("the server sent a part of the file that was not asked for", options_.url);
    return false;
  }

  void check_linked_size(const HttpResponse& response, const Identity& now) const {
    const auto linked = parse_number(response.header_of_any_hop("x-linked-size"));
    if (linked && now.size && *linked != *now.size) {
      throw Error(fmt::format("the server announces {} bytes and sends {}", *linked, *now.size),
                  options_.url, "try again later");
    }
  }

  void check_space(const Identity& now) const {
    if (!now.size) return;
    const fs::path folder = part_.has_parent_path() ? part_.parent_path() : fs::path(".");
    selene::check_space(folder, *now.size - std::min(size_, *now.size));
  }

  void start_progress() {
    progress_ = std::make_unique<Progress>(Progress::Options{.label = options_.label,
                                                             .total = identity_.size.value_or(0),
                                                             .bytes = true,
                                                             .silent = options_.silent});
    progress_->resume_from(size_);
  }

  const DownloadOptions& options_;
  fs::path part_;
  fs::path identity_path_;
  FileLock lock_;
  Identity identity_;
  std::uint64_t size_ = 0;  // Of the part.
  bool whole_ = false;
  bool changed_ = false;  // The part is of another file than the server has now.
  int status_ = 0;
  std::unique_ptr<AppendFile> file_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace

Download download(const DownloadOptions& options) {
  std::error_code ignored;
  if (options.destination.has_parent_path())
    fs::create_directories(options.destination.parent_path(), ignored);
  Job job(options);
  for (int failures = 0; !job.whole();) {
    const std::uint64_t before = job.size();
    std::string failure;
    try {
      failure = job.attempt();
    } catch (const Error& error) {
      if (!interrupted()) throw;
      throw Error(error.message(), options.url, job.state());
    }
    if (job.whole()) break;
    failures = job.size() > before ? 1 : failures + 1;
    if (failures >= options.attempts) throw Error(failure, options.url, job.state());
    wait(options.backoff * (1 << std::min(failures - 1, 5)));
  }
  return job.finish();
}

std::string fetch_text(const std::string& url, std::uint64_t max_bytes) {
  constexpr int kAttempts = 3;
  for (int i = 1;; ++i) {
    std::string text;
    int status = 0;
    const auto begin = [&](const HttpResponse& response) {
      status = response.status;
      return status == 200;
    };
    const auto part = [&](std::string_view bytes) {
      if (text.size() + bytes.size() > max_bytes) {
        throw Error(fmt::format("larger than {} bytes", max_bytes), url,
                    "is this the right address?");
      }
      text += bytes;
      return true;
    };
    const std::string failure = http_get({.url = url}, {.begin = begin, .part = part});
    if (failure.empty() && status == 200) return text;
    if (failure.empty() && (!worth_retrying(status) || i == kAttempts))
      throw refusal(status, url, "");
    if (i == kAttempts) throw Error(failure, url, "try again later");
    wait(std::chrono::milliseconds(500) * i);
  }
}

}  // namespace selene::net
