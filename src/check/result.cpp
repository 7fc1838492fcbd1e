#include "check/result.h"

#include "check/report_text.h"
#include "core/error.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

Json outcome_json(const Outcome& outcome) {
  Json row = Json::object();
  row["status"] = status_name(outcome.status);
  if (!outcome.reason.empty()) row["reason"] = outcome.reason;
  if (outcome.look) row["look"] = true;
  if (outcome.label) row["label"] = *outcome.label;
  if (!outcome.probabilities.empty()) row["probabilities"] = data::to_json(outcome.probabilities);
  if (outcome.score) row["score"] = *outcome.score;
  if (outcome.margin) row["margin"] = *outcome.margin;
  if (!outcome.critique.empty()) row["critique"] = outcome.critique;
  if (!outcome.flags.empty()) row["flags"] = outcome.flags;
  if (outcome.human) row["human"] = *outcome.human;
  return row;
}

Json line_json(const RateLine& line) {
  Json row = Json::object();
  row["name"] = line.name;
  row["passed"] = line.passed;
  row["failed"] = line.failed;
  row["unknown"] = line.unknown;
  row["skipped"] = line.skipped;
  if (line.rate) row["rate"] = to_json(*line.rate);
  if (line.min_pass_rate) {
    row["min_pass_rate"] = *line.min_pass_rate;
    row["on"] = line.on_lower ? "lower" : "point";
  }
  if (line.change) row["change"] = to_json(*line.change);
  if (line.max_drop) row["max_drop"] = *line.max_drop;
  if (line.failure) row["failure"] = *line.failure;
  return row;
}

Json human_json(const HumanLine& human) {
  Json row = Json::object();
  row["check"] = human.check;
  row["items"] = human.confusion.total();
  row["observed"] = to_json(human.agreement.observed);
  row["most_frequent"] = human.agreement.most_frequent;
  if (human.agreement.has_kappa) row["kappa"] = to_json(human.agreement.kappa);
  if (human.same_decision) row["same_decision"] = to_json(*human.same_decision);
  row["labels"] = human.confusion.labels;
  row["counts"] = human.confusion.counts;
  return row;
}

Json change_json(const Report& report, const Change& change) {
  const AnswerResult& answer = report.answers.at(change.answer);
  Json row = Json::object();
  row["id"] = data::id_to_json(answer.id, answer.id_is_integer);
  row["check"] = report.checks.at(change.check);
  row["before"] = status_name(change.before);
  row["now"] = status_name(answer.outcomes.at(change.check).status);
  return row;
}

}  // namespace

std::string_view status_name(Status status) {
  switch (status) {
    case Status::Passed:
      return "passed";
    case Status::Failed:
      return "failed";
    case Status::Unknown:
      return "unknown";
    case Status::Skipped:
      return "skipped";
  }
  ensure(false, "a status without a name");
  return {};
}

Json to_json(const stats::Estimate& estimate) {
  return {
      {"value", estimate.value}, {"low", estimate.interval.low}, {"high", estimate.interval.high}};
}

Json to_json(const AnswerResult& answer, const std::vector<std::string>& checks) {
  ensure(answer.outcomes.size() == checks.size(), "an outcome a check");
  Json row = Json::object();
  row["id"] = data::id_to_json(answer.id, answer.id_is_integer);
  row["status"] = status_name(answer.status);
  if (answer.score) row["score"] = *answer.score;
  Json& outcomes = row["checks"] = Json::object();
  for (size_t i = 0; i < checks.size(); ++i) {
    outcomes[checks[i]] = outcome_json(answer.outcomes[i]);
  }
  row["fields"] = answer.fields.is_null() ? Json::object() : answer.fields;
  return row;
}

Json summary_json(const Report& report) {
  Json summary = Json::object();
  summary["passed"] = report.passed;
  summary["checks_file"] = report.checks_file;
  summary["answers_file"] = report.answers_file;
  if (!report.notes.empty()) summary["notes"] = report.notes;
  summary["overall"] = line_json(report.overall);
  summary["checks"] = Json::array();
  for (const RateLine& line : report.lines) summary["checks"].push_back(line_json(line));
  if (!report.humans.empty()) {
    summary["agreement"] = Json::array();
    for (const HumanLine& human : report.humans) summary["agreement"].push_back(human_json(human));
  }
  if (report.has_baseline) {
    Json& baseline = summary["baseline"] = Json::object();
    baseline["file"] = report.baseline_file;
    baseline["changes"] = Json::array();
    for (const Change& change : report.changes) {
      baseline["changes"].push_back(change_json(report, change));
    }
  }
  return summary;
}

Json failures_json(const Report& report) {
  constexpr size_t kMost = 100;
  Json failures = Json::array();
  for (const Part part : {Part::FailsGate, Part::Counts, Part::None}) {
    for (const AnswerResult& answer : report.answers) {
      for (size_t check = 0; check < report.checks.size(); ++check) {
        const Outcome& outcome = answer.outcomes.at(check);
        if (outcome.status != Status::Failed || part_in_gate(report, answer, check) != part)
          continue;
        if (failures.size() >= kMost) return failures;
        Json row = {{"id", data::id_to_json(answer.id, answer.id_is_integer)},
                    {"line", answer.line},
                    {"check", report.checks[check]},
                    {"decides", part != Part::None},
                    {"reason", outcome.reason}};
        if (!outcome.critique.empty()) row["critique"] = outcome.critique;
        failures.push_back(std::move(row));
      }
    }
  }
  return failures;
}

}  // namespace selene::check
