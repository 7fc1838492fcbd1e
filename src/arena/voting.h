// Offers of blind pairs to voters, and their votes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arena/store.h"

namespace selene::arena {

// What a voter sees: a sample and two judgments without names.
struct Shown {
  std::string token;
  StoredSample sample;
  StoredJudgment a;
  StoredJudgment b;
};

// What a vote tells: whose judgments they were.
struct Told {
  std::string judge_a;
  std::string judge_b;
};

// One at a time; several processes may vote on one store. The pool is read when it is opened.
class Voting {
 public:
  // Throws Error where no sample has readable judgments of two judges.
  explicit Voting(Store& store);
  ~Voting();
  Voting(Voting&&) noexcept;

  // The voter's open pair, else the next: chosen by Pairing, on the sample that was shown least,
  // the sides by chance. Never one that the voter had. Nothing where the voter has had all.
  std::optional<Shown> next(std::string_view voter, std::string_view session);
  // Durable when it returns. Throws Error for a token that was not offered to this voter, that has
  // a vote, or that is older than a day.
  Told vote(std::string_view token, std::string_view voter, Outcome outcome,
            std::string_view source);

  std::size_t votes_here() const;  // Cast through this.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace selene::arena
