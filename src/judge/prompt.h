// A sample as a request to an engine.
#pragma once

#include <string>
#include <string_view>

#include "data/sample.h"
#include "engine/engine.h"
#include "judge/judge.h"
#include "judge/template.h"

namespace selene::judge {

// Few-shot examples become earlier turns; the critique ends at the result mark. Throws Error as
// render() does.
engine::Request make_request(const Template& form, const data::Sample& sample,
                             const Policy& policy);

// The digest that names a request's result: weights, adapter, engine version and options, template,
// messages, answer start, token limit, stop, sampling, mark and labels. 64 hex digits.
std::string request_key(const engine::EngineId& engine, std::string_view template_digest,
                        const engine::Request& request);

}  // namespace selene::judge
