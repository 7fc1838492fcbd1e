#include "curate/reward_scorer.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "curate/verdicts.h"

namespace selene::curate {
namespace {

// The answer's critique as its template begins it; empty where it gives the verdict alone.
std::string critique_of(std::string_view answer, std::string_view mark, std::string_view word) {
  const std::string verdict = fmt::format("{} {}", mark, word);
  ensure(answer.ends_with(verdict), "an answer without its verdict");
  return std::string(trim(answer.substr(0, answer.size() - verdict.size())));
}

class JudgeScorer : public RewardScorer {
 public:
  explicit JudgeScorer(judge::Judge judge) : judge_(std::move(judge)) {}

  std::string name() const override { return judge_.name(); }
  std::string depends_on() const override { return judge::describe(judge_).dump(); }
  bool gives_probabilities() const override { return true; }

  std::vector<PairScores> score(std::span<const Row> rows,
                                const std::function<bool()>& stop) override {
    std::vector<VerdictQuestion> questions;  // Two a row.
    std::vector<std::string> labels;         // Whose probability is wanted.
    for (const Row& row : rows) {
      const Pair& pair = *row.pair;
      add(row, critique_of(pair.chosen, pair.mark, pair.word), pair.label, questions, labels);
      add(row, critique_of(pair.rejected, pair.mark, pair.rejected_word), pair.rejected_label,
          questions, labels);
    }
    const std::vector<Verdict> found = verdicts(judge_, questions, stop);
    std::vector<PairScores> scores;
    for (size_t i = 0; i < found.size(); i += 2) {
      scores.push_back({.chosen = found[i].probability_of(labels[i]),
                        .rejected = found[i + 1].probability_of(labels[i + 1]),
                        .too_long = found[i].too_long || found[i + 1].too_long});
    }
    return scores;
  }

 private:
  void add(const Row& row, std::string critique, const std::string& own_label,
           std::vector<VerdictQuestion>& questions, std::vector<std::string>& labels) {
    const Pair& pair = *row.pair;
    labels.push_back(critique.empty() ? own_label : pair.label);
    engine::Request request;
    request.messages = pair.prompt;
    request.answer_start = std::move(critique);
    request.mark = pair.mark;
    request.labels = pair.words;
    VerdictQuestion question{.labels = row.sample.labels, .parts = {}};
    for (size_t m = 0; m < judge_.members().size(); ++m) {
      question.parts.push_back({.ask = {.request = request,
                                        .template_name = pair.template_name,
                                        .template_digest = pair.template_digest,
                                        .name = row_name(row.id)},
                                .member = m});
    }
    questions.push_back(std::move(question));
  }

  judge::Judge judge_;
};

class ModelScorer : public RewardScorer {
 public:
  explicit ModelScorer(std::unique_ptr<ConversationScorer> model) : model_(std::move(model)) {}

  std::string name() const override { return model_->name(); }
  std::string depends_on() const override { return model_->depends_on(); }
  bool gives_probabilities() const override { return false; }

  std::vector<PairScores> score(std::span<const Row> rows, const std::function<bool()>&) override {
    std::vector<Conversation> conversations;  // Two a row.
    for (const Row& row : rows) {
      conversations.push_back({row.pair->prompt, row.pair->chosen});
      conversations.push_back({row.pair->prompt, row.pair->rejected});
    }
    const std::vector<std::optional<double>> found = model_->score(conversations);
    std::vector<PairScores> scores;
    for (size_t i = 0; i < found.size(); i += 2)
      scores.push_back({found[i], found[i + 1], !found[i] || !found[i + 1]});
    return scores;
  }

 private:
  std::unique_ptr<ConversationScorer> model_;
};

}  // namespace

std::unique_ptr<RewardScorer> judge_scorer(judge::Judge judge) {
  return std::make_unique<JudgeScorer>(std::move(judge));
}

std::unique_ptr<RewardScorer> model_scorer(std::unique_ptr<ConversationScorer> model) {
  return std::make_unique<ModelScorer>(std::move(model));
}

}  // namespace selene::curate
