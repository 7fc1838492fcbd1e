#include "arena/panel.h"

#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"

namespace selene::arena {
namespace {

constexpr const char* kCriteria =
    "The input holds an answer and the question that was asked of it. Each response is a judge's "
    "judgment of that answer. Which judgment is better: is its verdict right, and does its "
    "reasoning name what matters without inventing anything?";

// The sample as the text that both judgments are about.
std::string described(const StoredSample& stored) {
  const auto sample = nlohmann::ordered_json::parse(stored.json);
  std::string text;
  const std::pair<const char*, const char*> kFields[] = {{"criteria", "Question to the judges"},
                                                         {"input", "Asked"},
                                                         {"context", "Context"},
                                                         {"reference", "A good answer"},
                                                         {"response", "Answer"},
                                                         {"response_a", "Answer A"},
                                                         {"response_b", "Answer B"}};
  for (const auto& [field, name] : kFields) {
    const auto at = sample.find(field);
    if (at == sample.end() || !at->is_string() || at->get_ref<const std::string&>().empty())
      continue;
    text += fmt::format("{}{}:\n{}", text.empty() ? "" : "\n\n", name,
                        at->get_ref<const std::string&>());
  }
  return text;
}

std::string response_of(const StoredJudgment& judgment) {
  return judgment.critique.empty()
             ? fmt::format("Verdict: {}", judgment.label)
             : fmt::format("{}\n\nVerdict: {}", judgment.critique, judgment.label);
}

PanelQuestion question_of(const StoredSample& sample, const StoredJudgment& a,
                          const StoredJudgment& b, std::string vote) {
  PanelQuestion question{
      .sample = {}, .vote = std::move(vote), .judgment_a = a.id, .judgment_b = b.id};
  question.sample.id = question.vote;
  question.sample.task = data::Task::Pairwise;
  question.sample.input = described(sample);
  question.sample.response_a = response_of(a);
  question.sample.response_b = response_of(b);
  question.sample.criteria = kCriteria;
  question.sample.labels = data::default_labels(data::Task::Pairwise);
  return question;
}

std::unordered_map<RowId, std::string> judge_names(Store& store) {
  std::unordered_map<RowId, std::string> names;
  for (auto& [id, name] : store.judges()) names[id] = std::move(name);
  return names;
}

}  // namespace

std::vector<PanelQuestion> panel_questions(Store& store, const std::string& member,
                                           const std::string& about, bool with_self) {
  const auto names = judge_names(store);
  std::unordered_map<RowId, std::vector<StoredJudgment>> by_sample;
  for (StoredJudgment& judgment : store.judgments())
    if (!judgment.label.empty()) by_sample[judgment.sample].push_back(std::move(judgment));
  std::vector<PanelQuestion> questions;
  for (const StoredSample& sample : store.samples()) {
    const std::vector<StoredJudgment>& judgments = by_sample[sample.id];
    for (const StoredJudgment& a : judgments) {
      for (const StoredJudgment& b : judgments) {
        if (a.id == b.id) continue;
        const bool own = names.at(a.judge) == member || names.at(b.judge) == member;
        if (own && !with_self) continue;
        std::string vote =
            sha256(fmt::format("panel\n{}\n{}\n{}\n{}\n{}\n{}\n{}", member, about, sample.digest,
                               names.at(a.judge), names.at(b.judge), a.key, b.key));
        if (store.has_vote(vote)) continue;
        questions.push_back(question_of(sample, a, b, std::move(vote)));
      }
    }
  }
  return questions;
}

std::optional<Vote> panel_vote(Store& store, const PanelQuestion& question,
                               const std::string& member, const data::Judgment& answer) {
  if (!answer.label) return std::nullopt;
  const auto names = judge_names(store);
  const StoredJudgment a = store.judgment(question.judgment_a);
  const StoredJudgment b = store.judgment(question.judgment_b);
  const StoredSample sample = store.sample(a.sample);
  return Vote{.id = question.vote,
              .judge_a = names.at(a.judge),
              .judge_b = names.at(b.judge),
              .outcome = *answer.label == "A"   ? Outcome::A
                         : *answer.label == "B" ? Outcome::B
                                                : Outcome::Tie,
              .voter = store.voter_hash("panel " + member),
              .session = "",
              .time_ms = now_ms(),
              .category = sample.category,
              .sample = sample.digest,
              .judgment_a = a.key,
              .judgment_b = b.key,
              .source = "panel",
              .removed = ""};
}

}  // namespace selene::arena
