// What scores a pair's two answers: a judge, or a reward model.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "curate/row.h"
#include "judge/judge.h"

namespace selene::curate {

// One answer to a prompt, as a reward model reads it.
struct Conversation {
  std::vector<engine::Message> prompt;
  std::string answer;
};

// A reward model, whatever runs it. Higher is better, on its own scale.
class ConversationScorer {
 public:
  virtual ~ConversationScorer() = default;
  virtual std::string name() const = 0;
  virtual std::string depends_on() const = 0;  // Weights and engine: what else its scores are of.
  // One a conversation, of it alone; nothing where it is too long for the model.
  virtual std::vector<std::optional<double>> score(std::span<const Conversation> conversations) = 0;
};

struct PairScores {
  std::optional<double> chosen;
  std::optional<double> rejected;
  bool too_long = false;  // One of them is, for the scorer's context.
};

class RewardScorer {
 public:
  virtual ~RewardScorer() = default;
  virtual std::string name() const = 0;
  virtual std::string depends_on() const = 0;
  virtual bool gives_probabilities() const = 0;  // From 0 to 1; else the scale is its own.
  // One a row, all with pairs. Nothing is scored any more once `stop` says so.
  virtual std::vector<PairScores> score(std::span<const Row> rows,
                                        const std::function<bool()>& stop) = 0;
};

// An answer's score is the probability that the judge gives the pair's label after the answer's
// critique, in the pair's own prompt; of an answer without a critique, that of the label which the
// answer gives.
std::unique_ptr<RewardScorer> judge_scorer(judge::Judge judge);
// An answer's score is the model's, of the pair's prompt and the whole answer.
std::unique_ptr<RewardScorer> model_scorer(std::unique_ptr<ConversationScorer> model);

}  // namespace selene::curate
