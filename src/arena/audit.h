// Whether votes are honest: each voter's habits, and whose votes a rule leaves out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "arena/board.h"
#include "arena/store.h"

namespace selene::arena {

struct AuditRules {
  std::size_t least_votes = 20;  // Voters with fewer are looked at and never left out.
  // Each is broken where even the interval's kinder end breaks it (95%, Wilson).
  double most_first = 0.75;      // Of the votes that chose a side: for the same side, either one.
  double least_agreement = 0.4;  // With what others chose between the same two judges.
  double least_seconds = 2;      // The median time of a vote.
};

struct VoterAudit {
  std::string voter;
  std::size_t votes = 0;
  std::size_t chose = 0;  // A side.
  double first = 0;       // The share of these for the first.
  double ties = 0;        // The share of all votes that are ties or both bad.
  std::optional<double> median_s{};
  // Of votes that chose a side where most of the others' between the same judges chose one.
  std::size_t compared = 0;
  double agreement = 0;
  std::vector<std::string> reasons{};  // Rules that are broken; empty: the votes count.
};

struct Audit {
  std::vector<VoterAudit> voters;  // The most votes first.
  std::size_t votes = 0;
  std::size_t unknown_voter = 0;  // Votes that do not say whose they are.
  double first = 0;               // Of all that chose a side.
  std::size_t clock_back = 0;     // Votes whose time is before that of the vote before them.
};

// Of people's votes without a tombstone.
Audit audit_votes(Store& store, const AuditRules& rules);

// The ids of the votes of voters who broke a rule, with the rules as the reason.
struct Removal {
  std::string reason;
  std::vector<std::string> ids;
};
std::vector<Removal> removals(Store& store, const Audit& audit);

std::string audit_text(const Audit& audit, std::size_t rows, report::Terminal terminal);
nlohmann::ordered_json to_json(const Audit& audit);
// Two boards of one arena, by judge: ratings before, after, and their difference.
std::string comparison_text(const BoardReport& before, const BoardReport& after,
                            report::Terminal terminal);

}  // namespace selene::arena
