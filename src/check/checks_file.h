// A checks file (YAML): what is asked of every answer, and what decides. The format is
// docs/formats.md, "Checks file".
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check/answers.h"
#include "check/plain_check.h"
#include "data/sample.h"

namespace selene::check {

// What a judged check asks.
struct Judged {
  data::Task task = data::Task::Classification;
  std::string criteria;
  std::vector<std::string> labels;
  std::vector<std::pair<std::string, std::string>> rubric;
  // Passing: one of these labels, or where there are none the expected score by this comparison.
  std::vector<std::string> pass_labels;
  bool above = false;  // score > pass_score, else score >= pass_score.
  double pass_score = 0;
  std::string human;  // The column with people's labels; empty: none.
  // As --judge, --template and --mode; empty: the file's.
  std::string judge;
  std::string template_spec;
  std::string mode;

  bool passes(const std::string& label) const;  // Of one label, which is one of `labels`.
};

struct Check {
  std::string name;
  std::string place;  // "checks.yaml:12"
  double weight = 1;
  std::string of = "response";  // The field that a plain check looks at.
  // The answers it is for: each field has one of the values. Empty: all.
  std::vector<std::pair<std::string, std::vector<std::string>>> when;
  // And each of these fields is there (true: with a text that is not empty) or not.
  std::vector<std::pair<std::string, bool>> when_present;
  std::optional<double> min_pass_rate;
  std::optional<double> max_drop;  // Against a baseline.
  // One of the two.
  std::optional<Judged> judged;
  std::shared_ptr<const PlainCheck> plain;

  bool applies(const Answer& answer) const;
  std::string description() const;
};

// What the pass rate must reach.
struct Gate {
  std::optional<double> min_pass_rate;  // Of answers.
  bool on_lower = false;                // The lower end of the 95% interval, else the rate itself.
  std::optional<double> max_drop;       // Against a baseline.
};

// What is too close to call.
struct Look {
  double margin = 0;               // Judged outcomes with a smaller one are looked at.
  bool counts_as_unknown = false;  // Else as not passed; likewise where there is no verdict.
};

struct ChecksFile {
  std::string name;
  ColumnMap map;
  std::string map_place;  // "checks.yaml:1"
  std::string judge;
  std::string template_spec;
  std::string mode;
  double threshold = 1;  // The weighted share of its checks that an answer must pass.
  Gate gate;
  Look look;
  std::vector<Check> checks;

  size_t judged() const;
};

// Throws Error that names file, line and key: an unknown key, a value that is none, two checks of
// one name, a check of no kind or of two, a threshold that nothing can reach.
ChecksFile parse_checks(std::string_view yaml, const std::filesystem::path& path);

// Throws Error when a column that the checks read is in no answer (names the nearest).
void check_columns(const ChecksFile& checks, const Answers& answers);

bool has_column(const Answers& answers, const std::string& name);

// Where people's labels of a judged check stand: in its `human`, else `label.NAME`, else `label`
// where it alone is judged. Empty where there is no such column.
std::string human_column(const ChecksFile& checks, const Check& check, const Answers& answers);

// What decides where neither file nor flags say: every answer must pass.
inline constexpr double kDefaultMinPassRate = 1;

// Throws Error (without a place) for a rate that is none, or that the lower end of no interval can
// reach.
void check_rate(double rate, bool on_lower);

}  // namespace selene::check
