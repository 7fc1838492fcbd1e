// Runs the checks of a file over answers: the plain ones here, the judged ones as batches of a
// judge, where all checks of one answer stand side by side and share its prompt's beginning.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "check/answers.h"
#include "check/checks_file.h"
#include "check/people.h"
#include "check/result.h"
#include "judge/judge.h"

namespace selene::check {

// What names a judge: checks that have the same run as one batch.
struct JudgeChoice {
  std::string judge;
  std::string template_spec;
  std::string mode;
  auto operator<=>(const JudgeChoice&) const = default;
};

struct RunOptions {
  // Opens a judge, the command line's flags over the choice. Throws Error.
  std::function<judge::Judge(const JudgeChoice& choice)> open;
  PeopleLabels people{};  // Beside those in the answers' columns, and before them.
  // Samples that do not fit the context count as without a verdict, else they are an Error.
  bool skip_overlong = false;
  std::function<bool()> stop{};
  std::function<void(size_t done, size_t total)> progress{};
  std::function<void(const judge::Judge& judge)> judged{};  // After its last batch.
};

// One result an answer; false when stopped before the last. Throws Error with the place of the
// answer, and when no check is for any answer.
bool run_checks(const ChecksFile& checks, const Answers& answers, const RunOptions& options,
                std::vector<AnswerResult>& results);

// The outcome of a judged check.
Outcome outcome_of(const Judged& asked, const Look& look, const data::Judgment& judgment);

// The status of an answer and its weighted score, from its outcomes: passed when the share of
// passed among those that are known reaches `threshold` however the unknown ones would come out,
// failed when it cannot, else unknown.
void sum_up(const ChecksFile& checks, AnswerResult& result);

}  // namespace selene::check
