// The steps by their makers, for the table of step.cpp. Each reads its options and throws Error
// that names file, line and key.
#pragma once

#include <cstdint>
#include <memory>

#include "curate/step.h"

namespace selene::curate {

using StepPointer = std::unique_ptr<Step>;

StepPointer make_clean(const data::Entry& options, std::uint64_t seed);
StepPointer make_length(const data::Entry& options, std::uint64_t seed);
StepPointer make_language(const data::Entry& options, std::uint64_t seed);
StepPointer make_quality(const data::Entry& options, std::uint64_t seed);
StepPointer make_agreement(const data::Entry& options, std::uint64_t seed);
StepPointer make_exact_duplicates(const data::Entry& options, std::uint64_t seed);
StepPointer make_near_duplicates(const data::Entry& options, std::uint64_t seed);
StepPointer make_contamination(const data::Entry& options, std::uint64_t seed);
StepPointer make_balance(const data::Entry& options, std::uint64_t seed);
StepPointer make_quota(const data::Entry& options, std::uint64_t seed);
StepPointer make_sample(const data::Entry& options, std::uint64_t seed);
StepPointer make_judge(const data::Entry& options, std::uint64_t seed);
StepPointer make_critiques(const data::Entry& options, std::uint64_t seed);
StepPointer make_pairs(const data::Entry& options, std::uint64_t seed);
StepPointer make_reward(const data::Entry& options, std::uint64_t seed);
StepPointer make_mix(const data::Entry& options, std::uint64_t seed);
StepPointer make_split(const data::Entry& options, std::uint64_t seed);

}  // namespace selene::curate
