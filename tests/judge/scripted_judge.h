// A judge on the scripted engine, with what it was asked.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "engine/scripted_engine.h"
#include "judge/judge.h"

namespace selene::testing {

inline engine::Result scored(const std::vector<double>& probabilities,
                             const std::string& text = "") {
  engine::Result result;
  result.text = text;
  for (const double probability : probabilities)
    result.label_log_probs.push_back(std::log(probability));
  return result;
}

struct ScriptedJudge {
  using Requests = std::shared_ptr<std::vector<engine::Request>>;

  // One member per policy, all on one engine.
  ScriptedJudge(engine::Script script, std::vector<judge::Policy> policies,
                const std::string& templates = "", std::optional<judge::Ledger> ledger = {},
                std::int64_t context_limit = 0)
      : asked(std::make_shared<std::vector<engine::Request>>()),
        judge("tested", engines(asked, std::move(script), context_limit),
              members(policies, templates), std::move(ledger)) {}

  std::vector<data::Judgment> judge_all(const std::vector<data::Sample>& samples) {
    std::vector<data::Judgment> judgments(samples.size());
    judge::JudgeEvents events;
    events.judgment = [&](size_t sample, data::Judgment judgment) {
      judgments[sample] = std::move(judgment);
    };
    judge.judge(samples, events);
    return judgments;
  }
  data::Judgment judge_one(const data::Sample& sample) { return judge_all({sample}).front(); }

  static std::vector<std::unique_ptr<engine::Engine>> engines(Requests asked, engine::Script script,
                                                              std::int64_t limit) {
    std::vector<std::unique_ptr<engine::Engine>> all;
    all.push_back(engine::make_scripted_engine(
        [asked, script = std::move(script)](const engine::Request& request) {
          asked->push_back(request);
          return script(request);
        },
        limit));
    return all;
  }

  static std::vector<judge::Member> members(const std::vector<judge::Policy>& policies,
                                            const std::string& templates) {
    std::vector<judge::Member> all;
    for (const judge::Policy& policy : policies) {
      judge::Member member;
      member.name = all.empty() ? "one" : "one#" + std::to_string(all.size() + 1);
      member.templates = judge::TemplateSet::open(templates);
      member.policy = policy;
      all.push_back(std::move(member));
    }
    return all;
  }

  Requests asked;  // Every request that reached the engine, in order.
  judge::Judge judge;
};

}  // namespace selene::testing
