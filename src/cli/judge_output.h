// What `selene judge` keeps and counts: the checks of --out, the ledger of a run without one, its
// rows in their order and their counts, and what it says at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/input_rows.h"
#include "data/judgment.h"
#include "data/row_output.h"
#include "engine/engine.h"

namespace selene::cli {

// Of all rows that are done, those from an earlier run included.
struct Counts {
  size_t rows = 0;  // Of the input.
  size_t kept = 0;  // Done by an earlier run.
  size_t judged = 0;
  size_t unreadable = 0;             // Among the judged.
  size_t without_probabilities = 0;  // Among the judged, the unreadable too.
  size_t skipped = 0;
  size_t truncated = 0;
  // Of the parts by a member, an order or a sample; only members with any.
  struct Parts {
    size_t unreadable = 0;
    size_t without_probabilities = 0;  // Among the readable.
  };
  std::map<std::string, Parts> parts{};

  // `judgment` is a row as it is written.
  void add(const nlohmann::ordered_json& judgment);
  size_t done() const { return judged + skipped; }
};

// Counts the rows of an OUT.part of so many lines. Gives what is wrong where they are not the
// judgments of the first rows of `input`.
std::optional<Error> count_kept(const std::filesystem::path& part, size_t lines,
                                const data::InputRows& input, Counts& counts);

nlohmann::ordered_json to_json(const Counts& counts);
nlohmann::ordered_json to_json(const engine::Counters& counters);
nlohmann::ordered_json to_json(std::span<const engine::ServerUse> servers);
std::string summary(const Counts& counts, std::int64_t ledger_hits, double seconds);

// A file that the command reads, and the flag that named it.
struct NamedFile {
  const char* what;
  std::string path;
  bool is_made = false;  // When it is not there yet.
};

// Throws UsageError when writing `out` would write over one of `inputs`.
void check_not_input(const std::filesystem::path& out, std::span<const NamedFile> inputs);

// With --no-ledger, what is finished before its turn to be written is kept in a ledger beside the
// output, so that an interrupt or a kill loses none of it; it goes away with the run's end.
class ScratchLedger {
 public:
  explicit ScratchLedger(const data::RowOutput& output);
  ~ScratchLedger();
  ScratchLedger(const ScratchLedger&) = delete;
  ScratchLedger& operator=(const ScratchLedger&) = delete;

  // For the judge's flags.
  const std::string& path() const { return path_; }
  // Whether the file outlives this object. Until it is said: only when it was there before.
  void keep(bool keep) { keep_ = keep; }

 private:
  std::string path_;
  bool keep_;
};

// What is said when a run stops early, with how to go on. `part` is null without --out.
std::string interrupt_message(const Counts& counts, const data::RowOutput* output, bool has_ledger);

}  // namespace selene::cli
