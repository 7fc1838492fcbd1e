// Votes as the ratings see them: small integers in arrays, in the order they were cast, and what
// they come to a pair of judges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace selene::arena {

enum class Outcome : std::uint8_t { A, B, Tie, BothBad };

// One entry a vote, all arrays of one length. Ratings take BothBad for a tie, as LMArena's do.
struct Ballots {
  std::size_t judges = 0;           // At most kMostJudges.
  std::vector<std::uint32_t> a, b;  // Below `judges`.
  std::vector<Outcome> outcome;
  std::vector<std::uint32_t> voter{};  // Equal ones are one person; empty: each vote is another's.

  static constexpr std::size_t kMostJudges = 5'000;
  std::size_t size() const { return outcome.size(); }
};

// What the votes between two judges came to. Numbers of votes; real, so that resamples fit too.
struct PairCount {
  std::uint32_t first = 0;  // first < second
  std::uint32_t second = 0;
  double first_wins = 0;
  double ties = 0;
  double second_wins = 0;
  double total() const { return first_wins + ties + second_wins; }
};

struct PairCounts {
  std::size_t judges = 0;
  std::vector<PairCount> pairs;  // By (first, second); none without a vote.
  std::size_t self = 0;  // Votes between a judge and itself: they say nothing, and are left out.
};

// Throws Error for an index that is no judge's, and for more judges than kMostJudges.
PairCounts count_pairs(const Ballots& ballots);

// Where a judge stands to those that can be rated on one scale.
enum class Standing {
  Rated,
  Above,  // It beat those who are rated, and none of them it: its rating has no upper end.
  Below,  // The reverse.
  Apart,  // No chain of wins or ties says where it is.
  NoVotes
};

// A rating by maximum likelihood is finite where any two judges beat or tied one another through
// others (L. R. Ford, "Solution of a ranking problem from binary comparisons", American
// Mathematical Monthly 64, 1957). Judges fall into groups of which that holds; each has a scale of
// its own.
struct Groups {
  std::vector<std::vector<std::uint32_t>> members;  // Of two and more judges, the most votes first.
  std::vector<Standing> standing;                   // One a judge, towards the first group.
  std::vector<std::size_t> group;                   // An index of `members`, or members.size().
};
Groups groups(const PairCounts& counts);

}  // namespace selene::arena
