#include "check/compare.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "check/batches.h"
#include "core/error.h"
#include "core/text.h"

namespace selene::check {
namespace {

using Json = nlohmann::ordered_json;

std::string text_field(const Answers& answers, const Answer& answer, const char* name) {
  const auto found = answer.fields.find(name);
  if (found == answer.fields.end()) {
    const std::string near = nearest_name(name, answers.columns);
    throw Error(
        fmt::format("the field '{}' is missing", name), place_of(answers, answer),
        fmt::format("map a column to it: --map {}={}", name, near.empty() ? "COLUMN" : near));
  }
  return field_text(*found);
}

std::vector<data::Sample> pairs_of(const Answers& a, const Answers& b,
                                   const std::string& criteria) {
  std::map<std::string_view, const Answer*> others;
  for (const Answer& answer : b.answers) others[answer.id] = &answer;
  size_t missing = 0;
  std::string first;
  std::vector<data::Sample> samples;
  for (const Answer& answer : a.answers) {
    const auto found = others.find(answer.id);
    if (found == others.end()) {
      if (missing++ == 0) first = answer.id;
      continue;
    }
    const Answer& other = *found->second;
    data::Sample sample;
    sample.id = answer.id;
    sample.id_is_integer = answer.id_is_integer;
    sample.task = data::Task::Pairwise;
    sample.labels = data::default_labels(sample.task);
    sample.input = text_field(a, answer, "input");
    if (sample.input != text_field(b, other, "input")) {
      throw Error(fmt::format("the id '{}' has another input in {}", cut_to_columns(answer.id, 60),
                              place_of(b, other)),
                  place_of(a, answer), "give both sets of answers the same ids and inputs");
    }
    sample.response_a = text_field(a, answer, "response");
    sample.response_b = text_field(b, other, "response");
    add_optional_fields(answer, sample);
    if (!criteria.empty()) sample.criteria = criteria;
    others.erase(found);
    samples.push_back(std::move(sample));
  }
  if (missing > 0 || !others.empty()) {
    const bool in_a = missing > 0;
    throw Error(
        fmt::format("{} id{} only in {}, such as '{}'", in_a ? missing : others.size(),
                    (in_a ? missing : others.size()) == 1 ? " is" : "s are", in_a ? a.name : b.name,
                    cut_to_columns(in_a ? first : std::string(others.begin()->first), 60)),
        in_a ? b.name : a.name, "both sets must answer the same ids");
  }
  return samples;
}

Comparison::Row row_of(const data::Judgment& judgment) {
  Comparison::Row row{.id = judgment.id,
                      .id_is_integer = judgment.id_is_integer,
                      .winner = {},
                      .reason = judgment.unreadable,
                      .probabilities = judgment.probabilities,
                      .critique = judgment.critique};
  if (!judgment.label) return row;
  const auto has = [&](std::string_view flag) {
    return std::find(judgment.flags.begin(), judgment.flags.end(), flag) != judgment.flags.end();
  };
  if (has("part_unreadable")) {
    row.reason = "one order has no verdict";
  } else if (has("flipped")) {
    row.winner = "tie";
    row.reason = "the two orders disagree";
  } else {
    row.winner = *judgment.label == "A" || *judgment.label == "B" ? *judgment.label : "tie";
  }
  return row;
}

void check_lengths(judge::Judge& judge, const std::vector<data::Sample>& samples,
                   const std::vector<size_t>& places, const Answers& a, bool skip,
                   std::vector<bool>& fits) {
  for (size_t i = 0; i < samples.size(); ++i) {
    const judge::Fit fit = judge.fit({&samples[i], 1}).front();
    fits[i] = fit.fits();
    if (fits[i] || skip) continue;
    throw Error(fmt::format("the pair is too long for the judge: it needs {} tokens, the context "
                            "has {}",
                            fit.tokens, fit.limit),
                place_of(a, a.answers[places[i]]),
                "give --skip-overlong to count it as without a verdict, or another model");
  }
}

// False when stopped.
bool judge_pairs(const std::vector<data::Sample>& samples, const std::vector<size_t>& places,
                 const Answers& a, const RunOptions& options, Comparison& result) {
  judge::Judge judge = options.open({});
  judge.check(samples);
  std::vector<bool> fits(samples.size(), true);
  check_lengths(judge, samples, places, a, options.skip_overlong, fits);
  size_t done = 0;
  const auto take = [&](size_t index, const data::Judgment& judgment) {
    result.rows[places[index]] = row_of(judgment);
    ++done;
    if (options.progress) options.progress(done, samples.size());
  };
  judge_in_batches(
      judge, fits, [&](size_t i) { return samples[i]; }, options.stop, take);
  if (done < samples.size()) return false;
  if (options.judged) options.judged(judge);
  return true;
}

}  // namespace

std::string Comparison::decision() const {
  if (b_rate && b_rate->interval.low > 0.5) return "better";
  if (b_rate && b_rate->interval.high < 0.5) return "worse";
  return "cannot tell";
}

std::optional<Comparison> compare_answers(const Answers& a, const Answers& b,
                                          const std::string& criteria, const RunOptions& options) {
  const std::vector<data::Sample> pairs = pairs_of(a, b, criteria);
  Comparison result;
  std::vector<data::Sample> samples;
  std::vector<size_t> places;  // Of the samples among the pairs.
  for (const data::Sample& pair : pairs) {
    if (pair.response_a == pair.response_b) {
      result.rows.push_back({.id = pair.id,
                             .id_is_integer = pair.id_is_integer,
                             .winner = "tie",
                             .reason = "the two answers are identical",
                             .probabilities = {},
                             .critique = {}});
      ++result.identical;
      continue;
    }
    samples.push_back(pair);
    places.push_back(result.rows.size());
    result.rows.emplace_back();
  }
  if (!samples.empty() && !judge_pairs(samples, places, a, options, result)) return std::nullopt;
  for (const Comparison::Row& row : result.rows) {
    if (row.winner == "A") ++result.a;
    if (row.winner == "B") ++result.b;
    if (row.winner == "tie") ++result.ties;
    if (row.winner.empty()) ++result.unreadable;
  }
  if (result.unreadable > 0 && result.unreadable + result.identical == std::ssize(result.rows)) {
    const auto first = std::find_if(result.rows.begin(), result.rows.end(),
                                    [](const Comparison::Row& row) { return row.winner.empty(); });
    throw Error(fmt::format("no pair has a verdict, such as the id '{}': {}",
                            cut_to_columns(first->id, 60), first->reason),
                a.name, "look at the judge and its template");
  }
  if (result.a + result.b > 0) result.b_rate = stats::proportion(result.b, result.a + result.b);
  return result;
}

Json to_json(const Comparison::Row& row) {
  Json json = {{"id", data::id_to_json(row.id, row.id_is_integer)}};
  json["winner"] = row.winner.empty() ? Json() : Json(row.winner);
  if (!row.reason.empty()) json["reason"] = row.reason;
  json["probabilities"] = data::to_json(row.probabilities);
  if (!row.critique.empty()) json["critique"] = row.critique;
  return json;
}

Json summary_json(const Comparison& comparison) {
  Json json = {{"pairs", comparison.rows.size()},
               {"a_wins", comparison.a},
               {"b_wins", comparison.b},
               {"ties", comparison.ties},
               {"identical", comparison.identical},
               {"unreadable", comparison.unreadable},
               {"b_win_rate", Json()},
               {"b_is", comparison.decision()}};
  if (comparison.b_rate) json["b_win_rate"] = to_json(*comparison.b_rate);
  return json;
}

}  // namespace selene::check
