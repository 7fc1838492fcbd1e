// A sample as a row again.
#pragma once

#include <nlohmann/json.hpp>

#include "data/sample.h"

namespace selene::data {

// What sample_from_json() reads the same sample of. The same sample, the same bytes.
nlohmann::ordered_json to_json(const Sample& sample);

}  // namespace selene::data
