// The ledger: the content-addressed store of every request and its result, so that no work is lost
// or done twice.
//
// SQLite in WAL mode with full syncs: put() returns when its records are durable, in one
// transaction. Several processes may share a ledger. A record's key is request_key()
// (judge/prompt.h): weights, adapter, engine version, template, messages, sampling, mark and
// labels; where it is known, nothing is computed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace selene {
class Error;
}

namespace selene::judge {

// One request, what it ran on, and what came out: enough to run it again.
struct Record {
  std::string key;  // 64 hex digits
  engine::EngineId engine;
  std::string template_name;
  std::string template_digest;
  engine::Request request;
  engine::Result result;
};

class Ledger {
 public:
  static constexpr std::chrono::milliseconds kPatience{60'000};

  // Makes the file when it is not there. Throws Error, and leaves the file as it is: not a ledger
  // (another SQLite file, another format), damaged, of a newer version, read-only, locked by
  // another program for longer than `patience` (after an interrupt: a second), a full disk. So do
  // all other calls.
  explicit Ledger(std::filesystem::path path, std::chrono::milliseconds patience = kPatience);
  ~Ledger();
  Ledger(Ledger&&) noexcept;

  static std::filesystem::path default_path();  // data_dir()/ledger.sqlite
  const std::filesystem::path& path() const;

  // Makes find() pass over a damaged record, which is told of once; the next put() of its key
  // replaces it. Else find() throws Error.
  void pass_over_damage(std::function<void(const Error&)> tell);
  // One result a key, in their order; nothing where the ledger has none.
  std::vector<std::optional<engine::Result>> find(std::span<const std::string> keys);
  // A record's key may be there already: it is left as it is. All become durable together.
  void put(std::span<const Record> records);

  // Lower-case hex digits, 6 to 64.
  static bool could_be_key(std::string_view key);
  // By the whole key or an unambiguous beginning of at least 6 digits. Throws Error when there is
  // none or several.
  Record get(std::string_view key);
  // The same for each; a damaged record is no error. Returns how many were removed.
  std::uint64_t remove(std::span<const std::string> keys);

  struct Stats {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;     // Of the file.
    std::string oldest, newest;  // UTC, ISO 8601; empty when there are no records.
    struct ByEngine {
      std::string name, model, version;
      std::uint64_t records = 0;
    };
    std::vector<ByEngine> engines;
  };
  Stats stats();

  // All records in the order they came. `damaged` gets the key of one that is not as it was
  // written, and what is wrong with it; without it that Error is thrown.
  void each(const std::function<void(const Record&)>& visit,
            const std::function<void(const std::string& key, const Error&)>& damaged = {});
  // Removes records older than `days` of a model: a digest or its beginning; a name, whatever the
  // server says besides; empty: any. Returns how many.
  std::uint64_t prune(std::string_view model, double days);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A record as a JSON object and back (docs/formats.md, "Ledger record"). record_from_json() throws
// Error on a wrong shape, and when the key or the result's digest is not the record's own.
std::string record_to_json(const Record& record);
Record record_from_json(std::string_view text);

}  // namespace selene::judge
