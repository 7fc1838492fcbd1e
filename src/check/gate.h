// The decision: pass rates with intervals against what they must reach, and against a baseline.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "check/answers.h"
#include "check/checks_file.h"
#include "check/result.h"

namespace selene::check {

// The outcomes of an earlier run, as its --out wrote them.
struct Baseline {
  std::string name;
  struct Row {
    Status status = Status::Skipped;
    std::vector<Status> checks;  // In the order of the checks file.
    nlohmann::ordered_json json;
  };
  std::map<std::string, Row> rows;  // By id.
  // Of OUT.run.json beside it: whether it says what the checks asked, and the judges, null where it
  // does not.
  bool has_digests = false;
  nlohmann::ordered_json judges;
};

// Throws Error: no such rows, other ids than `answers` (says how many, and one of them), other
// checks than `checks`, or where OUT.run.json beside it says so, checks of the same names that ask
// something else.
Baseline read_baseline(const std::filesystem::path& path, const ChecksFile& checks,
                       const Answers& answers);

// What to say where a baseline's judges, as run.json has them, are not those of this run; empty
// where they are the same or not known.
std::string other_judges(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now);

// Of what decides whether an answer passes a check, by its name: digests for run.json.
nlohmann::ordered_json check_digests(const ChecksFile& checks);

// Rates, intervals, changes, agreement with people, and the decision. `gate`: the file's, with what
// flags say. Where it asks for nothing and no check does, every answer must pass.
Report decide(const ChecksFile& checks, const Answers& answers, const Gate& gate,
              const std::optional<Baseline>& baseline, std::vector<AnswerResult> results);

}  // namespace selene::check
