// What a step has to tell the user although it goes on: said at once, and kept for the report.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "curate/step.h"

namespace selene::curate {

class Warnings {
 public:
  static constexpr const char* kFact = "warnings";

  // `step` stands before each.
  void begin(const Resources& resources, std::string_view step) {
    warn_ = resources.warn;
    step_ = step;
    list_ = nlohmann::ordered_json::array();
  }
  void add(const std::string& warning) {
    list_.push_back(warning);
    if (warn_) warn_(fmt::format("{}: {}", step_, warning));
  }
  // Puts them into the step's facts, where there are some.
  void tell(nlohmann::ordered_json& facts) const {
    if (!list_.empty()) facts[kFact] = list_;
  }

 private:
  std::function<void(std::string_view)> warn_;
  std::string step_;
  nlohmann::ordered_json list_ = nlohmann::ordered_json::array();
};

}  // namespace selene::curate
