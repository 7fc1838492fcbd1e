#include "judge/prompt.h"

#include <nlohmann/json.hpp>

#include "core/digest.h"

namespace selene::judge {
namespace {

// The system speaks once, at the beginning.
void add_turns(std::vector<Turn> turns, engine::Request& request) {
  for (Turn& turn : turns) {
    if (turn.role == "system" && !request.messages.empty()) continue;
    request.messages.push_back({std::move(turn.role), std::move(turn.text)});
  }
}

}  // namespace

engine::Request make_request(const Template& form, const data::Sample& sample,
                             const Policy& policy) {
  engine::Request request;
  request.mark = form.mark;
  request.labels = words_of(form, sample.labels);
  const bool critique = policy.mode == Mode::Critique;
  if (critique) {
    request.answer_start = form.answer_start;
    request.max_tokens = policy.max_tokens;
    request.stop = form.mark;
    request.sampling.temperature = policy.temperature;
  }
  for (const data::Example& example : sample.examples) {
    add_turns(render_turns(form, example_as_sample(sample, example)), request);
    engine::Request turn;
    turn.mark = form.mark;
    if (critique && !example.critique.empty()) turn.answer_start = form.answer_start;
    const std::string answer = engine::answer_before_label(
        turn, critique ? std::string_view(example.critique) : std::string_view());
    request.messages.push_back(
        {"assistant", answer + " " + words_of(form, {example.label}).front()});
  }
  add_turns(render_turns(form, sample), request);
  return request;
}

std::string request_key(const engine::EngineId& engine, std::string_view template_digest,
                        const engine::Request& request) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  parts.push_back(engine.model);
  parts.push_back(engine.adapter);
  parts.push_back(engine.version);
  parts.push_back(engine.options);
  parts.push_back(template_digest);
  for (const engine::Message& message : request.messages) {
    parts.push_back(message.role);
    parts.push_back(message.content);
  }
  parts.push_back(request.answer_start);
  parts.push_back(request.max_tokens);
  parts.push_back(request.stop);
  parts.push_back(request.sampling.temperature);
  parts.push_back(request.sampling.temperature > 0 ? request.sampling.seed : 0);
  parts.push_back(request.mark);
  parts.push_back(request.labels);
  return sha256(parts.dump());
}

}  // namespace selene::judge
