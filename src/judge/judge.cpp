#include "judge/judge.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/random.h"
#include "judge/prompt.h"
#include "judge/verdict.h"

namespace selene::judge {

std::string_view mode_name(Mode mode) { return mode == Mode::Critique ? "critique" : "verdict"; }

// A sample's requests, in the order of its parts.
struct Judge::Plan {
  struct Share {
    bool swapped = false;
    int repeat = 0;
    std::string key;
  };
  const Template* form = nullptr;
  std::vector<std::string> flags;
  std::vector<engine::Request> requests;
  std::vector<Share> shares;
};

Judge::Judge(std::unique_ptr<engine::Engine> engine, TemplateSet templates, Policy policy)
    : engine_(std::move(engine)), templates_(std::move(templates)), policy_(policy) {
  if (policy_.samples > 1 && policy_.temperature <= 0) {
    throw Error("several samples at temperature 0 are all the same", "--samples", "give --temperature above 0");
  }
  if (policy_.samples > 1 && policy_.mode == Mode::Verdict) {
    throw Error("several samples of a verdict without a critique are all the same", "--samples",
                "use --mode critique");
  }
}

Judge::Plan Judge::plan(const data::Sample& sample) const {
  Plan plan;
  plan.form = &templates_.pick(sample);
  plan.flags = data_flags(*plan.form, sample);
  const bool pairwise = sample.task == data::Task::Pairwise;
  const bool empty = pairwise ? sample.response_a.empty() || sample.response_b.empty() : sample.response.empty();
  if (empty) plan.flags.emplace_back("empty_response");
  for (int repeat = 0; repeat < policy_.samples; ++repeat) {
    for (const bool swapped : {false, true}) {
      if (swapped && (!pairwise || policy_.order == Order::One)) continue;
      engine::Request request = make_request(*plan.form, swapped ? data::swapped(sample) : sample, policy_);
      request.sampling.seed =
          derive_seed(policy_.seed, fmt::format("{}/{}/{}", sample.id, swapped ? "ba" : "ab", repeat));
      plan.shares.push_back({swapped, repeat, request_key(engine_->id(), *plan.form, request)});
      plan.requests.push_back(std::move(request));
    }
  }
  return plan;
}

std::vector<std::int64_t> Judge::context_tokens(std::span<const data::Sample> samples) {
  std::vector<std::int64_t> largest;
  for (const data::Sample& sample : samples) {
    const std::vector<std::int64_t> needs = engine_->context_tokens(plan(sample).requests);
    largest.push_back(*std::max_element(needs.begin(), needs.end()));
  }
  return largest;
}

data::Judgment Judge::new_judgment(const data::Sample& sample) const {
  data::Judgment judgment;
  judgment.id = sample.id;
  judgment.id_is_integer = sample.id_is_integer;
  judgment.task = sample.task;
  judgment.judge = {.name = engine_->id().name,
                    .model = engine_->id().model,
                    .adapter = engine_->id().adapter,
                    .template_name = templates_.pick(sample).name,
                    .mode = std::string(mode_name(policy_.mode))};
  judgment.extra = sample.extra;
  return judgment;
}

data::Judgment Judge::not_judged(const data::Sample& sample, std::string reason) const {
  data::Judgment judgment = new_judgment(sample);
  judgment.unreadable = std::move(reason);
  return judgment;
}

void Judge::judge(std::span<const data::Sample> samples, const JudgeEvents& events) {
  std::vector<Plan> plans;
  std::vector<engine::Request> requests;
  struct Owner {
    size_t sample;
    size_t part;
  };
  std::vector<Owner> owners;
  for (size_t s = 0; s < samples.size(); ++s) {
    plans.push_back(plan(samples[s]));
    for (size_t p = 0; p < plans[s].requests.size(); ++p) {
      owners.push_back({s, p});
      requests.push_back(std::move(plans[s].requests[p]));
    }
  }

  std::vector<std::vector<data::Part>> parts(samples.size());
  std::vector<size_t> missing(samples.size());
  for (size_t s = 0; s < samples.size(); ++s) {
    parts[s].resize(plans[s].shares.size());
    missing[s] = plans[s].shares.size();
  }
  const auto on_result = [&](size_t index, engine::Result result) {
    const auto [s, p] = owners[index];
    const Plan::Share& share = plans[s].shares[p];
    data::Part part = make_part(requests[index], result, share.swapped);
    part.judge = engine_->id().name;
    part.sample = share.repeat;
    part.key = share.key;
    if (samples[s].task == data::Task::Pairwise) part.order = share.swapped ? "ba" : "ab";
    parts[s][p] = std::move(part);
    if (--missing[s] > 0) return;
    data::Judgment judgment = new_judgment(samples[s]);
    judgment.flags = plans[s].flags;
    combine(std::move(parts[s]), judgment);
    events.judgment(s, std::move(judgment));
  };
  engine::Events engine_events{.result = on_result, .text = {}, .stop = events.stop};
  if (events.text) {
    engine_events.text = [&](size_t index, std::string_view piece) {
      events.text(owners[index].sample, owners[index].part, piece);
    };
  }
  engine_->run(requests, engine_events);
}

}  // namespace selene::judge
