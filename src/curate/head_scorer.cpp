#include "curate/head_scorer.h"

#include <fmt/format.h>

#include "core/error.h"
#include "engine/reward_model.h"
#include "model/store.h"

namespace selene::curate {
namespace {

class HeadScorer : public ConversationScorer {
 public:
  explicit HeadScorer(engine::RewardOptions options) : model_(std::move(options)) {}

  std::string name() const override { return model_.id().name; }
  std::string depends_on() const override {
    const engine::EngineId& id = model_.id();
    return fmt::format("{}\n{}\n{}", id.model, id.version, id.options);
  }

  std::vector<std::optional<double>> score(std::span<const Conversation> conversations) override {
    std::vector<engine::RewardInput> inputs;
    for (const Conversation& one : conversations) inputs.push_back(input(one));
    std::vector<std::optional<double>> scores;
    for (const engine::RewardScore& one : model_.score(inputs)) scores.push_back(one.score);
    return scores;
  }

 private:
  engine::RewardInput input(const Conversation& one) const {
    ensure(!one.prompt.empty(), "a pair without a prompt");
    if (model_.takes_pairs()) return engine::TextPair{one.prompt.back().content, one.answer};
    std::vector<engine::Message> messages = one.prompt;
    messages.push_back({"assistant", one.answer});
    return messages;
  }

  engine::RewardModel model_;
};

}  // namespace

std::unique_ptr<ConversationScorer> head_scorer(const std::string& model, int threads) {
  const model::ResolvedModel found = model::resolve_model(model);
  model::check_recorded(found);
  engine::RewardOptions options;
  options.model = found.path;
  options.name = found.name;
  options.threads = threads;
  return std::make_unique<HeadScorer>(std::move(options));
}

}  // namespace selene::curate
