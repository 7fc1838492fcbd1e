// A panel: judges rate judges. Each is shown two judgments of a sample, in both orders, and says
// which is better, as a person would.
#pragma once

#include <string>
#include <vector>

#include "arena/store.h"
#include "data/judgment.h"
#include "data/sample.h"

namespace selene::arena {

// What one member of a panel is asked: a pairwise sample whose responses are the two judgments.
struct PanelQuestion {
  data::Sample sample;
  std::string vote;  // The id of the vote that it will be.
  RowId judgment_a = 0;
  RowId judgment_b = 0;
};

// All pairs of readable judgments of all samples, in both orders, but those that this member (its
// name and what made it) voted on already. Without `with_self` those where one of the two is the
// member's own.
std::vector<PanelQuestion> panel_questions(Store& store, const std::string& member,
                                           const std::string& about, bool with_self);

// The vote that an answer is; nothing for an unreadable one.
std::optional<Vote> panel_vote(Store& store, const PanelQuestion& question,
                               const std::string& member, const data::Judgment& answer);

}  // namespace selene::arena
