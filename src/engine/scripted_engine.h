// The scripted engine: answers from a table, for tests and for trying a template without a model.
#pragma once

#include <functional>
#include <memory>

#include "engine/engine.h"

namespace selene::engine {

// What a script answers to one request; labels are scored by the given log-probabilities.
using Script = std::function<Result(const Request&)>;

// An engine whose results are the script's, given in the requests' order. Its id is the model name
// "scripted".
std::unique_ptr<Engine> make_scripted_engine(Script script, std::int64_t context_limit = 0);

}  // namespace selene::engine
