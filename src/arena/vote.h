// A person's choice between two judges' judgments of one sample, as it is kept and exchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "arena/ballots.h"

namespace selene::arena {

struct Vote {
  std::string id;                // 64 hex digits; the same vote has the same one everywhere.
  std::string judge_a, judge_b;  // Names; A was shown first (left).
  Outcome outcome = Outcome::Tie;
  std::string voter;                       // A salted hash, or empty: not known.
  std::string session;                     // Of one visit, or empty.
  std::int64_t time_ms = 0;                // UTC, since 1970.
  std::optional<std::int64_t> taken_ms{};  // From the offer to the vote.
  std::string category;                    // Of the sample, or empty.
  std::string sample;                      // Its digest, or empty: the vote came without.
  std::string judgment_a, judgment_b;      // Keys in the ledger, or empty.
  std::string source;                      // page, terminal, import, simulate; panel (no person)
  std::string removed;                     // Why it does not count; empty: it counts.
};

// A, B, tie, both_bad.
std::string_view outcome_name(Outcome outcome);
std::optional<Outcome> outcome_from_name(std::string_view name);

// 2026-01-31T12:00:00.000Z and back; nothing for another text or a time before 1970.
std::string time_text(std::int64_t time_ms);
std::optional<std::int64_t> time_from_text(std::string_view text);

// The row format is docs/formats.md, "Vote".
nlohmann::ordered_json to_json(const Vote& vote);

}  // namespace selene::arena
