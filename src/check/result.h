// What checks gave: an outcome for each check of each answer, and what the whole comes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/judgment.h"
#include "stats/agreement.h"
#include "stats/proportion.h"

namespace selene::check {

enum class Status {
  Passed,
  Failed,
  Unknown,  // Too close to call, or no readable verdict, where the checks file counts those as
            // unknown.
  Skipped   // The check is not for this answer.
};
std::string_view status_name(Status status);  // passed, failed, unknown, skipped

// One check of one answer.
struct Outcome {
  Status status = Status::Skipped;
  std::string reason;  // One sentence for a person, also of a pass; empty where it was skipped.
  bool look = false;   // A person should look: the margin is small, or no verdict could be read.
  // Of judged checks only.
  std::optional<std::string> label{};
  data::Distribution probabilities{};
  std::optional<double> score{};
  // How far it is from the other side, 0 to 1: |P(passes) - P(does not)|, for a score its distance
  // to the wanted one by that of the outermost labels.
  std::optional<double> margin{};
  std::string critique{};
  std::vector<std::string> flags{};
  std::optional<std::string> human{};  // The label that a person gave.
};

// One answer.
struct AnswerResult {
  std::string id;
  bool id_is_integer = false;
  size_t line = 0;  // Of the answers' file.
  nlohmann::ordered_json fields;
  std::vector<Outcome> outcomes;    // One a check, in the order of the checks file.
  Status status = Status::Skipped;  // Of all: see ChecksFile::threshold.
  std::optional<double> score{};    // Weighted share of passed among its known outcomes, 0..1.
};

// What one line of the decision says: of a check, or of all ("overall").
struct RateLine {
  std::string name;
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t unknown = 0;
  std::int64_t skipped = 0;
  std::optional<stats::Estimate> rate{};  // passed of passed + failed; none where both are 0.
  std::optional<double> min_pass_rate{};  // None: the line reports and decides nothing.
  bool on_lower = false;                  // Whether the interval's lower end must reach it.
  // Against the baseline; `before` and `after` are of the answers known in both runs.
  std::optional<stats::Estimate> change{};
  std::optional<double> max_drop{};
  std::optional<std::string> failure{};  // Why the gate fails here.
};

// A judged check's agreement with people.
struct HumanLine {
  std::string check;
  stats::Confusion confusion;  // The judge's labels by people's.
  stats::Agreement agreement;
  // Share of items where both labels pass or both do not; where there are more than two labels.
  std::optional<stats::Estimate> same_decision{};
};

// An answer and a check whose outcome is another than in the baseline.
struct Change {
  size_t answer = 0;
  size_t check = 0;
  Status before = Status::Skipped;
};

struct Report {
  std::string checks_file;
  std::string answers_file;
  std::vector<std::string> checks;        // Names.
  std::vector<std::string> descriptions;  // One a check, such as "contains 'refund'".
  std::vector<AnswerResult> answers;
  RateLine overall;             // Of answers.
  std::vector<RateLine> lines;  // One a check.
  std::vector<HumanLine> humans;
  bool has_baseline = false;
  std::string baseline_file;
  std::vector<Change> changes;
  // The baseline's rows, as its --out wrote them, one an answer; none without a baseline.
  std::vector<nlohmann::ordered_json> before;
  std::vector<std::string> notes;  // What a reader must know beside the figures, a sentence each.
  bool passed = false;             // The gate.
};

nlohmann::ordered_json to_json(const stats::Estimate& estimate);
// A row of --out (docs/formats.md, "Check result").
nlohmann::ordered_json to_json(const AnswerResult& answer, const std::vector<std::string>& checks);
// The decision, for run.json and --format json.
nlohmann::ordered_json summary_json(const Report& report);
// The failed outcomes, at most 100 of them, for --format json: those that fail the gate first.
nlohmann::ordered_json failures_json(const Report& report);

}  // namespace selene::check
