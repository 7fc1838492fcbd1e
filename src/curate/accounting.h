// What became of the rows: the funnel, step by step and source by source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::curate {

struct Example {
  std::uint64_t order = 0;  // By chance; the least are kept.
  std::string id;
  std::string text;    // An excerpt.
  std::string detail;  // Of a dropped row; of a kept one what was changed.
};

// One source's rows in one step: in = out + dropped, except where a step makes several of one.
struct Counts {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  std::map<std::string, std::uint64_t> dropped;  // By reason.
  std::map<std::string, std::uint64_t> changed;  // By what was changed.
  std::uint64_t made = 0;                        // Pairs, of the step that makes them.
};

struct StepAccount {
  static constexpr std::size_t kExamples = 3;

  std::string step;
  std::string unit = "rows";                            // rows, pairs
  std::vector<std::pair<std::string, Counts>> sources;  // In the order of the recipe.
  std::map<std::string, std::vector<Example>> dropped;  // By reason, kExamples each.
  std::vector<Example> kept;                            // That the step changed; of "load" any.
  nlohmann::ordered_json facts = nlohmann::ordered_json::object();
  double seconds = 0;  // Of the pass that it was part of; not part of the bytes that a seed gives.

  Counts& of(const std::string& source);
  Counts total() const;
};

// The examples with the least `order`, sorted; one more.
void add_example(std::vector<Example>& examples, Example example);

nlohmann::ordered_json to_json(const StepAccount& account);
StepAccount account_from_json(const nlohmann::ordered_json& json);

// Throws std::logic_error where a step's rows do not add up.
void check(const StepAccount& account);

}  // namespace selene::curate
