// What a judge thinks of labels, with or without a critique before the verdict: probabilities
// folded over its members and orders, as in a judgment (judge/verdict.h).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/judgment.h"
#include "data/sample.h"
#include "judge/judge.h"

namespace selene::curate {

// One verdict that is wanted: a request a member and an order.
struct VerdictQuestion {
  struct Part {
    judge::Ask ask;
    size_t member = 0;
    bool swapped = false;  // Shows the responses in the other order.
  };
  std::vector<std::string> labels;  // Of the sample: one for each that a request scores.
  std::vector<Part> parts;
};

// About a sample in the members' own templates. `critique` is the judge's, as it would have written
// it; empty: the verdict alone. Throws Error, naming the row, where no template fits.
VerdictQuestion verdict_question(const judge::Judge& judge, const data::Sample& sample,
                                 std::string_view critique = {},
                                 judge::Order order = judge::Order::One);

struct Verdict {
  std::optional<std::string> label{};  // The most probable. Nothing: too long, unreadable, stopped.
  data::Distribution probabilities{};  // Empty where an engine has none.
  bool too_long = false;               // For the context of a member.

  std::optional<double> probability_of(std::string_view of) const;
};

// One a question, each of its question alone, through the judge's ledger. Throws Error when an
// engine fails.
std::vector<Verdict> verdicts(judge::Judge& judge, std::span<const VerdictQuestion> questions,
                              const std::function<bool()>& stop = {});

// Whether the judge gives probabilities: asks it for a verdict on a small sample.
bool gives_probabilities(judge::Judge& judge, const std::function<bool()>& stop = {});

// What errors call a row.
std::string row_name(std::string_view id);

}  // namespace selene::curate
