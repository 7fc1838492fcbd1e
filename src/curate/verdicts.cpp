#include "curate/verdicts.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "judge/prompt.h"
#include "judge/verdict.h"

namespace selene::curate {
namespace {

engine::Request request_of(const judge::Template& form, const data::Sample& sample,
                           std::string_view critique) {
  judge::Policy policy;
  policy.mode = critique.empty() ? judge::Mode::Verdict : judge::Mode::Critique;
  engine::Request request = judge::make_request(form, sample, policy);
  if (critique.empty()) return request;
  request.answer_start = engine::answer_body(request, critique);
  request.max_tokens = 0;
  return request;
}

Verdict folded(std::vector<data::Part> parts) {
  data::Judgment judgment;
  judge::combine(std::move(parts), judgment);
  return {.label = std::move(judgment.label), .probabilities = std::move(judgment.probabilities)};
}

}  // namespace

VerdictQuestion verdict_question(const judge::Judge& judge, const data::Sample& sample,
                                 std::string_view critique, judge::Order order) {
  VerdictQuestion question{.labels = sample.labels, .parts = {}};
  for (size_t m = 0; m < judge.members().size(); ++m) {
    try {
      const judge::Template& form = judge.members()[m].templates.pick(sample);
      for (const bool swapped : {false, true}) {
        if (swapped && (sample.task != data::Task::Pairwise || order == judge::Order::One))
          continue;
        question.parts.push_back(
            {.ask = {.request =
                         request_of(form, swapped ? data::swapped(sample) : sample, critique),
                     .template_name = form.name,
                     .template_digest = form.digest,
                     .name = row_name(sample.id)},
             .member = m,
             .swapped = swapped});
      }
    } catch (const Error& failure) {
      throw failure.at(row_name(sample.id));
    }
  }
  return question;
}

std::optional<double> Verdict::probability_of(std::string_view of) const {
  for (const auto& [name, probability] : probabilities) {
    if (name == of) return probability;
  }
  return std::nullopt;
}

std::vector<Verdict> verdicts(judge::Judge& judge, std::span<const VerdictQuestion> questions,
                              const std::function<bool()>& stop) {
  std::vector<std::vector<data::Part>> parts(questions.size());
  std::vector<Verdict> found(questions.size());
  std::vector<bool> whole(questions.size(), true);
  for (size_t m = 0; m < judge.members().size(); ++m) {
    const judge::Member& member = judge.members()[m];
    std::vector<judge::Ask> asks;
    std::vector<std::pair<size_t, bool>> owners;  // The question, and whether it is swapped.
    for (size_t q = 0; q < questions.size(); ++q) {
      for (const VerdictQuestion::Part& part : questions[q].parts) {
        if (part.member != m) continue;
        asks.push_back(part.ask);
        owners.emplace_back(q, part.swapped);
      }
    }
    const std::vector<judge::Judge::Answer> answers = judge.answer(member, asks, stop);
    for (size_t i = 0; i < answers.size(); ++i) {
      const auto [q, swapped] = owners[i];
      found[q].too_long |= !answers[i].fit.fits();
      whole[q] = whole[q] && answers[i].result.has_value();
      if (!answers[i].result) continue;
      data::Part part = judge::make_part(questions[q].labels, *answers[i].result, swapped);
      part.judge = member.name;
      part.weight = member.weight;
      parts[q].push_back(std::move(part));
    }
  }
  for (size_t q = 0; q < questions.size(); ++q) {
    if (whole[q]) found[q] = folded(std::move(parts[q]));
  }
  return found;
}

bool gives_probabilities(judge::Judge& judge, const std::function<bool()>& stop) {
  data::Sample sample;
  sample.id = "whether label probabilities are given";
  sample.task = data::Task::Classification;
  sample.input = "2 + 2?";
  sample.response = "4";
  sample.criteria = "Is the answer right?";
  sample.labels = data::default_labels(sample.task);
  const std::vector<VerdictQuestion> questions{verdict_question(judge, sample)};
  return !verdicts(judge, questions, stop).front().probabilities.empty();
}

std::string row_name(std::string_view id) {
  return fmt::format("row '{}'", cut_to_columns(id, 60));
}

}  // namespace selene::curate
