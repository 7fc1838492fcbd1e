#include "engine/scripted_engine.h"

#include "core/digest.h"
#include "core/error.h"

namespace selene::engine {
namespace {

class ScriptedEngine : public Engine {
 public:
  ScriptedEngine(Script script, std::int64_t context_limit)
      : script_(std::move(script)), limit_(context_limit) {
    id_ = {.name = "scripted",
           .model = sha256("scripted"),
           .adapter = "",
           .version = "scripted 1",
           .options = ""};
  }

  const EngineId& id() const override { return id_; }
  std::int64_t context_limit() const override { return limit_; }
  bool exact() const override { return true; }

  // One token a byte.
  std::vector<std::int64_t> context_tokens(std::span<const Request> requests) override {
    std::vector<std::int64_t> needs;
    for (const Request& request : requests) {
      size_t bytes = request.answer_start.size() + request.mark.size();
      for (const Message& message : request.messages) bytes += message.content.size();
      needs.push_back(static_cast<std::int64_t>(bytes) + request.max_tokens);
    }
    return needs;
  }

  void run(std::span<const Request> requests, const Events& events) override {
    for (size_t i = 0; i < requests.size(); ++i) {
      if (events.stop && events.stop()) return;
      Result result = script_(requests[i]);
      ensure(result.label_log_probs.empty() ||
                 result.label_log_probs.size() == requests[i].labels.size(),
             "a script must score every label or none");
      if (events.text && !result.text.empty()) events.text(i, result.text);
      Completed completed{i, std::move(result)};
      events.results({&completed, 1});
    }
  }

 private:
  Script script_;
  std::int64_t limit_;
  EngineId id_;
};

}  // namespace

std::unique_ptr<Engine> make_scripted_engine(Script script, std::int64_t context_limit) {
  return std::make_unique<ScriptedEngine>(std::move(script), context_limit);
}

}  // namespace selene::engine
