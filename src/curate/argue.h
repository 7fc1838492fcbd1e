// A request to argue for a verdict that is given: the judge's usual prompt, and behind it our
// instruction. No system message: not every chat template takes one.
#pragma once

#include <string>
#include <string_view>

#include "data/sample.h"
#include "judge/judge.h"
#include "judge/template.h"

namespace selene::curate {

// `label` is one of the sample's. As in a judgment the text ends at the result mark, and the labels
// are scored there: what the teacher itself would conclude is to be seen.
judge::Ask argue(const judge::Template& form, const data::Sample& sample, std::string_view label,
                 const judge::Policy& policy);

}  // namespace selene::curate
