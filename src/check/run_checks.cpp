#include "check/run_checks.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "check/batches.h"
#include "core/error.h"
#include "core/text.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

// A field that is text, as everything is that a check or a judge reads.
std::string text_field(const Answer& answer, const std::string& name) {
  const auto found = answer.fields.find(name);
  if (found == answer.fields.end()) {
    throw Error(fmt::format("the field '{}' is missing", name), "",
                "fill it, or leave the answer out of the check with 'when'");
  }
  return field_text(*found);
}

// False when stopped.
bool run_plain(const Check& check, const Answers& answers, size_t index,
               const std::function<bool()>& stop, std::vector<AnswerResult>& results) {
  for (size_t i = 0; i < answers.answers.size(); ++i) {
    const Answer& answer = answers.answers[i];
    if (stop && stop()) return false;
    if (!check.applies(answer)) continue;
    Outcome& outcome = results[i].outcomes[index];
    try {
      const PlainVerdict verdict =
          check.plain->evaluate(text_field(answer, check.of), answer.fields);
      outcome.status = verdict.passed ? Status::Passed : Status::Failed;
      outcome.reason = verdict.reason;
    } catch (const Error& failure) {
      throw failure.at(
          fmt::format("{}, check '{}'", place_of(answers, answer), cut_to_columns(check.name, 60)));
    }
  }
  return true;
}

// An answer as the sample that a check asks about.
data::Sample sample_of(const Check& check, const Answer& answer) {
  const Judged& asked = *check.judged;
  data::Sample sample;
  sample.id = answer.id;
  sample.task = asked.task;
  sample.input = text_field(answer, "input");
  sample.response = text_field(answer, "response");
  add_optional_fields(answer, sample);
  sample.criteria = asked.criteria;
  sample.labels = asked.labels;
  sample.rubric = asked.rubric;
  return sample;
}

// One check of one answer that a judge answers.
struct Question {
  size_t answer = 0;
  size_t check = 0;
};

// By judge; within one, the checks of an answer side by side, those of one task and one set of
// labels next to each other, since their prompts begin alike.
std::map<JudgeChoice, std::vector<Question>> questions_of(const ChecksFile& checks,
                                                          const Answers& answers) {
  const auto choice_of = [&](const Judged& asked) {
    const auto own_or = [](const std::string& own, const std::string& common) {
      return own.empty() ? common : own;
    };
    return JudgeChoice{own_or(asked.judge, checks.judge),
                       own_or(asked.template_spec, checks.template_spec),
                       own_or(asked.mode, checks.mode)};
  };
  std::vector<size_t> order;
  for (size_t c = 0; c < checks.checks.size(); ++c) {
    if (checks.checks[c].judged) order.push_back(c);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Judged& first = *checks.checks[a].judged;
    const Judged& second = *checks.checks[b].judged;
    return std::tie(first.task, first.labels) < std::tie(second.task, second.labels);
  });
  std::map<JudgeChoice, std::vector<Question>> questions;
  for (size_t i = 0; i < answers.answers.size(); ++i) {
    for (const size_t c : order) {
      const Check& check = checks.checks[c];
      if (check.applies(answers.answers[i])) questions[choice_of(*check.judged)].push_back({i, c});
    }
  }
  return questions;
}

std::string percent(double probability) { return fmt::format("{:.0f}%", 100 * probability); }

class JudgedRun {
 public:
  JudgedRun(const ChecksFile& checks, const Answers& answers, const RunOptions& options,
            std::vector<AnswerResult>& results)
      : checks_(checks), answers_(answers), options_(options), results_(results) {}

  // False when stopped.
  bool run() {
    const auto questions = questions_of(checks_, answers_);
    for (const auto& [choice, list] : questions) total_ += list.size();
    for (const auto& asked : questions) {
      const std::vector<Question>& list = asked.second;  // clang 14 captures no structured binding.
      judge::Judge judge = open(asked.first, check_of(list.front()));
      std::vector<bool> fits(list.size(), true);
      check_templates(judge, list);
      check_lengths(judge, list, fits);
      judge_in_batches(
          judge, fits, [&](size_t i) { return sample_of(list[i]); }, options_.stop,
          [&](size_t i, const data::Judgment& judgment) { take(list[i], judgment); });
      if (stopped() && done_ < total_) return false;
      if (options_.judged) options_.judged(judge);
    }
    return done_ == total_;
  }

 private:
  bool stopped() const { return options_.stop && options_.stop(); }
  // A judge or template that a check names itself is an error of that check's line.
  judge::Judge open(const JudgeChoice& choice, const Check& first) const {
    try {
      return options_.open(choice);
    } catch (const Error& failure) {
      const bool own = !first.judged->judge.empty() || !first.judged->template_spec.empty();
      if (own && failure.where().empty()) throw failure.at(first.place);
      throw;
    }
  }
  const Check& check_of(const Question& question) const { return checks_.checks[question.check]; }
  data::Sample sample_of(const Question& question) const {
    const Answer& answer = answers_.answers[question.answer];
    try {
      return check::sample_of(check_of(question), answer);
    } catch (const Error& failure) {
      throw failure.at(place(question));
    }
  }
  std::string place(const Question& question) const {
    return fmt::format("{}, check '{}'", place_of(answers_, answers_.answers[question.answer]),
                       cut_to_columns(check_of(question).name, 60));
  }

  void check_templates(judge::Judge& judge, const std::vector<Question>& questions) const {
    for (const Question& question : questions) {
      const data::Sample sample = sample_of(question);
      try {
        judge.check({&sample, 1});
      } catch (const Error& failure) {
        throw failure.at(place(question));
      }
    }
  }

  void check_lengths(judge::Judge& judge, const std::vector<Question>& questions,
                     std::vector<bool>& fits) const {
    size_t overlong = 0;
    std::string first;
    for (size_t i = 0; i < questions.size(); ++i) {
      if (stopped()) return;
      const data::Sample sample = sample_of(questions[i]);
      const judge::Fit fit = judge.fit({&sample, 1}).front();
      fits[i] = fit.fits();
      if (fits[i] || overlong++ > 0) continue;
      first = fmt::format("{} needs {} tokens, the context has {}", place(questions[i]), fit.tokens,
                          fit.limit);
    }
    if (overlong == 0 || options_.skip_overlong) return;
    throw Error(fmt::format("{} sample{} too long for the judge: {}", overlong,
                            overlong == 1 ? " is" : "s are", first),
                "", "give --skip-overlong to count them as without a verdict, or another model");
  }

  void take(const Question& question, const data::Judgment& judgment) {
    Outcome& outcome = results_[question.answer].outcomes[question.check];
    std::optional<std::string> human = std::move(outcome.human);
    outcome = outcome_of(*check_of(question).judged, checks_.look, judgment);
    outcome.human = std::move(human);
    ++done_;
    if (options_.progress) options_.progress(done_, total_);
  }

  const ChecksFile& checks_;
  const Answers& answers_;
  const RunOptions& options_;
  std::vector<AnswerResult>& results_;
  size_t done_ = 0;
  size_t total_ = 0;
};

// The label that people gave for a check of an answer: of the labels' file, else of the column.
std::optional<std::string> human_label(const Check& check, const Answer& answer,
                                       const std::string& column, const PeopleLabels& people) {
  if (const auto found = people.find({answer.id, check.name}); found != people.end())
    return found->second;
  const auto found = column.empty() ? answer.fields.end() : answer.fields.find(column);
  if (found == answer.fields.end()) return std::nullopt;
  return std::string(trim(field_text(*found)));
}

// "did you mean 'Yes'?" for yes.
std::string near_label(std::string_view label, const std::vector<std::string>& labels) {
  for (const std::string& one : labels) {
    if (std::equal(one.begin(), one.end(), label.begin(), label.end(), [](char a, char b) {
          return std::tolower(static_cast<unsigned char>(a)) ==
                 std::tolower(static_cast<unsigned char>(b));
        }))
      return fmt::format("did you mean '{}'?", one);
  }
  return "";
}

void add_people(const ChecksFile& checks, const Answers& answers, const PeopleLabels& people,
                std::vector<AnswerResult>& results) {
  for (size_t c = 0; c < checks.checks.size(); ++c) {
    const Check& check = checks.checks[c];
    if (!check.judged) continue;
    const std::string column = human_column(checks, check, answers);
    for (size_t i = 0; i < answers.answers.size(); ++i) {
      const Answer& answer = answers.answers[i];
      if (!check.applies(answer)) continue;
      const auto label = human_label(check, answer, column, people);
      if (!label) continue;
      const std::vector<std::string>& labels = check.judged->labels;
      if (std::find(labels.begin(), labels.end(), *label) == labels.end()) {
        throw Error(fmt::format("the label '{}' in '{}' is none of {} of the check '{}'",
                                cut_to_columns(*label, 60), column, fmt::join(labels, ", "),
                                cut_to_columns(check.name, 60)),
                    place_of(answers, answer), near_label(*label, labels));
      }
      results[i].outcomes[c].human = *label;
    }
  }
}

// How far a verdict is from the other side, 0 to 1; nothing where only a label is known.
std::optional<double> margin_of(const Judged& asked, const data::Judgment& judgment) {
  if (judgment.probabilities.empty()) return std::nullopt;
  if (!asked.pass_labels.empty()) {
    double difference = 0;
    for (const auto& [label, probability] : judgment.probabilities) {
      const bool passes = std::find(asked.pass_labels.begin(), asked.pass_labels.end(), label) !=
                          asked.pass_labels.end();
      difference += passes ? probability : -probability;
    }
    return std::abs(difference);
  }
  if (!judgment.score) return std::nullopt;
  std::vector<double> values;
  for (const std::string& label : asked.labels) values.push_back(*data::label_number(label));
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return std::abs(*judgment.score - asked.pass_score) / (*most - *least);
}

}  // namespace

Outcome outcome_of(const Judged& asked, const Look& look, const data::Judgment& judgment) {
  Outcome outcome;
  outcome.label = judgment.label;
  outcome.probabilities = judgment.probabilities;
  outcome.score = judgment.score;
  outcome.margin = margin_of(asked, judgment);
  outcome.critique = judgment.critique;
  outcome.flags = judgment.flags;
  const bool by_score = asked.pass_labels.empty();
  const std::string wanted =
      by_score ? fmt::format("a score {} {:g}", asked.above ? ">" : ">=", asked.pass_score)
               : fmt::format("{}", fmt::join(asked.pass_labels, " or "));
  const Status open = look.counts_as_unknown ? Status::Unknown : Status::Failed;
  if (!judgment.label) {
    outcome.status = open;
    outcome.look = true;
    outcome.reason = "no verdict could be read: " + judgment.unreadable;
    return outcome;
  }
  if (by_score && !judgment.score) {  // A server that gives no probabilities: the label alone.
    outcome.score = data::label_number(*judgment.label);
  }
  const bool passed =
      by_score
          ? (asked.above ? *outcome.score > asked.pass_score : *outcome.score >= asked.pass_score)
          : std::find(asked.pass_labels.begin(), asked.pass_labels.end(), *judgment.label) !=
                asked.pass_labels.end();
  outcome.status = passed ? Status::Passed : Status::Failed;
  if (by_score) {
    outcome.reason = fmt::format("score {:.2f}, wanted {}", *outcome.score, wanted);
  } else {
    const auto found = std::find_if(judgment.probabilities.begin(), judgment.probabilities.end(),
                                    [&](const auto& one) { return one.first == *judgment.label; });
    outcome.reason = found == judgment.probabilities.end()
                         ? fmt::format("judged {}, wanted {}", *judgment.label, wanted)
                         : fmt::format("judged {} ({}), wanted {}", *judgment.label,
                                       percent(found->second), wanted);
  }
  if (look.margin > 0 && outcome.margin && *outcome.margin < look.margin) {
    outcome.status = open;
    outcome.look = true;
    outcome.reason += fmt::format("; too close to call (margin {:.2f})", *outcome.margin);
  }
  return outcome;
}

void sum_up(const ChecksFile& checks, AnswerResult& result) {
  double passed = 0;
  double failed = 0;
  double unknown = 0;
  for (size_t c = 0; c < checks.checks.size(); ++c) {
    const double weight = checks.checks[c].weight;
    switch (result.outcomes[c].status) {
      case Status::Passed:
        passed += weight;
        break;
      case Status::Failed:
        failed += weight;
        break;
      case Status::Unknown:
        unknown += weight;
        break;
      case Status::Skipped:
        break;
    }
  }
  const double all = passed + failed + unknown;
  if (passed + failed > 0) result.score = passed / (passed + failed);
  if (all == 0) return;
  constexpr double kRounding = 1e-9;
  const double wanted = checks.threshold - kRounding;
  if (passed / all >= wanted) {
    result.status = Status::Passed;
  } else if ((passed + unknown) / all < wanted) {
    result.status = Status::Failed;
  } else {
    result.status = Status::Unknown;
  }
}

bool run_checks(const ChecksFile& checks, const Answers& answers, const RunOptions& options,
                std::vector<AnswerResult>& results) {
  results.clear();
  for (const Answer& answer : answers.answers) {
    AnswerResult result;
    result.id = answer.id;
    result.id_is_integer = answer.id_is_integer;
    result.line = answer.line;
    result.fields = answer.fields;
    result.outcomes.resize(checks.checks.size());
    results.push_back(std::move(result));
  }
  const auto is_asked = [&](const Answer& answer) {
    return std::any_of(checks.checks.begin(), checks.checks.end(),
                       [&](const Check& check) { return check.applies(answer); });
  };
  if (std::none_of(answers.answers.begin(), answers.answers.end(), is_asked)) {
    throw Error("every check is skipped: none is for any of the answers", checks.name,
                "look at the 'when' of the checks");
  }
  for (size_t c = 0; c < checks.checks.size(); ++c) {
    if (checks.checks[c].plain && !run_plain(checks.checks[c], answers, c, options.stop, results))
      return false;
  }
  add_people(checks, answers, options.people, results);
  if (!JudgedRun(checks, answers, options, results).run()) return false;
  for (AnswerResult& result : results) sum_up(checks, result);
  return true;
}

}  // namespace selene::check
