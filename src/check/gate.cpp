#include "check/gate.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr Status kStatuses[] = {Status::Passed, Status::Failed, Status::Unknown, Status::Skipped};

Status status_from(const Json& value, const std::string& place) {
  for (const Status one : kStatuses) {
    if (value == status_name(one)) return one;
  }
  throw Error(fmt::format("a status {} is none", cut_to_columns(value.dump(), 60)), place,
              "a baseline is what an earlier run wrote with --out");
}

const Json& member(const Json& object, const char* name, const std::string& place) {
  const auto found = object.find(name);
  if (found != object.end()) return *found;
  throw Error(fmt::format("no field '{}'", name), place,
              "a baseline is what an earlier run wrote with --out");
}

// The names of a row's checks must be the file's.
void check_names(const Json& row, const ChecksFile& checks, const std::string& place) {
  std::vector<std::string> names;
  for (const Check& check : checks.checks) {
    names.push_back(check.name);
    if (!row.contains(check.name)) {
      throw Error(fmt::format("the baseline has no check '{}'", cut_to_columns(check.name, 60)),
                  place, "make it again with these checks");
    }
  }
  for (const auto& [name, value] : row.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(fmt::format("the baseline's check '{}' is not in {}", cut_to_columns(name, 60),
                              checks.name),
                  place, "make it again with these checks");
    }
  }
}

// What the names do not show: the same check, asking something else.
void read_record(const ChecksFile& checks, Baseline& baseline) {
  const std::string record = baseline.name + ".run.json";
  if (!std::filesystem::exists(record)) return;
  const Json run = Json::parse(read_file(record), nullptr, false);
  if (!run.is_object() || !run.contains("checks") || !run["checks"].is_object()) return;
  baseline.has_digests = true;
  if (run.contains("judges")) baseline.judges = run["judges"];
  const Json own = check_digests(checks);
  for (const auto& [name, digest] : own.items()) {
    if (run["checks"].value(name, digest) == digest) continue;
    throw Error(fmt::format("the check '{}' asked something else when the baseline was made",
                            cut_to_columns(name, 60)),
                record, "make the baseline again with these checks");
  }
}

void check_ids(const Baseline& baseline, const Answers& answers) {
  size_t missing = 0;
  std::string first_missing;
  std::map<std::string_view, bool> own;
  for (const Answer& answer : answers.answers) {
    own[answer.id] = true;
    if (!baseline.rows.contains(answer.id) && missing++ == 0) first_missing = answer.id;
  }
  size_t gone = 0;
  std::string first_gone;
  for (const auto& [id, row] : baseline.rows) {
    if (!own.contains(id) && gone++ == 0) first_gone = id;
  }
  if (missing + gone == 0) return;
  std::vector<std::string> what;
  if (missing > 0)
    what.push_back(fmt::format("{} of the answers {} not in it, such as '{}'", missing,
                               missing == 1 ? "is" : "are", cut_to_columns(first_missing, 60)));
  if (gone > 0)
    what.push_back(fmt::format("{} of its answers {} not in {}, such as '{}'", gone,
                               gone == 1 ? "is" : "are", answers.name,
                               cut_to_columns(first_gone, 60)));
  throw Error(fmt::format("the baseline is of other answers: {}", fmt::join(what, "; ")),
              baseline.name, "make it again with these ids; rows without an id have their line's");
}

void count(Status status, RateLine& line) {
  switch (status) {
    case Status::Passed:
      ++line.passed;
      break;
    case Status::Failed:
      ++line.failed;
      break;
    case Status::Unknown:
      ++line.unknown;
      break;
    case Status::Skipped:
      ++line.skipped;
      break;
  }
}

// How many answers, all passing, have an interval whose lower end reaches `rate`.
std::int64_t answers_needed(double rate, std::int64_t at_least) {
  std::int64_t needed = at_least;
  while (stats::proportion(needed, needed).interval.low < rate) needed += needed / 100 + 1;
  return needed;
}

std::string shown(const stats::Estimate& estimate) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", estimate.value, estimate.interval.low,
                     estimate.interval.high);
}

void judge_rate(RateLine& line) {
  const std::int64_t known = line.passed + line.failed;
  if (known > 0) line.rate = stats::proportion(line.passed, known);
  if (!line.min_pass_rate) return;
  const double wanted = *line.min_pass_rate;
  if (!line.rate) {
    line.failure = "nothing was decided, so nothing reaches the pass rate";
    return;
  }
  constexpr double kRounding = 1e-12;
  const double reached = line.on_lower ? line.rate->interval.low : line.rate->value;
  if (reached >= wanted - kRounding) return;
  const std::string most = fmt::format("{} of {} passed", line.passed, known);
  if (!line.on_lower) {
    line.failure = fmt::format("{}: {:.3f}, wanted at least {:g}", most, reached, wanted);
    return;
  }
  line.failure = fmt::format("{}: the interval's lower end is {:.3f}, wanted at least {:g}", most,
                             reached, wanted);
  if (stats::proportion(known, known).interval.low < wanted) {
    *line.failure += fmt::format("; so few answers cannot reach it, it takes at least {}",
                                 answers_needed(wanted, known));
  }
}

void add_failure(const std::string& what, RateLine& line) {
  line.failure = line.failure ? *line.failure + "; " + what : what;
}

// Of the answers decided in both runs.
void judge_change(const stats::PairedCounts& pairs, bool on_lower, RateLine& line) {
  if (pairs.total() == 0) {
    if (!line.max_drop) return;
    add_failure("no answer is decided in both runs, so nothing tells that it has not dropped",
                line);
    return;
  }
  line.change = stats::paired_difference(pairs);
  if (!line.max_drop) return;
  const double drop = on_lower ? -line.change->interval.low : -line.change->value;
  constexpr double kRounding = 1e-12;
  if (drop <= *line.max_drop + kRounding) return;
  const std::string what = fmt::format(
      "{} {:.3f} against the baseline, at most {:g} is allowed (change {})",
      on_lower ? "may have dropped by" : "dropped by", drop, *line.max_drop, shown(*line.change));
  add_failure(what, line);
}

void add_pair(Status before, Status after, stats::PairedCounts& pairs) {
  const auto known = [](Status status) {
    return status == Status::Passed || status == Status::Failed;
  };
  if (!known(before) || !known(after)) return;
  const bool first = before == Status::Passed;
  const bool second = after == Status::Passed;
  ++(first ? (second ? pairs.both : pairs.only_first)
           : (second ? pairs.only_second : pairs.neither));
}

void compare(const Baseline& baseline, const Gate& gate, Report& report) {
  report.has_baseline = true;
  report.baseline_file = baseline.name;
  stats::PairedCounts overall;
  std::vector<stats::PairedCounts> pairs(report.checks.size());
  for (size_t i = 0; i < report.answers.size(); ++i) {
    const AnswerResult& answer = report.answers[i];
    const Baseline::Row& before = baseline.rows.at(answer.id);
    report.before.push_back(before.json);
    add_pair(before.status, answer.status, overall);
    for (size_t c = 0; c < report.checks.size(); ++c) {
      const Status after = answer.outcomes[c].status;
      add_pair(before.checks[c], after, pairs[c]);
      if (before.checks[c] != after)
        report.changes.push_back({.answer = i, .check = c, .before = before.checks[c]});
    }
  }
  judge_change(overall, gate.on_lower, report.overall);
  for (size_t c = 0; c < pairs.size(); ++c) judge_change(pairs[c], gate.on_lower, report.lines[c]);
}

// "smollm2-135m (verdict), selene-1-mini (critique)"
std::string judges_text(const Json& judges) {
  std::vector<std::string> names;
  for (const Json& judge : judges) {
    if (!judge.is_object()) continue;
    std::set<std::string> modes;
    for (const Json& one : judge.value("members", Json::array())) {
      if (one.is_object()) modes.insert(one.value("mode", ""));
    }
    names.push_back(fmt::format("{} ({})", judge.value("name", ""), fmt::join(modes, ", ")));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// An answer may write a verdict in the judge's form to be taken for one; empty where none does.
std::string own_marks(const Report& report) {
  size_t count = 0;
  std::string first;
  for (const AnswerResult& answer : report.answers) {
    const bool has_mark =
        std::any_of(answer.outcomes.begin(), answer.outcomes.end(), [](const Outcome& outcome) {
          return std::find(outcome.flags.begin(), outcome.flags.end(), "mark_in_data") !=
                 outcome.flags.end();
        });
    if (has_mark && count++ == 0) first = answer.id;
  }
  if (count == 0) return "";
  return fmt::format(
      "{} in the form of the judge's verdict, such as '{}': the verdict is read from the judge's "
      "own alone, but such a text may have swayed it",
      count == 1 ? "1 answer has a text" : fmt::format("{} answers have a text", count),
      cut_to_columns(first, 60));
}

void add_notes(const ChecksFile& checks, const Answers& answers, const Gate& gate,
               const std::optional<Baseline>& baseline, Report& report) {
  const auto note = [&](std::string text) { report.notes.push_back(std::move(text)); };
  const auto is_idle = [&](const RateLine& line) {
    return line.skipped == static_cast<std::int64_t>(report.answers.size());
  };
  const auto idle = std::find_if(report.lines.begin(), report.lines.end(), is_idle);
  if (idle != report.lines.end()) {
    const auto others = std::count_if(idle + 1, report.lines.end(), is_idle);
    note(fmt::format("the check '{}'{} for none of the answers", cut_to_columns(idle->name, 60),
                     others == 0 ? " is" : fmt::format(" and {} more are", others)));
  }
  const bool allows_drop =
      gate.max_drop || std::any_of(checks.checks.begin(), checks.checks.end(),
                                   [](const Check& check) { return check.max_drop.has_value(); });
  if (allows_drop && !baseline)
    note("max_drop is not applied: it needs --baseline, the --out of an earlier run");
  if (baseline && !baseline->has_digests) {
    note(
        fmt::format("{}.run.json, which a run writes beside its --out, is missing: nothing tells "
                    "whether the baseline's checks and judge were the same",
                    baseline->name));
  }
  if (const std::string forged = own_marks(report); !forged.empty()) note(forged);
  if (checks.judged() > 1 && has_column(answers, "label")) {
    const bool used = std::any_of(
        checks.checks.begin(), checks.checks.end(),
        [&](const Check& check) { return human_column(checks, check, answers) == "label"; });
    if (!used)
      note(
          "the column 'label' is not used: with several judged checks, write human: label into the "
          "one that it is about");
  }
}

void add_people(const ChecksFile& checks, Report& report) {
  for (size_t c = 0; c < checks.checks.size(); ++c) {
    std::vector<std::pair<std::string, std::string>> ratings;
    for (const AnswerResult& answer : report.answers) {
      const Outcome& outcome = answer.outcomes[c];
      if (outcome.label && outcome.human) ratings.emplace_back(*outcome.label, *outcome.human);
    }
    if (ratings.empty()) continue;
    HumanLine line{.check = checks.checks[c].name,
                   .confusion = stats::confusion(ratings, checks.checks[c].judged->labels),
                   .agreement = {}};
    line.agreement = stats::agreement(line.confusion);
    const Judged& asked = *checks.checks[c].judged;
    if (asked.labels.size() > 2) {
      const auto same = std::count_if(ratings.begin(), ratings.end(), [&](const auto& rating) {
        return asked.passes(rating.first) == asked.passes(rating.second);
      });
      line.same_decision = stats::proportion(same, line.confusion.total());
    }
    report.humans.push_back(std::move(line));
  }
}

}  // namespace

std::string other_judges(const Json& before, const Json& now) {
  if (!before.is_array() || before == now) return "";
  const std::string then = judges_text(before);
  const std::string these = judges_text(now);
  if (then == these) {
    return "the baseline was judged with another model file, template, engine or other settings "
           "of " +
           these + ": a change can come from that";
  }
  return fmt::format(
      "the baseline was judged by {}, these answers by {}: a change can come from that",
      then.empty() ? "nobody" : then, these.empty() ? "nobody" : these);
}

Json check_digests(const ChecksFile& checks) {
  Json digests = Json::object();
  for (const Check& check : checks.checks) {
    Json asks = {{"description", check.description()}, {"of", check.of}, {"when", check.when}};
    if (!check.when_present.empty()) asks["when_present"] = check.when_present;
    if (check.judged) {
      asks["task"] = data::task_name(check.judged->task);
      asks["labels"] = check.judged->labels;
      asks["rubric"] = check.judged->rubric;
      asks["template"] = check.judged->template_spec;
    }
    digests[check.name] = sha256(asks.dump());
  }
  return digests;
}

Baseline read_baseline(const std::filesystem::path& path, const ChecksFile& checks,
                       const Answers& answers) {
  Baseline baseline;
  baseline.name = path.string();
  data::JsonlReader reader(path);
  for (data::Row row; reader.next(row);) {
    const std::string place = fmt::format("{}:{}", baseline.name, row.line);
    const Json& outcomes = member(row.value, "checks", place);
    if (!outcomes.is_object()) throw Error("the field 'checks' must be an object", place);
    check_names(outcomes, checks, place);
    Baseline::Row one;
    one.status = status_from(member(row.value, "status", place), place);
    for (const Check& check : checks.checks) {
      const Json& outcome = outcomes[check.name];
      if (!outcome.is_object())
        throw Error(
            fmt::format("the outcome of '{}' must be an object", cut_to_columns(check.name, 60)),
            place);
      one.checks.push_back(status_from(member(outcome, "status", place), place));
    }
    const std::string id = field_text(member(row.value, "id", place));
    one.json = std::move(row.value);
    if (!baseline.rows.emplace(id, std::move(one)).second)
      throw Error(fmt::format("the id '{}' stands twice", cut_to_columns(id, 60)), place);
  }
  if (baseline.rows.empty()) throw Error("no answers: the file has no rows", baseline.name);
  read_record(checks, baseline);
  check_ids(baseline, answers);
  return baseline;
}

Report decide(const ChecksFile& checks, const Answers& answers, const Gate& gate,
              const std::optional<Baseline>& baseline, std::vector<AnswerResult> results) {
  Report report;
  report.checks_file = checks.name;
  report.answers_file = answers.name;
  report.answers = std::move(results);
  report.overall.name = "overall";
  report.overall.min_pass_rate = gate.min_pass_rate;
  report.overall.on_lower = gate.on_lower;
  if (baseline) report.overall.max_drop = gate.max_drop;
  for (size_t c = 0; c < checks.checks.size(); ++c) {
    const Check& check = checks.checks[c];
    report.checks.push_back(check.name);
    report.descriptions.push_back(check.description());
    RateLine line{
        .name = check.name, .min_pass_rate = check.min_pass_rate, .on_lower = gate.on_lower};
    if (baseline) line.max_drop = check.max_drop;
    for (const AnswerResult& answer : report.answers) count(answer.outcomes[c].status, line);
    judge_rate(line);
    report.lines.push_back(std::move(line));
  }
  const auto asks = [](const RateLine& line) { return line.min_pass_rate || line.max_drop; };
  const bool asked =
      asks(report.overall) || std::any_of(report.lines.begin(), report.lines.end(), asks);
  if (!asked) report.overall.min_pass_rate = kDefaultMinPassRate;
  for (const AnswerResult& answer : report.answers) count(answer.status, report.overall);
  judge_rate(report.overall);
  if (baseline) compare(*baseline, gate, report);
  add_people(checks, report);
  add_notes(checks, answers, gate, baseline, report);
  report.passed = !report.overall.failure &&
                  std::none_of(report.lines.begin(), report.lines.end(),
                               [](const RateLine& line) { return line.failure.has_value(); });
  return report;
}

}  // namespace selene::check
