#include "engine/endpoint_engine.h"

#include <map>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "engine/chat_steps.h"
#include "engine/fleet.h"
#include "engine/known_servers.h"
#include "engine/openai_chat.h"

namespace selene::engine {
namespace {

// Raise when the calls that a request becomes, or what is read from their answers, change.
constexpr int kProtocolRevision = 2;
constexpr std::chrono::milliseconds kStopInterval{50};
constexpr size_t kAlternativeBytes = 256;  // With its bytes as numbers.
constexpr size_t kTokenBytes = 4 << 10;

// The requests of one run() on their way.
struct Run {
  std::span<const Request> requests;
  const Events& events;
  const ServedModel& served;
  std::map<size_t, ChatSteps> running{};
  size_t next = 0;  // To be started.
  size_t delivered = 0;
};

class EndpointEngine : public Engine {
 public:
  explicit EndpointEngine(const EndpointOptions& options) : options_(options), fleet_(options) {}

  const EngineId& id() const override;
  std::vector<std::int64_t> context_tokens(std::span<const Request> requests) override {
    return std::vector<std::int64_t>(requests.size(), 0);
  }
  std::int64_t context_limit() const override { return 0; }
  void run(std::span<const Request> requests, const Events& events) override;
  Counters counters() const override { return counters_; }
  std::vector<ServerUse> servers() const override { return fleet_.use(); }
  bool exact() const override { return false; }  // A server's batches move its numbers.

 private:
  bool budget_is_spent() const {
    return options_.token_budget > 0 && spent_tokens_ >= options_.token_budget;
  }
  void check_served(const ServedModel& served) const;
  void start_new(Run& run);
  void take(Run& run, std::span<const FleetReply> replies);
  void deliver(Run& run, std::vector<Completed> completed) const;
  void add_call(const Run& run, size_t request, const ChatSteps& steps,
                std::optional<size_t> server);
  void count(const ChatSteps& steps, const ChatAnswer& answer);
  void throw_if_budget_ended(const Run& run) const;

  EndpointOptions options_;
  mutable Fleet fleet_;  // Asked by id(), the first time, what it serves.
  mutable EngineId id_;
  Counters counters_;
  std::int64_t spent_tokens_ = 0;
  bool usage_is_told_ = true;
};

EngineId id_of(const ServedModel& served) {
  EngineId id;
  id.name = served.name;
  id.model = "endpoint:" + served.name;
  if (!served.details.empty()) id.model += fmt::format(" ({})", served.details);
  id.version = fmt::format("openai-chat {}, {}", kProtocolRevision, served.kind->name);
  return id;
}

const EngineId& EndpointEngine::id() const {
  if (!id_.model.empty()) return id_;
  const auto known = known_server(options_.known_servers, fleet_.address());
  if (known && !fleet_.answers_at_once(interrupted) && !interrupted()) {
    if (options_.warn) {
      options_.warn(fmt::format("{}: no server answers; what the ledger knows of {} is taken",
                                fleet_.address(), known->model));
    }
    id_ = *known;
  } else {
    const ServedModel* served = fleet_.served(interrupted);
    if (served == nullptr) throw Error("interrupted");
    id_ = id_of(*served);
    remember_server(options_.known_servers, fleet_.address(), id_);
  }
  if (!options_.ask_log_probs) id_.options = "no log-probabilities";
  return id_;
}

// A server that did not answer when it was asked for its id may have another model now.
void EndpointEngine::check_served(const ServedModel& served) const {
  const EngineId now = id_of(served);
  if (id_.model.empty() || (now.model == id_.model && now.version == id_.version)) return;
  throw Error(fmt::format("it serves {} now, {} before", now.model, id_.model), fleet_.address(),
              "run the same command again");
}

// Requests start in their order, as many as the fleet has room for; each goes on with its next
// call, at the server that answered the last one, until it has ended.
void EndpointEngine::run(std::span<const Request> requests, const Events& events) {
  struct CancelAtEnd {
    Fleet& fleet;
    ~CancelAtEnd() { fleet.cancel_all(); }
  } const cancel_at_end{fleet_};
  const ServedModel* served = fleet_.served(events.stop);
  if (served == nullptr) return;
  check_served(*served);
  Run run{.requests = requests, .events = events, .served = *served};
  while (run.delivered < requests.size()) {
    if (events.stop && events.stop()) return;
    start_new(run);
    if (run.running.empty() && run.next < requests.size()) break;
    take(run, fleet_.wait(kStopInterval));
  }
  throw_if_budget_ended(run);
}

void EndpointEngine::start_new(Run& run) {
  std::vector<Completed> completed;
  for (; run.next < run.requests.size() && fleet_.has_room() && !budget_is_spent(); ++run.next) {
    ChatSteps steps(run.requests[run.next], *run.served.kind, options_.ask_log_probs);
    if (steps.ended()) {  // Nothing to generate and nothing to score.
      completed.push_back({run.next, steps.take_result()});
      continue;
    }
    add_call(run, run.next, steps, std::nullopt);
    run.running.emplace(run.next, std::move(steps));
  }
  deliver(run, std::move(completed));
}

void EndpointEngine::take(Run& run, std::span<const FleetReply> replies) {
  std::vector<Completed> completed;
  for (const FleetReply& reply : replies) {
    ChatSteps& steps = run.running.at(reply.id);
    if (reply.refused.empty()) {
      count(steps, reply.answer);
      steps.take(reply.answer);
    } else {
      steps.refuse(reply.refused);
    }
    if (!steps.ended() && !budget_is_spent()) {
      add_call(run, reply.id, steps, reply.server);
      continue;
    }
    if (steps.ended()) completed.push_back({reply.id, steps.take_result()});
    run.running.erase(reply.id);
  }
  deliver(run, std::move(completed));
  throw_if_budget_ended(run);
}

void EndpointEngine::deliver(Run& run, std::vector<Completed> completed) const {
  if (completed.empty()) return;
  run.delivered += completed.size();
  if (run.events.text) {
    for (const Completed& one : completed) {
      if (!one.result.text.empty()) run.events.text(one.request, one.result.text);
    }
  }
  run.events.results(completed);
}

void EndpointEngine::add_call(const Run& run, size_t request, const ChatSteps& steps,
                              std::optional<size_t> server) {
  const ChatCall call = steps.call();
  size_t max_bytes = options_.max_answer_bytes;
  if (call.alternatives > 0) {
    max_bytes += static_cast<size_t>(call.max_tokens) *
                 (kTokenBytes + static_cast<size_t>(call.alternatives) * kAlternativeBytes);
  }
  fleet_.add({.id = request,
              .body = chat_body(run.served, call),
              .max_bytes = max_bytes,
              .scoring = steps.scoring(),
              .name = run.events.name ? run.events.name(request) : "",
              .server = server});
}

void EndpointEngine::count(const ChatSteps& steps, const ChatAnswer& answer) {
  usage_is_told_ &= answer.has_usage;
  spent_tokens_ += answer.prompt_tokens + answer.generated_tokens;
  if (steps.first()) counters_.prompt_tokens += answer.prompt_tokens;
  (steps.first() ? counters_.prompt_tokens_computed : counters_.scoring_tokens_computed) +=
      answer.prompt_tokens - answer.cached_tokens;
  if (!steps.scoring()) counters_.generated_tokens += answer.generated_tokens;
}

// What was in flight when the budget was spent has been delivered by then, unless it needed one
// more call.
void EndpointEngine::throw_if_budget_ended(const Run& run) const {
  if (options_.token_budget > 0 && !usage_is_told_) {
    throw Error(
        "the server does not say how many tokens it used, so a token budget cannot be kept");
  }
  if (!budget_is_spent() || !run.running.empty() || run.delivered == run.requests.size()) return;
  throw Error(
      fmt::format("the token budget of {} is spent ({} tokens used); {} of {} requests are done",
                  options_.token_budget, spent_tokens_, run.delivered, run.requests.size()),
      "", "raise the budget and run the same command again");
}

}  // namespace

std::unique_ptr<Engine> open_endpoint_engine(const EndpointOptions& options) {
  return std::make_unique<EndpointEngine>(options);
}

}  // namespace selene::engine
