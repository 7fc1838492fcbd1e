// The judge: models, templates and policies. Samples in, judgments out.
//
// A sample's way: template → messages → requests (one a member, order and repeat) → ledger answers
// those it knows → engine runs the rest, as one batch → ledger → verdicts → judgment. Requests that
// are no sample's go the same way from the ledger on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/judgment.h"
#include "data/sample.h"
#include "engine/engine.h"
#include "judge/ledger.h"
#include "judge/template.h"

namespace selene::judge {

enum class Mode { Critique, Verdict };  // Critique then verdict, or verdict only.
enum class Order {
  One,
  Both
};  // Pairwise: as stored, or also swapped with the mean of both distributions.

std::string_view mode_name(Mode mode);
std::string_view order_name(Order order);
// Throw Error naming the known ones.
Mode mode_from_name(std::string_view name);
Order order_from_name(std::string_view name);

struct Policy {
  Mode mode = Mode::Critique;
  Order order = Order::One;
  int max_tokens = 512;  // Of a critique.
  int samples = 1;       // Judgments of one order, at `temperature` above 0.
  double temperature = 0;
  std::uint64_t seed =
      0;  // Each request's own seed is derived from it, the sample's id, order and repeat.
};

// A judge of its own, or one of a jury.
struct Member {
  std::string name;
  double weight = 1;  // Above 0.
  size_t engine = 0;  // Index into the judge's engines: members may share one.
  TemplateSet templates;
  Policy policy;
};

// A sample beside the contexts of its engines.
struct Fit {
  std::int64_t tokens =
      0;  // Of the context, for the sample's largest request; 0: known already, or not known.
  std::int64_t limit = 0;  // What there is; 0: not known.
  bool fits() const { return limit == 0 || tokens <= limit; }
};

struct JudgeEvents {
  // In any order of samples.
  std::function<void(size_t sample, data::Judgment judgment)> judgment{};
  // In place of the judgment of a sample that does not fit. Without it every sample must.
  std::function<void(size_t sample, Fit fit)> overlong{};
  // A critique as it is written; part 0 is the first member's first order. May be empty.
  std::function<void(size_t sample, size_t part, std::string_view piece)> text{};
  std::function<bool()> stop{};
};

// A request that is no sample's, and what made it.
struct Ask {
  engine::Request request;
  std::string template_name;  // For its record in the ledger; the digest is part of its key.
  std::string template_digest;
  std::string name{};  // What an error calls it, such as "row 'x'".
};

class Judge {
 public:
  // `name` is what judgments call it. Throws Error for a policy that makes no sense (several
  // samples at temperature 0).
  Judge(std::string name, std::vector<std::unique_ptr<engine::Engine>> engines,
        std::vector<Member> members, std::optional<Ledger> ledger = {});

  // Throws Error for the first sample that no template fits or whose template it cannot fill; needs
  // no model.
  void check(std::span<const data::Sample> samples) const;

  // Whether each sample fits its engines' contexts. Throws Error as check() does.
  std::vector<Fit> fit(std::span<const data::Sample> samples);
  // Judges all samples as one batch. Each judgment depends on its sample alone. Throws Error as
  // check() does.
  void judge(std::span<const data::Sample> samples, const JudgeEvents& events);
  // The judgment of a sample that was not judged: skipped and unreadable, with the reason.
  data::Judgment not_judged(const data::Sample& sample, std::string reason) const;

  struct Answer {
    std::optional<engine::Result> result;  // Nothing: it does not fit, or the run was stopped.
    Fit fit;
  };
  // Answers requests as they are: those that the ledger knows from there, the rest by the member's
  // engine as one batch, without those that do not fit its context. One answer a request, in their
  // order; each depends on its request alone. Throws Error when the engine fails; what ended before
  // is in the ledger.
  std::vector<Answer> answer(const Member& member, std::span<const Ask> asks,
                             const std::function<bool()>& stop = {});

  // Runs requests on the member's engine as they are, past the ledger.
  void run(const Member& member, std::span<const engine::Request> requests,
           const engine::Events& events);

  const std::string& name() const { return name_; }
  std::span<const Member> members() const { return members_; }
  const engine::Engine& engine_of(const Member& member) const { return *engines_[member.engine]; }
  // Requests that the ledger answered so far, and those it did not.
  std::int64_t ledger_hits() const { return ledger_hits_; }
  std::int64_t ledger_misses() const { return ledger_misses_; }
  bool has_ledger() const { return ledger_.has_value(); }
  engine::Counters counters() const;
  std::vector<engine::ServerUse> servers() const;  // Of all engines.
  // Whether every engine is (engine/engine.h).
  bool exact() const;

 private:
  struct Part;
  struct Work;
  struct Question;
  struct Listener;
  std::vector<Part> plan(const data::Sample& sample) const;
  Work plan_all(std::span<const data::Sample> samples) const;
  void answer_known(std::span<Question> questions, const Listener& listener);
  Fit fit_of(size_t engine, const engine::Request& request) const;
  void leave_out_overlong(const Work& work, std::span<Question> questions,
                          const JudgeEvents& events) const;
  void run_engine(size_t engine, std::span<Question> questions, const Listener& listener);
  void complete(Work& work, size_t request, const engine::Result& result,
                const JudgeEvents& events);
  data::Judgment new_judgment(const data::Sample& sample) const;

  std::string name_;
  std::vector<std::unique_ptr<engine::Engine>> engines_;
  std::vector<Member> members_;
  std::optional<Ledger> ledger_;
  std::int64_t ledger_hits_ = 0;
  std::int64_t ledger_misses_ = 0;
};

// What of the judge a judgment depends on, and nothing else (threads and memory are not in it).
nlohmann::ordered_json describe(const Judge& judge);

}  // namespace selene::judge
