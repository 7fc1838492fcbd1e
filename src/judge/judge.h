// The judge: a model, templates and a policy. Samples in, judgments out.
//
// A sample's way: template → messages → requests (one an order and repeat) → engine, as one batch → verdicts → judgment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/judgment.h"
#include "data/sample.h"
#include "engine/engine.h"
#include "judge/template.h"

namespace selene::judge {

enum class Mode { Critique, Verdict };  // Critique then verdict, or verdict only.
enum class Order { One, Both };         // Pairwise: as stored, or also swapped with the mean of both distributions.

std::string_view mode_name(Mode mode);

struct Policy {
  Mode mode = Mode::Critique;
  Order order = Order::One;
  int max_tokens = 512;          // Of a critique.
  int samples = 1;               // Judgments of one order, at `temperature` above 0.
  double temperature = 0;
  std::uint64_t seed = 0;        // Each request's own seed is derived from it, the sample's id, order and repeat.
};

struct JudgeEvents {
  // In any order of samples.
  std::function<void(size_t sample, data::Judgment judgment)> judgment;
  // A critique as it is written; part 0 is the first order. May be empty.
  std::function<void(size_t sample, size_t part, std::string_view piece)> text;
  std::function<bool()> stop;
};

class Judge {
 public:
  Judge(std::unique_ptr<engine::Engine> engine, TemplateSet templates, Policy policy);

  // Tokens of the context that each sample needs (its largest request); 0 where the engine does not know. Throws Error
  // for a sample that its template cannot render.
  std::vector<std::int64_t> context_tokens(std::span<const data::Sample> samples);
  // Judges all samples as one batch. Each judgment depends on its sample alone.
  void judge(std::span<const data::Sample> samples, const JudgeEvents& events);
  // The judgment of a sample that was not judged: unreadable, with the reason.
  data::Judgment not_judged(const data::Sample& sample, std::string reason) const;

  const engine::Engine& engine() const { return *engine_; }
  const Policy& policy() const { return policy_; }
  const TemplateSet& templates() const { return templates_; }

 private:
  struct Plan;
  Plan plan(const data::Sample& sample) const;
  data::Judgment new_judgment(const data::Sample& sample) const;

  std::unique_ptr<engine::Engine> engine_;
  TemplateSet templates_;
  Policy policy_;
};

}  // namespace selene::judge
