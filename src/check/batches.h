// Answers as samples of a judge, judged in batches.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "check/answers.h"
#include "data/judgment.h"
#include "data/sample.h"
#include "judge/judge.h"

namespace selene::check {

// Context and reference, where the answer has them.
void add_optional_fields(const Answer& answer, data::Sample& sample);

// Judges as many samples as `fits` has, which are made as they are needed, and gives each judgment
// to `take`, in any order: those that do not fit the context are not judged, and say so. Ends early
// when `stop` (which may be empty) says so.
void judge_in_batches(judge::Judge& judge, const std::vector<bool>& fits,
                      const std::function<data::Sample(size_t index)>& sample_of,
                      const std::function<bool()>& stop,
                      const std::function<void(size_t index, const data::Judgment&)>& take);

}  // namespace selene::check
