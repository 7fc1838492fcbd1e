// An arena's file (SQLite): samples, judges, their judgments, offers of pairs, and votes.
//
// Votes and offers are only ever added; a vote that must not count gets a tombstone with a reason.
// What returned is durable. Several programs may work on one arena.
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

#include "arena/ballots.h"
#include "arena/vote.h"
#include "data/database.h"
#include "data/judgment.h"
#include "data/sample.h"

namespace selene::arena {

using RowId = std::int64_t;  // Of a row of the store, from 1.

struct StoredSample {
  RowId id = 0;
  std::string digest;    // Of its JSON: the same sample is there once.
  std::string name;      // Its own id.
  std::string category;  // Its field `category`, else its group, else empty.
  std::string json;      // The row, as docs/formats.md has samples.
};

struct StoredJudgment {
  RowId id = 0;
  RowId sample = 0;
  RowId judge = 0;
  std::string key;    // In the ledger; of several parts the digest of theirs.
  std::string label;  // Empty: unreadable, and not offered.
  std::string critique;
  std::string json;  // The judgment; only from judgment().
};

// Two judgments of one sample, as one voter is shown them.
struct Offer {
  std::string token;  // 32 hex digits that cannot be guessed: what a vote is cast with.
  RowId judgment_a = 0;
  RowId judgment_b = 0;
  std::string voter;
  std::string session;
  std::int64_t time_ms = 0;
};

// Votes as arrays, in the order they came, those with a tombstone left out.
struct BoardVotes {
  std::vector<std::string> judges;  // By name; those of the board's votes and of the pool.
  Ballots ballots;
  std::vector<std::uint32_t> category;  // An index of `categories` each.
  std::vector<std::string> categories;
  std::vector<std::string> voters;  // What Ballots::voter counts; "" is nobody known.
  std::size_t removed = 0;
};

enum class Board { People, Panel };

class Store {
 public:
  static constexpr std::chrono::milliseconds kPatience{60'000};

  // Throws Error as data::Database does.
  explicit Store(std::filesystem::path path, data::Opening opening = data::Opening::MustBeThere,
                 std::chrono::milliseconds patience = kPatience);
  ~Store();
  Store(Store&&) noexcept;
  const std::filesystem::path& path() const;

  // --- the pool ---
  // Returns how many are new.
  std::size_t add_samples(std::span<const data::Sample> samples);
  std::vector<StoredSample> samples();
  // `about` is what made its judgments (judge::describe); empty: not known. Throws Error for
  // another `about` of a name that is there.
  RowId add_judge(std::string_view name, std::string_view about);
  std::vector<std::pair<RowId, std::string>> judges();
  // One a sample and judge; one that is there is left as it is. Returns how many are new.
  struct Judged {
    RowId sample = 0;
    const data::Judgment* judgment = nullptr;
  };
  std::size_t add_judgments(RowId judge, std::span<const Judged> judgments);
  // Of all samples, without their JSON.
  std::vector<StoredJudgment> judgments();
  StoredJudgment judgment(RowId id);
  StoredSample sample(RowId id);

  // --- voting ---
  // Of this name or address: the same always, here alone.
  std::string voter_hash(std::string_view who);
  // Survives a kill; a power cut may lose it.
  void add_offer(const Offer& offer);
  struct Open {
    RowId id = 0;
    Offer offer;
    bool voted = false;
  };
  std::optional<Open> find_offer(std::string_view token);
  // The voter's last offer that has no vote.
  std::optional<Open> open_offer(std::string_view voter);
  // (judgment, judgment), the smaller first, of all offers of a voter.
  std::vector<std::pair<RowId, RowId>> offered(std::string_view voter);
  // The vote of an offer. Throws Error for one that has a vote.
  void vote(const Open& offer, Outcome outcome, std::string_view source, std::int64_t time_ms,
            std::int64_t taken_ms);

  // --- votes ---
  // All or none; one whose id is there is left as it is. Returns how many are new.
  // Judges are added by name.
  std::size_t add_votes(std::span<const Vote> votes);
  bool has_vote(std::string_view id);
  // In the order they came.
  void each_vote(const std::function<void(const Vote&)>& visit);
  // Tombstones. Throws Error for an id that is no vote's; one that has a tombstone keeps it.
  // Returns how many are new.
  std::size_t remove(std::span<const std::string> ids, std::string_view reason,
                     std::int64_t time_ms);
  BoardVotes board(Board board);
  std::uint64_t vote_count();
  std::int64_t last_vote_ms();  // 0: none.

  // Named texts of the arena, such as its true strengths where it is simulated.
  void set_note(std::string_view name, std::string_view text);
  std::string note(std::string_view name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// From the system: for tokens and salts.
std::string random_hex(std::size_t bytes);
std::int64_t now_ms();

}  // namespace selene::arena
